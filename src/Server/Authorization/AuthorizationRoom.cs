using CbaMail.Directory;

namespace CbaMail.Authorization;

/// <summary>
/// Authorization: who may do what by the API. <see cref="Permissions"/> is the matrix of permissions and roles, <see cref="Caller"/> whoever asks and how far
/// he reaches, <see cref="ApiKeys"/> and <see cref="Sessions"/> by what he is known, <see cref="AuditLog"/> what he changed.
///
/// Rules that a change must keep:
/// - a key or a cookie is kept by its digest only, and shown once;
/// - a key reaches never further than its owner does at that moment;
/// - nobody changes an account that stands above his own, nor gives what he has not got;
/// - the audit log is only added to, holds no secret, and misses no change: what is committed says so in the same transaction (Storage/Accompaniment).
///
/// Not here: how somebody proves who he is (Sasl, Directory), and which route asks for which permission (Http).
/// </summary>
public static class AuthorizationRoom
{
    public static IServiceCollection AddAuthorizationRoom(this IServiceCollection services) => services
        .AddSingleton<ApiKeys>().AddSingleton<Sessions>().AddSingleton<AuditLog>().AddHostedService(services => services.GetRequiredService<AuditLog>()).AddSingleton<Idempotency>();

    /// <summary>What belongs to an account ends with it; sessions also when its password changes or it is disabled.</summary>
    public static void Attach(UserDirectory directory, ApiKeys keys, Sessions sessions)
    {
        directory.AccountRemoving += (write, account) =>
        {
            keys.RemoveAll(write, account);
            sessions.EndAll(write, account.Id);
        };
        directory.SignInChanging += (write, account) => sessions.EndAll(write, account.Id);
    }
}
