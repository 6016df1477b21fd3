using CbaMail.Config;
using CbaMail.Mailboxes;
using CbaMail.Net;
using CbaMail.Sasl;

namespace CbaMail.Pop3;

/// <summary>Where a connection enters POP3; TLS on 995 has been done by then.</summary>
public sealed class Pop3Handler(Settings settings, MailStore mail, SignIn signIn, MaildropLocks locks, TimeProvider time, ILogger<Pop3Handler> log)
{
    readonly Pop3Context context = new(settings, mail, signIn, locks, time, log);

    /// <summary>One session from the greeting to the end.</summary>
    public Task RunAsync(Connection connection) => new Pop3Session(connection, context).RunAsync();
}

/// <summary>What every session uses.</summary>
internal sealed record Pop3Context(Settings Settings, MailStore Mail, SignIn SignIn, MaildropLocks Locks, TimeProvider Time, ILogger Log);
