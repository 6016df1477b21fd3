namespace CbaMail.Delivery;

/// <summary>
/// The part of Delivery that sends mailings: MailingRun moves the ledger, RenderShop makes the copies on a bounded number of workers.
/// The rules stand in MailingsRoom.
/// </summary>
public static class MailingRunRoom
{
    public static IServiceCollection AddMailingRun(this IServiceCollection services) =>
        services.AddSingleton<MailingRun>().AddHostedService(static provider => provider.GetRequiredService<MailingRun>());
}
