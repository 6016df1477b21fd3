using CbaMail.Storage;

namespace CbaMail.Reports;

/// <summary>A complaint of a provider.</summary>
/// <param name="Author">Domain that sent it, as far as proven; else empty.</param>
/// <param name="Recipient">Who complained, as far as known.</param>
/// <param name="Sender">Whose mail it is about: an address, or a domain.</param>
/// <param name="Tied">By what the message was found: return address, Message-ID, Feedback-ID; or empty.</param>
public sealed record ReceivedComplaint(
    long Id, DateTimeOffset Arrived, string Author, bool Trusted, string Type, string Recipient, string Sender, string MessageId, string FeedbackId, long? Mailing, long? LedgerId,
    string Tied, string Effect, int Incidents);

/// <summary>Complaints about one sender.</summary>
/// <param name="Tied">Those of which the message is known.</param>
public sealed record ComplaintSum(string Sender, long Complaints, long Tied, DateTimeOffset Last);

/// <summary>The rows of complaints: all their SQL.</summary>
static class ComplaintTable
{
    public static void Add(WriteTransaction write, ReceivedComplaint complaint) =>
        write.Prepare("INSERT INTO complaint (arrived, author, trusted, type, recipient, sender, message_id, feedback_id, mailing_id, ledger_id, tied, effect, incidents) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)")
            .Bind(1, complaint.Arrived).Bind(2, complaint.Author).Bind(3, complaint.Trusted).Bind(4, complaint.Type).Bind(5, complaint.Recipient).Bind(6, complaint.Sender)
            .Bind(7, complaint.MessageId).Bind(8, complaint.FeedbackId).Bind(9, complaint.Mailing).Bind(10, complaint.LedgerId).Bind(11, complaint.Tied).Bind(12, complaint.Effect).Bind(13, (long)complaint.Incidents).Run();

    public static List<ReceivedComplaint> List(ReadTransaction read, string? domain, DateTimeOffset since, int limit)
    {
        using var row = read.Prepare("SELECT id, arrived, author, trusted, type, recipient, sender, message_id, feedback_id, mailing_id, ledger_id, tied, effect, incidents FROM complaint "
            + "WHERE arrived>=?1 AND (?2 IS NULL OR sender=?2 OR sender LIKE '%@'||?2) ORDER BY id DESC LIMIT ?3").Bind(1, since).Bind(2, domain).Bind(3, (long)limit);
        var all = new List<ReceivedComplaint>();
        while (row.Step())
            all.Add(new ReceivedComplaint(row.Int64(0), row.Time(1), row.String(2), row.Bool(3), row.String(4), row.String(5), row.String(6), row.String(7), row.String(8),
                row.IsNull(9) ? null : row.Int64(9), row.IsNull(10) ? null : row.Int64(10), row.String(11), row.String(12), row.Int32(13)));
        return all;
    }

    public static List<ComplaintSum> Sums(ReadTransaction read, DateTimeOffset since)
    {
        using var row = read.Prepare("SELECT sender, sum(incidents), sum((tied<>'')*incidents), max(arrived) FROM complaint WHERE arrived>=? GROUP BY sender ORDER BY sum(incidents) DESC LIMIT 1000").Bind(1, since);
        var all = new List<ComplaintSum>();
        while (row.Step()) all.Add(new ComplaintSum(row.String(0), row.Int64(1), row.Int64(2), row.Time(3)));
        return all;
    }

    public static void RemoveBefore(WriteTransaction write, DateTimeOffset before) =>
        write.Prepare("DELETE FROM complaint WHERE arrived<?1 OR id <= (SELECT id FROM complaint ORDER BY id DESC LIMIT 1 OFFSET 100000)").Bind(1, before).Run();
}
