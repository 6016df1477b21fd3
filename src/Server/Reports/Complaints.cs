using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.MailAuth.Reports;
using CbaMail.Storage;

namespace CbaMail.Reports;

/// <summary>A copy of a mailing, as the ledger has it.</summary>
public sealed record ComplainedCopy(long LedgerId, long Mailing, string Address, string Sender);

/// <summary>
/// Complaints of providers (RFC 5965): each is tied to the message that it is about, by our return address, its Message-ID or Feedback-ID, and
/// whoever complained about a mailing gets no more of them. Only a provider that is proven has such an effect, and only about mail that is tied:
/// else anybody could have others taken off.
/// </summary>
public sealed class Complaints(Store store, TimeProvider time, ILogger<Complaints> log)
{
    // a provider that hides the recipient's name writes one of these in its place
    static readonly string[] Hidden = ["redacted", "hidden", "xxx", "***"];

    // ---- rooms that do not know this one; wired by Composition

    /// <summary>What a return address of ours stands for.</summary>
    public Func<MailAddress, long?>? ReadReturnAddress { get; set; }
    /// <summary>The copy with this ledger row, or with this Message-ID.</summary>
    public Func<ReadTransaction, long?, string?, ComplainedCopy?>? FindCopy { get; set; }
    /// <summary>Marks the copy's row.</summary>
    public Action<WriteTransaction, ComplainedCopy, string>? MarkCopy { get; set; }
    /// <summary>Puts the address on the suppression list: address, what is told, source.</summary>
    public Action<WriteTransaction, MailAddress, string, string>? Suppress { get; set; }

    /// <summary>Runs in the transaction that keeps a complaint.</summary>
    public event Action<WriteTransaction, ReceivedComplaint>? Received;

    internal Action<WriteTransaction> Prepare(Complaint complaint, ReportLetter letter)
    {
        var (copy, tied) = Tie(complaint);
        var recipient = copy?.Address ?? complaint.OriginalRecipients.FirstOrDefault(IsWhole) ?? complaint.OriginalRecipients.FirstOrDefault() ?? "";
        // RFC 5965 7.3: what says "not-spam" is no complaint; what failed authentication is a report on forgeries
        var counts = complaint.FeedbackType is not ("not-spam" or "auth-failure" or "dmarc");
        var effect = "counted only: " + (letter.Proven is null ? "nothing proves who sent it" : !counts ? $"its type is {complaint.FeedbackType}" : "it is tied to no copy of a mailing");
        var acts = letter.Proven is not null && counts && copy is not null;
        if (acts) effect = Suppress is null ? "the ledger is marked" : $"{copy!.Address} gets no more mailings";
        var from = letter.Proven?.Author ?? "";
        var row = new ReceivedComplaint(0, letter.Arrived, ReportReader.Cut(from), letter.Proven is not null, ReportReader.Cut(complaint.FeedbackType, 40), ReportReader.Cut(recipient),
            ReportReader.Cut(copy?.Sender ?? complaint.FromDomain ?? complaint.ReportedDomains.FirstOrDefault() ?? ""), ReportReader.Cut(complaint.MessageId ?? ""), ReportReader.Cut(complaint.FeedbackId ?? ""),
            copy?.Mailing, copy?.LedgerId, tied, effect, Math.Min(complaint.Incidents, 1_000_000));
        return write =>
        {
            ComplaintTable.Add(write, row);
            Received?.Invoke(write, row);
            if (acts)
            {
                var told = $"complained to {from} ({row.Type}) on {time.GetUtcNow():yyyy-MM-dd}";
                MarkCopy?.Invoke(write, copy!, told);
                if (MailAddress.TryParse(copy!.Address, out var address)) Suppress?.Invoke(write, address, told, $"mailing {copy.Mailing}");
            }
            write.OnCommitted(() => log.Complained(row.Type, from.Length > 0 ? from : "-", row.Sender, row.Recipient, effect));
        };
    }

    (ComplainedCopy? Copy, string By) Tie(Complaint complaint)
    {
        using var read = store.Read();
        foreach (var text in (string?[])[complaint.OriginalMailFrom, complaint.ReturnPath])
            if (text is not null && MailAddress.TryParse(text, out var address) && ReadReturnAddress?.Invoke(address) is { } ledger && FindCopy?.Invoke(read, ledger, null) is { } byPath)
                return (byPath, "return address");
        if (complaint.MessageId is { } id && FindCopy?.Invoke(read, null, id) is { } byId) return (byId, "Message-ID");
        // ours ends in what the Message-ID begins with, where a provider keeps only this field
        if (complaint.FeedbackId is { } feedback && FindCopy?.Invoke(read, null, feedback) is { } byFeedback) return (byFeedback, "Feedback-ID");
        return (null, "");
    }

    static bool IsWhole(string address) => MailAddress.TryParse(address, out var parsed) && !Hidden.Any(word => parsed.LocalPart.Contains(word, StringComparison.OrdinalIgnoreCase));

    // ---- for people

    public IReadOnlyList<ReceivedComplaint> List(string? domain, DateTimeOffset since, int limit)
    {
        using var read = store.Read();
        return ComplaintTable.List(read, domain is not null && Names.TryDomain(domain, out var name) ? name : domain, since, limit);
    }

    /// <summary>Complaints by the sender whose mail they are about.</summary>
    public IReadOnlyList<ComplaintSum> Sums(DateTimeOffset since)
    {
        using var read = store.Read();
        return ComplaintTable.Sums(read, since);
    }
}
