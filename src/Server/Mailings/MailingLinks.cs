using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Mailings.Tracking;
using CbaMail.Queue;

namespace CbaMail.Mailings;

/// <summary>
/// The ways out of a mailing that stand in each copy: a link and an address, sealed, so that nobody can take another off. They are good for ever:
/// a letter is read years later. The same copy always has the same.
/// </summary>
public sealed class MailingLinks(Settings settings, BounceAddresses seals)
{
    /// <summary>What the path of such a link begins with.</summary>
    public const string Path = "/u/";

    readonly string root = settings.Admission.Root(settings) + Path;

    /// <summary>Those that tell what a reader did.</summary>
    public TrackedLinks Tracked { get; } = new(settings.Admission.Root(settings), seals);

    /// <summary>The reader's page; POST to it takes him off (RFC 8058 3.1).</summary>
    public string Page(long ledgerId, DateTimeOffset made) => root + seals.LinkToken(BounceKind.Unsubscribe, ledgerId, made);

    /// <summary>Where a letter takes him off.</summary>
    public MailAddress Address(long ledgerId, string domain, DateTimeOffset made) => seals.Make(BounceKind.Unsubscribe, ledgerId, domain, made);

    /// <summary>The row of the ledger that a link's token is of; null where it is forged.</summary>
    public long? Read(string token) => seals.ReadLink(token) is { Kind: BounceKind.Unsubscribe } ticket ? ticket.Id : null;
}
