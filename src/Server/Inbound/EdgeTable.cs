using CbaMail.Net;
using CbaMail.Storage;

namespace CbaMail.Inbound;

/// <summary>All SQL of what is remembered of strangers (Storage/Schema/0007_strangers.sql).</summary>
static class EdgeTable
{
    public static List<(string Kind, string Key, Memo Memo)> Alive(ReadTransaction read, DateTimeOffset now)
    {
        using var row = read.Prepare("SELECT kind, key, since, last, until, count, note FROM stranger WHERE until > ?").Bind(1, now);
        var all = new List<(string, string, Memo)>();
        while (row.Step()) all.Add((row.String(0), row.String(1), new Memo(row.Time(2), row.Time(3), row.Time(4), row.Int32(5), row.String(6))));
        return all;
    }

    public static void Set(WriteTransaction write, string kind, string key, in Memo memo) =>
        write.Prepare("INSERT INTO stranger (kind, key, since, last, until, count, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (kind, key) DO UPDATE SET since = ?3, last = ?4, until = ?5, count = ?6, note = ?7")
            .Bind(1, kind).Bind(2, key).Bind(3, memo.Since).Bind(4, memo.Last).Bind(5, memo.Until).Bind(6, (long)memo.Count).Bind(7, memo.Note).Run();

    public static void Remove(WriteTransaction write, string kind, string key) =>
        write.Prepare("DELETE FROM stranger WHERE kind = ? AND key = ?").Bind(1, kind).Bind(2, key).Run();

    public static int Expire(WriteTransaction write, DateTimeOffset now) =>
        write.Prepare("DELETE FROM stranger WHERE until <= ?").Bind(1, now).Run();
}
