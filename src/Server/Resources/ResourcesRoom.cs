namespace CbaMail.Resources;

/// <summary>
/// Resources: rooms and equipment with addresses. Reads invitations for them (RFC 5546, RFC 6047), keeps bookings, writes the answers.
/// Does not: deliver (Delivery gives the way out), know calendars of people. Rule to keep: a booking and its answer are one commit.
/// </summary>
public static class ResourcesRoom
{
    public static IServiceCollection AddResources(this IServiceCollection services) => services.AddSingleton<ResourceBook>().AddSingleton<Bookings>();
}
