using System.Net;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Inbound;

/// <summary>A recipient that was asked for.</summary>
public sealed class ArrivalRecipient(MailAddress address, string? notify = null, string? originalRecipient = null)
{
    public MailAddress Address { get; internal set; } = address;
    /// <summary>RFC 3461 4.1, or null.</summary>
    public string? Notify => notify;
    /// <summary>RFC 3461 4.2, or null.</summary>
    public string? OriginalRecipient => originalRecipient;
    /// <summary>It is a return address of ours, and whole; or null. Filled by RecipientCheck.</summary>
    public Queue.BounceTicket? Bounce { get; internal set; }
    /// <summary>Where it leads; filled by RecipientCheck.</summary>
    public IReadOnlyList<Target> Targets { get; internal set; } = [];
}

/// <summary>What is known so far of mail that arrives; the checks read and fill it.</summary>
public sealed class Arrival : IDisposable
{
    List<Judgement>? judgements;
    List<SpooledMessage>? texts;

    public required string Session { get; init; }
    /// <summary>The transaction's, as it stands in the Received field and in the reply.</summary>
    public string Id { get; init; } = "";
    /// <summary>The connection that brings it.</summary>
    public Visit Visit { get; init; } = new();
    public required IPAddress Remote { get; init; }
    public required Protocol Protocol { get; init; }
    /// <summary>It comes over TLS.</summary>
    public bool IsSecure { get; init; }
    public string Hello { get; set; } = "";
    /// <summary>Who signed in, or null for a stranger.</summary>
    public Account? SignedIn { get; set; }
    /// <summary>Null for the null reverse-path, or while there is none yet.</summary>
    public MailAddress? Sender { get; set; }
    /// <summary>What stood behind the path of MAIL, keywords in capitals.</summary>
    public IReadOnlyList<(string Key, string? Value)> Parameters { get; set; } = [];
    /// <summary>RFC 3461 4.3 RET, or null.</summary>
    public string? Return { get; set; }
    /// <summary>RFC 3461 4.4 ENVID, or null.</summary>
    public string? EnvelopeId { get; set; }
    /// <summary>RFC 6531 3.4: the client asked for SMTPUTF8.</summary>
    public bool SmtpUtf8 { get; set; }
    /// <summary>RFC 8689 REQUIRETLS.</summary>
    public bool RequireTls { get; set; }
    /// <summary>What SIZE of MAIL said (RFC 1870), or 0.</summary>
    public long DeclaredSize { get; set; }
    /// <summary>Those that were accepted.</summary>
    public List<ArrivalRecipient> Recipients { get; } = [];
    /// <summary>The one that is asked for just now.</summary>
    public ArrivalRecipient? Asked { get; set; }
    /// <summary>The whole text, our Received field included; empty before the message's moment.</summary>
    public ReadOnlyMemory<byte> Message { get; set; }

    /// <summary>The sum of what lists and look-ups say of client and sender, as ReputationCheck found it; below zero speaks for them.</summary>
    public double Weight { get; internal set; }
    /// <summary>What lists say of the sender's domain, while it is asked.</summary>
    internal Task<Finding?[]>? OfSender { get; set; }
    /// <summary>It was told to come again, and has come.</summary>
    public bool HasWaited { get; internal set; }
    /// <summary>The domain that authentication at MAIL vouches for (SPF), or null: such a sender is not greylisted.</summary>
    public string? Authenticated { get; set; }
    /// <summary>What SPF says of client and sender, while it is asked.</summary>
    internal Task<MailAuth.Spf.SpfResult>? Spf { get; set; }
    /// <summary>What is proven of the sender; null before the message's moment, and where nothing is checked.</summary>
    public Authentication.SenderProof? Proof { get; set; }

    /// <summary>The severest of what checks have said by <see cref="Judge"/>.</summary>
    public Disposition Disposition { get; private set; }
    /// <summary>All that was said, in order.</summary>
    public IReadOnlyList<Judgement> Judgements => judgements ?? (IReadOnlyList<Judgement>)[];

    /// <summary>
    /// A check lets the message pass, but not to where it is addressed: <see cref="Disposition.Junk"/>, <see cref="Disposition.Quarantine"/>
    /// or <see cref="Disposition.Discard"/>. Nothing that comes later makes it milder. To refuse, return a Refusal.
    /// </summary>
    public void Judge(Disposition disposition, string check, string reason)
    {
        if (disposition is Disposition.Defer or Disposition.Refuse) throw new ArgumentOutOfRangeException(nameof(disposition), "Return a Refusal instead.");
        if (disposition > Disposition) Disposition = disposition;
        (judgements ??= []).Add(new Judgement(disposition, check, reason));
    }

    /// <summary>Puts another text in the place of <see cref="Message"/>, and keeps it to the end of the transaction.</summary>
    public void Replace(SpooledMessage text)
    {
        (texts ??= []).Add(text);
        Message = text.Content;
    }

    public void Dispose()
    {
        if (texts is null) return;
        Message = default;
        foreach (var text in texts) text.Dispose();
        texts = null;
    }
}
