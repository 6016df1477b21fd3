using CbaMail.Directory;
using CbaMail.Envelope;

namespace CbaMail.Delivery;

/// <summary>One recipient of an order.</summary>
/// <param name="Address">As the sender wrote it, "+" detail included.</param>
/// <param name="Targets">Where it leads (UserDirectory.Resolve), or the address itself as a remote target.</param>
/// <param name="Notify">RFC 3461 4.1, or null.</param>
/// <param name="OriginalRecipient">RFC 3461 4.2, or null.</param>
public sealed record DeliveryRecipient(MailAddress Address, IReadOnlyList<Target> Targets, string? Notify = null, string? OriginalRecipient = null)
{
    /// <summary>The address is one that takes bounces of something of ours; or null.</summary>
    public Queue.BounceTicket? Bounce { get; init; }
    /// <summary>Gets a copy by policy, which nobody is told of: it stands behind those whom the envelope names, and gets one only where one of them does.</summary>
    public bool IsCopy { get; init; }
}

/// <summary>A message to be placed: an envelope and the whole text, Received field included.</summary>
public sealed record DeliveryOrder
{
    /// <summary>Null for the null reverse-path.</summary>
    public MailAddress? ReversePath { get; init; }
    public required IReadOnlyList<DeliveryRecipient> Recipients { get; init; }
    /// <summary>Must stay valid until the delivery has completed.</summary>
    public required ReadOnlyMemory<byte> Message { get; init; }
    /// <summary>RFC 3461 4.3 RET, or null.</summary>
    public string? Return { get; init; }
    /// <summary>RFC 3461 4.4 ENVID, or null.</summary>
    public string? EnvelopeId { get; init; }
    public bool SmtpUtf8 { get; init; }
    /// <summary>RFC 8689 REQUIRETLS: whatever goes on from here goes under it.</summary>
    public bool RequireTls { get; init; }
    public Queue.MailClass Class { get; init; }
    /// <summary>
    /// Judged to be junk: local recipients get it in their mailbox with the special use \Junk, flagged $Junk (RFC 6154 2, RFC 9051 2.3.2);
    /// an account that forwards keeps it there in place of passing it on; what else would leave is held in the queue until somebody releases it. We do
    /// not send on what we think to be junk: the next server would hold it against us.
    /// </summary>
    public bool Junk { get; init; }
    /// <summary>Each recipient is answered for itself (LMTP): one that is over quota is refused though others are not.</summary>
    public bool Separate { get; init; }
    /// <summary>The account of ours that sends it, or null: its messages may be stored as what differs from its earlier ones.</summary>
    public long? Author { get; init; }
    /// <summary>Whose rights to post count (RFC 4314 2.1, p) where <see cref="Author"/> is not told; or null.</summary>
    public long? Poster { get; init; }
    /// <summary>RFC 6710: -9 to 9.</summary>
    public int Priority { get; init; }
    /// <summary>RFC 4865: all of it waits in the queue until then, what is for mailboxes here too.</summary>
    public DateTimeOffset? ReleaseAt { get; init; }
    /// <summary>What was asked for, as notices repeat it (RFC 4865 5.1.2); or null.</summary>
    public string? HoldRequest { get; init; }
    public Queue.DeliverBy? By { get; init; }
    /// <summary>For the trace: address of the client, tab, its name, tab, account, tab, protocol and TLS; empty where nobody was connected.</summary>
    public string Door { get; init; } = "";
    /// <summary>For the trace: why it is junk, what the checks found; or empty.</summary>
    public string Verdict { get; init; } = "";
    /// <summary>Runs in the commit that places the last of it, unless nobody takes it; or null.</summary>
    internal Action<Storage.WriteTransaction>? Alongside { get; init; }
    /// <summary>Whom the message can be held to, where that was asked.</summary>
    public Reports.ProvenSender? Proven { get; init; }
    /// <summary>The signatures of it that are right.</summary>
    public IReadOnlyList<MailAuth.Dkim.DkimSignature> Signatures { get; init; } = [];
    /// <summary>Stands on the log lines.</summary>
    public string Id { get; init; } = "";
    /// <summary>Who brought it, for the log: a client's address, an account.</summary>
    public string Origin { get; init; } = "";
}
