using CbaMail.Config;
using CbaMail.Correspondents;
using CbaMail.Directory;
using CbaMail.Inbound.Authentication;
using CbaMail.Inbound.Checks;
using CbaMail.Inbound.Hooks;
using CbaMail.Inbound.Milters;
using CbaMail.Mailboxes;
using CbaMail.Queue;
using CbaMail.Net;
using CbaMail.Net.Dns;
using CbaMail.Storage;

namespace CbaMail.Inbound;

/// <summary>
/// Inbound: the door for mail that arrives by SMTP and LMTP. <see cref="Pipeline"/> is the list of what is asked, by moment
/// (connect, hello, sender, recipient, data, message); each check reads and fills the <see cref="Arrival"/> and may end it with a Refusal.
///
/// Those who bring mail are strangers on the SMTP port alone. <see cref="Edge"/> is what the session asks about them, <see cref="Standing"/> what is
/// found (names, lists, in DNS, all at once), <see cref="Acquaintances"/> whom we have met; <see cref="EdgeKeeper"/> keeps it over a restart.
/// Bans and rates of connections are Net's: they must be known before there is a session.
///
/// Does not: speak SMTP (Smtp.Server), place mail (Delivery), judge what our own people send beyond recipients (Submission).
/// Rules to keep: no open relay, whatever the address looks like (RecipientCheck and its table of tricks in the tests);
/// recipients and quota are answered at RCPT, so that no bounce need be written later; checks return refusals, they do not throw;
/// nothing that a stranger does costs a commit; whoever waits, waits without a thread; what is off costs nothing.
/// </summary>
public static class InboundRoom
{
    public static IServiceCollection AddInbound(this IServiceCollection services) => services
        .AddSingleton<Acquaintances>()
        .AddSingleton<ClientLookups>()
        .AddSingleton<Edge>()
        .AddSingleton<FilterStates>()
        .AddSingleton<Authenticator>()
        .AddSingleton<RelayCheck>()
        .AddSingleton(p => ActivatorUtilities.CreateInstance<AuthenticationCheck>(p, (Func<bool>)(() => p.GetRequiredService<DnsResolver>().HasServers)))
        .AddSingleton<EdgeKeeper>()
        .AddHostedService(p => p.GetRequiredService<EdgeKeeper>())
        .AddSingleton(p =>
        {
            var (settings, directory) = (p.GetRequiredService<Settings>(), p.GetRequiredService<UserDirectory>());
            var (spool, time, log) = (p.GetRequiredService<Spool>(), p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<Pipeline>>());
            var states = p.GetRequiredService<FilterStates>();
            var filters = MiltersRoom.Checks(settings, spool, directory, time, log, states).Concat(HooksRoom.Checks(settings, spool, directory, time, log, states));
            return new Pipeline(
                settings, directory, p.GetRequiredService<MailStore>(), p.GetRequiredService<MemoryGate>(), filters,
                p.GetRequiredService<Edge>(), p.GetRequiredService<CorrespondentBook>(), time, log,
                p.GetRequiredService<MailQueue>().Bounces, p.GetRequiredService<AuthenticationCheck>(), p.GetRequiredService<RelayCheck>());
        });
}
