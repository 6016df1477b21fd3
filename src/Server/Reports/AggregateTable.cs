using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using CbaMail.Storage;

namespace CbaMail.Reports;

/// <summary>A policy under which mail was seen on a day.</summary>
/// <param name="Messages">That were counted.</param>
/// <param name="Rows">Different results among them.</param>
public sealed record AggregateSubject(long Id, long Day, string Domain, string Record, long Messages, int Rows);

/// <summary>The rows of counted mail: all their SQL.</summary>
static class AggregateTable
{
    public static long Subject(WriteTransaction write, long day, string domain, string record)
    {
        if (write.Prepare("SELECT id FROM dmarc_subject WHERE day=? AND domain=? AND record=?").Bind(1, day).Bind(2, domain).Bind(3, record).Scalar() is { } known) return known;
        write.Prepare("INSERT INTO dmarc_subject (day, domain, record) VALUES (?,?,?)").Bind(1, day).Bind(2, domain).Bind(3, record).Run();
        return write.LastInsertId;
    }

    static long Hash(string traits)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes(traits), hash);
        return BinaryPrimitives.ReadInt64LittleEndian(hash);
    }

    /// <returns>False where there is no such row yet.</returns>
    public static bool Add(WriteTransaction write, long subject, string traits, long count) =>
        write.Prepare("UPDATE dmarc_count SET count=count+? WHERE subject_id=? AND hash=?").Bind(1, count).Bind(2, subject).Bind(3, Hash(traits)).Run() == 1;

    public static void Insert(WriteTransaction write, long subject, string traits, long count) =>
        write.Prepare("INSERT INTO dmarc_count (subject_id, hash, traits, count) VALUES (?,?,?,?)").Bind(1, subject).Bind(2, Hash(traits)).Bind(3, traits).Bind(4, count).Run();

    public static long CountAll(WriteTransaction write) => write.Prepare("SELECT count(*) FROM dmarc_count").Scalar() ?? 0;

    public static int CountOf(WriteTransaction write, long subject) => (int)(write.Prepare("SELECT count(*) FROM dmarc_count WHERE subject_id=?").Bind(1, subject).Scalar() ?? 0);

    public static List<AggregateSubject> Subjects(ReadTransaction read, long before, string? domain)
    {
        using var row = read.Prepare("SELECT s.id, s.day, s.domain, s.record, coalesce(sum(c.count), 0), count(c.count) FROM dmarc_subject s LEFT JOIN dmarc_count c ON c.subject_id=s.id "
            + "WHERE s.day<?1 AND (?2 IS NULL OR s.domain=?2) GROUP BY s.id ORDER BY s.day, s.domain, s.id").Bind(1, before).Bind(2, domain);
        var all = new List<AggregateSubject>();
        while (row.Step()) all.Add(new AggregateSubject(row.Int64(0), row.Int64(1), row.String(2), row.String(3), row.Int64(4), row.Int32(5)));
        return all;
    }

    public static List<(string Traits, long Count)> Counts(ReadTransaction read, long subject)
    {
        using var row = read.Prepare("SELECT traits, count FROM dmarc_count WHERE subject_id=? ORDER BY count DESC, hash").Bind(1, subject);
        var all = new List<(string, long)>();
        while (row.Step()) all.Add((row.String(0), row.Int64(1)));
        return all;
    }

    public static void Remove(WriteTransaction write, long subject)
    {
        write.Prepare("DELETE FROM dmarc_count WHERE subject_id=?").Bind(1, subject).Run();
        write.Prepare("DELETE FROM dmarc_subject WHERE id=?").Bind(1, subject).Run();
    }
}
