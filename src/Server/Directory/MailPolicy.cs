using System.Text.Json;
using System.Text.Json.Serialization;
using CbaMail.Envelope;

namespace CbaMail.Directory;

/// <summary>What becomes of mail that the policy of its From domain wants refused or put aside (RFC 7489 6.7: local policy).</summary>
public enum DmarcAction { Follow, Junk, Ignore }

/// <summary>For which names a relay domain's next server is asked before mail is taken.</summary>
public enum RelayVerify { CallOut, None }

/// <summary>
/// What a domain, an account or an alias asks for beyond its addresses; what is null is not asked for. A domain's word holds for all in
/// it; an account's own comes on top, and where both give a number, the account's counts.
/// </summary>
public record MailPolicy
{
    public static readonly MailPolicy None = new();

    /// <summary>Mail for it is taken over TLS only.</summary>
    public bool? RequireTls { get; init; }

    /// <summary>The largest message for it, in bytes; null or 0: the server's own limit.</summary>
    public long? MaxSize { get; init; }

    /// <summary>Who may write to it: addresses, <c>@domain</c>, <c>@*.domain</c>, <c>members</c> (who has signed in as somebody of its domain). Null: everybody.</summary>
    public IReadOnlyList<string>? AllowedSenders { get; init; }

    /// <summary>Who may not, in the same words; comes before <see cref="AllowedSenders"/>.</summary>
    public IReadOnlyList<string>? BlockedSenders { get; init; }

    /// <summary>Where mail for the account goes (accounts only).</summary>
    public IReadOnlyList<string>? Forward { get; init; }

    /// <summary>Whether forwarded mail also stays in the mailbox. Null: yes.</summary>
    public bool? KeepCopy { get; init; }

    /// <summary>Addresses beyond its own that the account may write as: of other accounts (delegation), or <c>@domain</c> (accounts only).</summary>
    public IReadOnlyList<string>? SendAs { get; init; }

    /// <summary>The same, where the field Sender says who has written (RFC 5322 3.6.2; accounts only).</summary>
    public IReadOnlyList<string>? SendOnBehalf { get; init; }

    /// <summary>Gets a copy of all mail that arrives for it.</summary>
    public IReadOnlyList<string>? BccIncoming { get; init; }

    /// <summary>Gets a copy of all mail that it sends.</summary>
    public IReadOnlyList<string>? BccOutgoing { get; init; }

    /// <summary>Messages that an account may send in a day; null: the server's default; 0: none at all.</summary>
    public int? MessagesPerDay { get; init; }

    /// <summary>People whom an account may write to for the first time, in a day.</summary>
    public int? NewRecipientsPerDay { get; init; }

    /// <summary>By what nobody of it may sign in: <c>imap</c>, <c>pop3</c>, <c>submission</c>, <c>web</c>. A domain's and an account's own add up.</summary>
    public IReadOnlyList<string>? ForbiddenProtocols { get; init; }

    /// <summary>IMAP capabilities that are not announced to it, for the sake of a program that gets them wrong. A domain's and an account's own add up.</summary>
    public IReadOnlyList<string>? DisabledCapabilities { get; init; }

    internal static readonly string[] Protocols = ["imap", "pop3", "submission", "web"];

    /// <summary>Networks from which alone people of it sign in, as in <c>192.0.2.0/24</c>; where an account has its own, its domain's do not count.</summary>
    public IReadOnlyList<string>? AllowedNetworks { get; init; }

    /// <summary>It sends, and receives nothing (accounts only).</summary>
    public bool? SendOnly { get; init; }

    /// <summary>It receives, and sends nothing (accounts only).</summary>
    public bool? ReceiveOnly { get; init; }

    /// <summary>Put below what is sent (domains only); the plain text.</summary>
    public string? FooterText { get; init; }

    /// <summary>The same for HTML parts; where it is null, it is made of <see cref="FooterText"/>.</summary>
    public string? FooterHtml { get; init; }

    /// <summary>Accounts of the domain that write without the footer.</summary>
    public IReadOnlyList<string>? FooterExcept { get; init; }

    /// <summary>Whether the policy of senders' domains is followed (domains only). Null: it is.</summary>
    public DmarcAction? Dmarc { get; init; }

    /// <summary>
    /// The domain's mail is passed on to the server named here, as <c>host</c>, <c>host:port</c> or <c>mx</c> (the other servers of its MX
    /// records: backup MX); names that are accounts or aliases here stay (domains only).
    /// </summary>
    public string? RelayTo { get; init; }

    /// <summary>Whether the next server is asked for each name. Null: it is.</summary>
    public RelayVerify? RelayVerify { get; init; }

    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    internal string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>What an older release did not know is null; what a newer one wrote is passed over.</summary>
    internal static MailPolicy FromJson(string text) => text is "{}" or "" ? None : JsonSerializer.Deserialize<MailPolicy>(text, Json) ?? None;

    static readonly Func<MailPolicy, IReadOnlyList<string>?>[] Lists =
        [one => one.AllowedSenders, one => one.BlockedSenders, one => one.Forward, one => one.SendAs, one => one.SendOnBehalf, one => one.BccIncoming, one => one.BccOutgoing, one => one.FooterExcept];

    /// <summary>Whether an address stands in one of its lists.</summary>
    internal bool Names(string address)
    {
        if (IsEmpty) return false;
        foreach (var list in Lists)
            if (list(this)?.Contains(address) == true) return true;
        return false;
    }

    /// <summary>What it is once an address is another one.</summary>
    internal MailPolicy Following(string from, string to) => !Names(from) ? this : this with
    {
        AllowedSenders = Following(AllowedSenders, from, to),
        BlockedSenders = Following(BlockedSenders, from, to),
        Forward = Following(Forward, from, to),
        SendAs = Following(SendAs, from, to),
        SendOnBehalf = Following(SendOnBehalf, from, to),
        BccIncoming = Following(BccIncoming, from, to),
        BccOutgoing = Following(BccOutgoing, from, to),
        FooterExcept = Following(FooterExcept, from, to),
    };

    /// <summary>A list in which an address is another one.</summary>
    internal static IReadOnlyList<string>? Following(IReadOnlyList<string>? list, string from, string to) =>
        list?.Contains(from) == true ? [.. list.Select(one => one == from ? to : one).Distinct()] : list;

    /// <summary>Where the policy is the empty one, look-ups need not go on.</summary>
    [JsonIgnore]
    public bool IsEmpty => ReferenceEquals(this, None) || Equals(None);
}

/// <summary>Addresses as policies write them: whole ones, <c>@domain</c>, <c>@*.domain</c>, <c>members</c>.</summary>
public static class SenderPattern
{
    public const string Members = "members";

    /// <summary>The pattern in the form in which it is kept; null where it is none.</summary>
    public static string? Normal(string text)
    {
        text = text.Trim();
        if (text.Equals(Members, StringComparison.OrdinalIgnoreCase)) return Members;
        if (text.StartsWith("@*.", StringComparison.Ordinal)) return Names.TryDomain(text[3..], out var parent) ? "@*." + parent : null;
        if (text.StartsWith('@')) return Names.TryDomain(text[1..], out var domain) ? "@" + domain : null;
        return Names.TryAddress(text, out var address) ? address.ToString() : null;
    }

    /// <param name="sender">Null for the null reverse-path, which only <c>members</c> and whole lists leave out.</param>
    /// <param name="isMember">The sender has signed in as somebody of the domain.</param>
    public static bool Matches(string pattern, MailAddress? sender, bool isMember)
    {
        if (pattern == Members) return isMember;
        if (sender is null) return false;
        if (pattern.StartsWith("@*.", StringComparison.Ordinal)) return sender.DomainKey.EndsWith(pattern[2..], StringComparison.Ordinal);
        if (pattern.StartsWith('@')) return sender.DomainKey == pattern[1..];
        return sender.Key == pattern;
    }
}
