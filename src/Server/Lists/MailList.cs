using System.Text.Json;
using System.Text.Json.Serialization;
using CbaMail.Envelope;

namespace CbaMail.Lists;

/// <summary>A mailing list: an address whose posts go to its members.</summary>
/// <param name="Address">Lower case.</param>
public sealed record MailList(long Id, long DomainId, MailAddress Address, ListProfile Profile, DateTimeOffset Created)
{
    /// <summary>RFC 2919 2: the identifier in the List-Id field.</summary>
    public string Identifier => $"{Address.LocalPart}.{Address.Domain}";

    public string Title => Profile.Name ?? Address.LocalPart;

    /// <summary>Where its archive is on the web.</summary>
    /// <param name="root">What links begin with.</param>
    public string ArchiveUrl(string root) => $"{root}/archive/{Uri.EscapeDataString(Address.ToString())}/";

    public bool IsRussian => Profile.Language == "ru";

    public bool IsAnnouncement => Profile.Kind == "announcement";

    /// <summary>An address of the list for one purpose, as in <c>list-subscribe@</c>.</summary>
    public MailAddress For(ListCommand command, string? token = null) => Address with { LocalPart = ListAddress.Write(Address.LocalPart, command, token) };
}

/// <summary>What a list is. What is null is not set.</summary>
public sealed record ListProfile
{
    /// <summary>For people.</summary>
    public string? Name { get; init; }
    /// <summary><c>discussion</c> or <c>announcement</c>. Null: <c>discussion</c>.</summary>
    public string? Kind { get; init; }
    /// <summary>Of what the list writes itself: <c>ru</c> or <c>en</c>. Null: <c>en</c>.</summary>
    public string? Language { get; init; }
    /// <summary>Who may post: <c>anybody</c>, <c>domain</c>, <c>members</c>, <c>moderators</c>, addresses, <c>@domain</c>. Null: <c>members</c>, or <c>moderators</c> of an announcement list. Moderators and owners always may.</summary>
    public IReadOnlyList<string>? Posters { get; init; }
    /// <summary>What waits for a moderator: <c>none</c>, <c>strangers</c> (what is not allowed, instead of being refused), <c>all</c>. Null: <c>strangers</c>, or <c>none</c> of an announcement list.</summary>
    public string? Moderation { get; init; }
    /// <summary>How one joins: <c>open</c> (by confirmation), <c>approval</c> (an owner's, besides), <c>closed</c>. Null: <c>open</c>.</summary>
    public string? Subscription { get; init; }
    /// <summary>Addresses. Null: the administrator of the domain.</summary>
    public IReadOnlyList<string>? Owners { get; init; }
    /// <summary>Addresses of those who decide on held posts. Null: the owners.</summary>
    public IReadOnlyList<string>? Moderators { get; init; }
    /// <summary>Before each subject, as in <c>[Algebra]</c>.</summary>
    public string? Prefix { get; init; }
    /// <summary>Below each text.</summary>
    public string? Footer { get; init; }
    /// <summary>Where answers go: <c>sender</c> or <c>list</c>. Null: <c>sender</c>.</summary>
    public string? ReplyTo { get; init; }
    /// <summary>Bytes of the largest post. Null: 10 MiB.</summary>
    public long? MaxSize { get; init; }
    /// <summary>Addresses in To and Cc of a post at most. Null: 20.</summary>
    public int? MaxRecipients { get; init; }
    /// <summary>Prefix, footer and Reply-To are put in where that breaks a signature which its author's domain insists on (DMARC): the list writes as itself then. Null: no.</summary>
    public bool? ChangeSigned { get; init; }
    /// <summary>Who may read what was posted, in a public folder and on pages: <c>none</c> (nothing is kept), <c>private</c> (owners and moderators), <c>members</c>, <c>public</c>. Null: <c>none</c>.</summary>
    public string? Archive { get; init; }
    /// <summary>A digest goes out when its oldest post is so many hours old. Null: 24.</summary>
    public int? DigestHours { get; init; }
    /// <summary>Or when so many posts wait. Null: 30.</summary>
    public int? DigestPosts { get; init; }
    /// <summary>Or when they have so many bytes. Null: 256 KiB.</summary>
    public long? DigestSize { get; init; }
    /// <summary>Who is paused: one who has bounced so often, once a day at most; what only may come right counts half. 0: nobody. Null: 5.</summary>
    public int? BounceScore { get; init; }
    /// <summary>So many days without a bounce, and what was counted is forgotten. Null: 7.</summary>
    public int? BounceDays { get; init; }
    /// <summary>So many letters that come back from one who is paused, and he is off the list. Null: 3.</summary>
    public int? BounceProbes { get; init; }
    /// <summary>After so many days nobody has decided on, a held post is dropped and its author told. Null: 7.</summary>
    public int? HoldDays { get; init; }

    [JsonIgnore]
    public bool HasArchive => Archive is "private" or "members" or "public";

    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    internal string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>What an older release did not know is null; what a newer one wrote is passed over.</summary>
    internal static ListProfile FromJson(string text) => JsonSerializer.Deserialize<ListProfile>(text, Json) ?? new();
}

/// <summary>Somebody on a list.</summary>
/// <param name="Address">In its form for comparison: an account, a group, or elsewhere.</param>
/// <param name="Mode"><c>normal</c>, <c>digest</c> (MIME), <c>digest-plain</c> or <c>nomail</c>.</param>
public sealed record ListMember(long Id, long ListId, string Address, string Name, string Mode, DateTimeOffset Joined)
{
    /// <summary>Of bounces: 2 a hard one, 1 a soft one.</summary>
    public int Score { get; init; }
    /// <summary>When the last came that counted.</summary>
    public DateTimeOffset? Bounced { get; init; }
    /// <summary>What it was.</summary>
    public string Bounce { get; init; } = "";
    /// <summary>Since when he gets nothing, for his mail came back.</summary>
    public DateTimeOffset? Paused { get; init; }
    /// <summary>Letters that have asked since whether he can be reached.</summary>
    public int Probes { get; init; }
    /// <summary>What became of the last: sent, arrived, returned; or nothing.</summary>
    public string Probe { get; init; } = "";
    public DateTimeOffset? Probed { get; init; }

    /// <summary>The modes that there are.</summary>
    public static readonly IReadOnlyList<string> Modes = ["normal", "digest", "digest-plain", "nomail"];

    public static bool IsMode(string word) => Modes.Contains(word);

    public bool HasDigest => Mode is "digest" or "digest-plain";
}

/// <summary>A post that is held or was sent.</summary>
/// <param name="State">held, sending, sent, rejected, expired.</param>
public sealed record ListPost(long Id, long ListId, string MessageId, string Author, string Subject, string State, long? ContentId, long Size, PostFlags Flags, DateTimeOffset Taken, int Copies);

/// <summary>Somebody who has confirmed his address and waits for an owner.</summary>
public sealed record ListApplicant(long ListId, string Kind, string Address, string Name, DateTimeOffset Made, DateTimeOffset Expires);

/// <summary>How a post leaves.</summary>
[Flags]
public enum PostFlags
{
    None = 0,
    /// <summary>Its From is of a domain here: it is signed, and not sealed.</summary>
    Own = 1,
    EightBit = 2,
    SmtpUtf8 = 4,
    RequireTls = 8,
    /// <summary>Its author is who he says: he can be written to.</summary>
    Proven = 16,
    /// <summary>Its author wants it in no archive.</summary>
    NoArchive = 32,
}
