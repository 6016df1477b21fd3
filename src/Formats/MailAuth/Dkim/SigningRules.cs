namespace CbaMail.MailAuth.Dkim;

/// <summary>Who signs: the domain that takes responsibility, where its key stands in DNS, and the key.</summary>
public sealed record SigningIdentity(string Domain, string Selector, DkimPrivateKey Key);

/// <summary>What a signature covers and how.</summary>
public sealed record SigningRules
{
    /// <summary>
    /// Fields that nobody may add, take away or change: signed once more than they stand in the header (RFC 6376 5.4), so that a second
    /// From or Subject breaks the signature (RFC 6376 8.15).
    /// </summary>
    public static readonly IReadOnlyList<string> Guarded =
    [
        "from", "to", "cc", "subject", "date", "reply-to", "message-id", "in-reply-to", "references",
        "mime-version", "content-type", "content-transfer-encoding",
    ];

    /// <summary>
    /// Fields that are signed once more than they stand there, where they stand there at all: a mailing list may add its own to a
    /// letter that it does not change, but not beside ours. Bulk mail has List-Unsubscribe and List-Unsubscribe-Post signed (RFC 8058 4).
    /// </summary>
    public static readonly IReadOnlyList<string> GuardedIfPresent =
    [
        "sender", "resent-date", "resent-from", "resent-to", "resent-cc", "content-disposition", "content-id", "content-language",
        "list-id", "list-help", "list-unsubscribe", "list-unsubscribe-post", "list-subscribe", "list-post", "list-owner", "list-archive",
        "auto-submitted", "precedence", "feedback-id",
    ];

    /// <summary>Names for h= instead of the two lists; From is put first where it is missing.</summary>
    public IReadOnlyList<string>? Fields { get; init; }
    /// <summary>Relaxed: relays fold and unfold.</summary>
    public Canonicalization HeaderWay { get; init; } = Canonicalization.Relaxed;
    /// <summary>Relaxed: relays take trailing white space away.</summary>
    public Canonicalization BodyWay { get; init; } = Canonicalization.Relaxed;
    /// <summary>How long a signature is good (x=); null for ever.</summary>
    public TimeSpan? Lifetime { get; init; }

    /// <summary>The names for h= of a header.</summary>
    internal List<string> NamesFor(FieldNames header)
    {
        if (Fields is not null) return Fields.Contains("from", StringComparer.OrdinalIgnoreCase) ? [.. Fields] : ["from", .. Fields];
        var names = new List<string>(40);
        foreach (var name in Guarded) Add(name, header.Count(name) + 1);
        foreach (var name in GuardedIfPresent)
            if (header.Count(name) is > 0 and var count) Add(name, count + 1);
        return names;

        void Add(string name, int times)
        {
            for (var i = 0; i < Math.Min(times, 10); i++) names.Add(name);
        }
    }
}
