using System.Text.Json;
using System.Text.Json.Serialization;
using CbaMail.Envelope;

namespace CbaMail.Directory;

/// <summary>
/// An address whose mail goes to members. Accounts of its own domain are members by the word in <see cref="Account.Groups"/>, which rights to
/// mailboxes go by too; all others stand in <paramref name="Others"/>. Of a group that comes from a directory elsewhere all members stand there: the
/// directory says who they are, and no word that somebody has here.
/// </summary>
/// <param name="Address">Lower case.</param>
/// <param name="Others">Accounts of other domains, groups and addresses elsewhere, sorted.</param>
public sealed record MailGroup(long Id, long DomainId, MailAddress Address, IReadOnlyList<string> Others, DateTimeOffset Created)
{
    public GroupProfile Profile { get; init; } = GroupProfile.None;

    /// <summary>The word of <see cref="Account.Groups"/>.</summary>
    public string Word => Address.LocalPart;

    /// <summary>Where bounces of what went through the group come back to; its owners read it.</summary>
    public MailAddress OwnerAddress => Address with { LocalPart = Address.LocalPart + OwnerEnd };

    internal const string OwnerEnd = "-owner";

    /// <summary>Whether the account has the group's word.</summary>
    internal bool HasWord(Account account)
    {
        if (Profile.Origin is not null || account.DomainId != DomainId || account.Groups.Length == 0) return false;
        foreach (var range in account.Groups.AsSpan().Split(' '))
            if (account.Groups.AsSpan()[range].Equals(Word, StringComparison.OrdinalIgnoreCase)) return true;
        return false;
    }
}

/// <summary>What a group is beyond its members. What is null is not set.</summary>
public sealed record GroupProfile
{
    public static readonly GroupProfile None = new();

    /// <summary>For people.</summary>
    public string? Name { get; init; }

    public string? Description { get; init; }

    /// <summary>Who may write to it: <c>everyone</c>, <c>domain</c> (who has signed in as somebody of its domain), <c>members</c>, <c>owners</c>, addresses, <c>@domain</c>, <c>@*.domain</c>. Null: <c>domain</c>.</summary>
    public IReadOnlyList<string>? Senders { get; init; }

    /// <summary>Addresses of those who get bounces and what is written to its <c>-owner</c> address. Null: the administrator of the domain.</summary>
    public IReadOnlyList<string>? Owners { get; init; }

    /// <summary>Who may write in its name: <c>members</c>, <c>owners</c>, addresses. Null: <c>owners</c>.</summary>
    public IReadOnlyList<string>? SendAs { get; init; }

    /// <summary>Strangers are told that there is nobody of this name.</summary>
    public bool? Hidden { get; init; }

    /// <summary>The directory elsewhere that the group comes from.</summary>
    public GroupOrigin? Origin { get; init; }

    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Whether an address stands in one of its lists.</summary>
    internal bool Names(string address) => Senders?.Contains(address) == true || Owners?.Contains(address) == true || SendAs?.Contains(address) == true;

    /// <summary>What it is once an address is another one.</summary>
    internal GroupProfile Following(string from, string to) => !Names(from) ? this
        : this with { Senders = MailPolicy.Following(Senders, from, to), Owners = MailPolicy.Following(Owners, from, to), SendAs = MailPolicy.Following(SendAs, from, to) };

    internal string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>What an older release did not know is null; what a newer one wrote is passed over.</summary>
    internal static GroupProfile FromJson(string text) => text is "{}" or "" ? None : JsonSerializer.Deserialize<GroupProfile>(text, Json) ?? None;
}

/// <summary>The directory elsewhere that says what a group is called, its address and who is in it.</summary>
/// <param name="Source">What the directory is called in the settings.</param>
/// <param name="Id">What never changes of the entry there.</param>
/// <param name="SaysName">Its name for people is said there.</param>
public sealed record GroupOrigin(string Source, string Id, bool SaysName)
{
    /// <summary>Since when it is there no more: nobody may write to it.</summary>
    public DateTimeOffset? Gone { get; init; }
}

/// <summary>One thing that a directory elsewhere wants done with a group here.</summary>
/// <param name="Id">The group's number; of a new one 0.</param>
/// <param name="Members">All of them; null leaves them.</param>
public sealed record GroupDeed(long Id, MailAddress Address, string? Name, GroupOrigin Origin, IReadOnlyList<string>? Members)
{
    public bool Remove { get; init; }
}

/// <summary>Whether somebody may write to a group; of a stranger whose address may, it must be proven that he is who he says.</summary>
public enum GroupEntry { No, IfProven, Yes }
