namespace CbaMail.Inbound;

/// <summary>
/// Inbound: the door for mail that arrives by SMTP and LMTP. <see cref="Pipeline"/> is the list of what is asked, by moment
/// (connect, hello, sender, recipient, message); each check reads and fills the <see cref="Arrival"/> and may end it with a Refusal.
///
/// Does not: speak SMTP (Smtp.Server), place mail (Delivery), judge what our own people send beyond recipients (Submission).
/// Rules to keep: no open relay, whatever the address looks like (RecipientCheck and its table of tricks in the tests);
/// recipients and quota are answered at RCPT, so that no bounce need be written later; checks return refusals, they do not throw.
/// </summary>
public static class InboundRoom
{
    public static IServiceCollection AddInbound(this IServiceCollection services) => services.AddSingleton<Pipeline>(p =>
        new Pipeline(p.GetRequiredService<Config.Settings>(), p.GetRequiredService<Directory.UserDirectory>(), p.GetRequiredService<Mailboxes.MailStore>(), p.GetRequiredService<Net.MemoryGate>()));
}
