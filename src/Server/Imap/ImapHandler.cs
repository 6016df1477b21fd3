using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Mailboxes;
using CbaMail.Mailboxes.Search;
using CbaMail.Net;
using CbaMail.Sasl;
using CbaMail.Storage;

namespace CbaMail.Imap;

/// <summary>Where a connection enters IMAP; TLS on 993 has been done by then.</summary>
public sealed class ImapHandler(
    Settings settings, MailStore mail, UserDirectory directory, SignIn signIn, Spool spool, TimeProvider time, ILogger<ImapHandler> log, MemoryGate? memory = null, TextIndex? index = null)
{
    readonly ImapContext context = new(settings, mail, directory, signIn, spool, time, log, memory, index);

    /// <summary>One session from the greeting to the end.</summary>
    public Task RunAsync(Connection connection) => new ImapSession(connection, context).RunAsync();
}
