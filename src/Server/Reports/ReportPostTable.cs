using CbaMail.Storage;

namespace CbaMail.Reports;

/// <summary>A report that waits to be posted.</summary>
/// <param name="Reply">Of the last attempt; empty before the first.</param>
public sealed record WaitingPost(long Id, string Url, string Domain, string ReportId, DateTimeOffset Created, DateTimeOffset Next, int Attempts, string Reply);

/// <summary>The rows of reports that wait to be posted: all their SQL.</summary>
static class ReportPostTable
{
    public static void Add(WriteTransaction write, string url, string domain, string reportId, byte[] body, DateTimeOffset now) =>
        write.Prepare("INSERT INTO report_post (url, domain, report_id, body, created, next, attempts, reply) VALUES (?,?,?,?,?,?,0,'')")
            .Bind(1, url).Bind(2, domain).Bind(3, reportId).Bind(4, body.AsSpan()).Bind(5, now).Bind(6, now).Run();

    const string Columns = "id, url, domain, report_id, created, next, attempts, reply";

    static WaitingPost Row(Storage.Sqlite.Statement row) => new(row.Int64(0), row.String(1), row.String(2), row.String(3), row.Time(4), row.Time(5), row.Int32(6), row.String(7));

    public static List<WaitingPost> All(ReadTransaction read)
    {
        using var row = read.Prepare($"SELECT {Columns} FROM report_post ORDER BY id LIMIT 1000");
        var all = new List<WaitingPost>();
        while (row.Step()) all.Add(Row(row));
        return all;
    }

    /// <summary>One that is due, or null.</summary>
    public static (WaitingPost Post, byte[] Body)? Due(ReadTransaction read, DateTimeOffset now)
    {
        using var row = read.Prepare($"SELECT {Columns}, body FROM report_post WHERE next<=? ORDER BY next LIMIT 1").Bind(1, now);
        return row.Step() ? (Row(row), row.Blob(8).ToArray()) : null;
    }

    public static void Defer(WriteTransaction write, long id, DateTimeOffset next, string reply) =>
        write.Prepare("UPDATE report_post SET next=?, attempts=attempts+1, reply=? WHERE id=?").Bind(1, next).Bind(2, reply).Bind(3, id).Run();

    public static void Remove(WriteTransaction write, long id) => write.Prepare("DELETE FROM report_post WHERE id=?").Bind(1, id).Run();
}
