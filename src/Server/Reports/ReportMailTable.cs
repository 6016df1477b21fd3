using System.Globalization;
using CbaMail.Mailboxes;
using CbaMail.Storage;

namespace CbaMail.Reports;

/// <summary>Mail to a report address that has not been read, or cannot be.</summary>
/// <param name="Sender">Empty for &lt;&gt;.</param>
/// <param name="Problem">Why it could not be read; null: it waits.</param>
public sealed record ReportLetter(long Id, long ContentId, DateTimeOffset Arrived, string Recipient, string Sender, string? Problem)
{
    internal ProvenSender? Proven { get; init; }
}

/// <summary>The rows of mail to report addresses: all their SQL.</summary>
static class ReportMailTable
{
    public static readonly BodyHolder Holder = new("reports", Contents, Holding, _ => []);

    public static void Add(WriteTransaction write, ContentRef content, DateTimeOffset arrived, string recipient, string sender, ProvenSender? proven) =>
        write.Prepare("INSERT INTO report_mail (content_id, arrived, recipient, sender, author, signed, size) VALUES (?,?,?,?,?,?,?)")
            .Bind(1, content.Id).Bind(2, arrived).Bind(3, recipient).Bind(4, sender).Bind(5, proven?.Author ?? "").Bind(6, proven?.Signed == true).Bind(7, content.Size).Run();

    const string Columns = "id, content_id, arrived, recipient, sender, problem, author, signed";

    static ReportLetter Row(Storage.Sqlite.Statement row) => new(row.Int64(0), row.Int64(1), row.Time(2), row.String(3), row.String(4), row.Text(5))
    {
        Proven = row.String(6) is { Length: > 0 } author ? new ProvenSender(author, row.Bool(7)) : null,
    };

    /// <summary>The oldest that waits, or null.</summary>
    public static ReportLetter? Next(ReadTransaction read)
    {
        using var row = read.Prepare($"SELECT {Columns} FROM report_mail WHERE problem IS NULL ORDER BY id LIMIT 1");
        return row.Step() ? Row(row) : null;
    }

    /// <summary>What could not be read, the newest first.</summary>
    public static List<ReportLetter> Unread(ReadTransaction read, int limit)
    {
        using var row = read.Prepare($"SELECT {Columns} FROM report_mail WHERE problem IS NOT NULL ORDER BY id DESC LIMIT ?").Bind(1, (long)limit);
        var all = new List<ReportLetter>();
        while (row.Step()) all.Add(Row(row));
        return all;
    }

    public static ReportLetter? Find(ReadTransaction read, long id)
    {
        using var row = read.Prepare($"SELECT {Columns} FROM report_mail WHERE id=?").Bind(1, id);
        return row.Step() ? Row(row) : null;
    }

    public static void SetProblem(WriteTransaction write, long id, string problem) =>
        write.Prepare("UPDATE report_mail SET problem=? WHERE id=?").Bind(1, problem).Bind(2, id).Run();

    public static void Remove(WriteTransaction write, long id) => write.Prepare("DELETE FROM report_mail WHERE id=?").Bind(1, id).Run();

    /// <summary>Removes what could not be read and is old, or more than is kept: the oldest first.</summary>
    /// <param name="most">Octets of all of it; each letter counts 64 KiB more, so that their number is bounded too.</param>
    /// <returns>The contents that were held.</returns>
    public static List<long> Prune(WriteTransaction write, DateTimeOffset before, long most)
    {
        var gone = new List<(long Id, long Content)>();
        using (var row = write.Prepare("""
            SELECT id, content_id FROM (SELECT id, content_id, arrived, SUM(size + 65536) OVER (ORDER BY id DESC) AS held FROM report_mail WHERE problem IS NOT NULL)
            WHERE arrived < ?1 OR held > ?2 LIMIT 500
            """).Bind(1, before).Bind(2, most))
            while (row.Step()) gone.Add((row.Int64(0), row.Int64(1)));
        foreach (var (id, _) in gone) Remove(write, id);
        return [.. gone.Select(one => one.Content)];
    }

    static List<long> Contents(ReadTransaction read)
    {
        using var row = read.Prepare("SELECT content_id FROM report_mail");
        var all = new List<long>();
        while (row.Step()) all.Add(row.Int64(0));
        return all;
    }

    static List<string> Holding(ReadTransaction read, long content)
    {
        using var row = read.Prepare("SELECT id, recipient, sender FROM report_mail WHERE content_id=? LIMIT 10").Bind(1, content);
        var all = new List<string>();
        while (row.Step()) all.Add(string.Create(CultureInfo.InvariantCulture, $"mail {row.Int64(0)} for {row.String(1)} from <{row.String(2)}>"));
        return all;
    }
}
