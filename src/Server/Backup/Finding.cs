using System.Text.Json.Serialization;
using CbaMail.Storage;

namespace CbaMail.Backup;

/// <summary>One thing that a verification has to tell; a line of its output.</summary>
/// <param name="Kind">body, object, row, size, references, counters, uid, modseq, expunged, mailbox, queue, pack, index, database, settings, schema, note, repaired.</param>
/// <param name="Problem">For people, without saying where.</param>
public sealed record Finding(string Kind, string Problem)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Account { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Mailbox { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public long? Uid { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Subject { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public DateTimeOffset? Date { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public long? Content { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public int? Pack { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public long? Position { get; init; }
    /// <summary>How many more are like it, where not all are named.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public long? More { get; init; }

    /// <summary>The line for people.</summary>
    public string Text
    {
        get
        {
            var where = new List<string>();
            if (Account is not null) where.Add(Account);
            if (Mailbox is not null) where.Add(Mailbox);
            if (Uid is { } uid) where.Add(string.Create(Invariant, $"UID {uid}"));
            if (Subject is not null) where.Add($"\"{Subject}\"");
            if (Date is { } date) where.Add(date.UtcDateTime.ToString("yyyy-MM-dd HH:mm", Invariant));
            return where.Count == 0 ? Problem : string.Join(", ", where) + ": " + Problem;
        }
    }

    /// <summary>Whether something is wrong; a note and a repair are told, not counted.</summary>
    [JsonIgnore] public bool IsProblem => Kind is not ("note" or "repaired");

    static readonly System.Globalization.CultureInfo Invariant = System.Globalization.CultureInfo.InvariantCulture;
}

/// <summary>A deed that mends one finding: small, inside the committer, right whatever has changed since.</summary>
/// <param name="Done">What has been done, for people.</param>
sealed record Fix(Finding Finding, string Done, Action<WriteTransaction> Mend);

/// <summary>The last line of a verification.</summary>
/// <param name="Problems">Found, and after a repair those that are left.</param>
public sealed record VerifySummary(
    string Kind, long Problems, long Repaired, long Accounts, long Mailboxes, long Messages, long Bodies, long Parts, long Bytes, long GarbageRecords, long GarbageBytes, double Seconds)
{
    public string Text => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"""
        {Accounts} accounts, {Mailboxes} mailboxes, {Messages} messages; {Bodies} bodies and {Parts} shared parts read ({Config.Sizes.Show(Bytes)}), {GarbageRecords} records of removed mail ({Config.Sizes.Show(GarbageBytes)}), {Seconds:0.0} s.
        {(Problems > 0 ? $"{Problems} problems{(Repaired > 0 ? $" left, {Repaired} repaired" : "")}." : Repaired > 0 ? $"All is whole now; {Repaired} repaired." : "All is whole.")}
        """);
}

/// <summary>What a verification is asked to do.</summary>
/// <param name="Repair">Mend what is found.</param>
/// <param name="From">A backup's directory that records are taken from, or null.</param>
/// <param name="Gentle">Rest between the pieces: the server is at work.</param>
public sealed record VerifyOptions(bool Repair = false, string? From = null, bool Gentle = true)
{
    /// <summary>Records whose rows stood in a log that is missing.</summary>
    internal IReadOnlySet<Storage.Blobs.PackLocation> Lost { get; init; } = new HashSet<Storage.Blobs.PackLocation>();
}
