using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Imap.Searching;
using CbaMail.Mailboxes;
using CbaMail.Mailboxes.Search;
using CbaMail.Net;
using CbaMail.Sasl;
using CbaMail.Storage;

namespace CbaMail.Imap;

/// <summary>The rooms below that every session uses.</summary>
internal sealed record ImapContext(
    Settings Settings, MailStore Mail, UserDirectory Directory, SignIn SignIn, Spool Spool, TimeProvider Time, ILogger Log, MemoryGate? Memory = null, TextIndex? Index = null)
{
    /// <summary>What other sessions have worked out.</summary>
    public Recollection Recollection { get; } = new(Memory);

    /// <summary>Whose turn it is to search.</summary>
    public SearchTurns Searches { get; init; } = SearchTurns.OfThisMachine;

    /// <summary>From names to mailboxes and rights.</summary>
    public MailboxAccess Access { get; } = new(Directory, Settings.Imap.OtherUsers, Settings.Imap.PublicFolders);
}
