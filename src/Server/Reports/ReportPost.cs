using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailboxes;
using CbaMail.Queue;
using CbaMail.Storage;

namespace CbaMail.Reports;

/// <summary>A report as a message, ready to go.</summary>
sealed record OutgoingReport(ReportKind Kind, string Domain, string ReportId, MailAddress To, string MessageId, ReadOnlyMemory<byte> Message);

/// <summary>
/// Brings reports on their way as mail, in the commit that takes away what was counted: none is sent twice and none forgotten. Their sender is
/// an address of ours, so that they are signed and pass DMARC; what comes back is read by <see cref="ReportReader"/>, and an address from which
/// several came back gets none for a while.
/// </summary>
public sealed class ReportPost(Store store, MailStore mail, MailQueue queue, UserDirectory directory, Settings settings, TimeProvider time)
{
    // RFC 7489 7.2.1.1 and RFC 8460 5.3: a day; what has not arrived then is old
    static readonly TimeSpan Expire = TimeSpan.FromHours(24);
    internal static readonly TimeSpan Silence = TimeSpan.FromDays(30);

    /// <summary>Places a message for an address of a domain here; wired by Composition, for Delivery is above this room.</summary>
    public Func<MailAddress, MailAddress, ReadOnlyMemory<byte>, CancellationToken, ValueTask<Refusal?>>? Local { get; set; }

    /// <summary>The sender of reports.</summary>
    public MailAddress From
    {
        get
        {
            if (MailAddress.TryParse(settings.Reports.From, out var given)) return given;
            var host = settings.Hostname;
            var domains = directory.ListDomains().Where(domain => domain.AliasOf is null).ToList();
            var own = domains.Where(domain => host == domain.Name || host.EndsWith("." + domain.Name, StringComparison.Ordinal)).MaxBy(domain => domain.Name.Length) ?? domains.MinBy(domain => domain.Id);
            return new MailAddress(settings.Reports.DmarcNames.FirstOrDefault() ?? "dmarc-reports", own?.Name ?? host);
        }
    }

    public string Organization => settings.Reports.Organization is { Length: > 0 } name ? name : From.Domain;

    /// <summary>Addresses that get nothing for now, in the form for comparison.</summary>
    internal HashSet<string> Silenced()
    {
        using var read = store.Read();
        var now = time.GetUtcNow();
        return [.. SentTable.Returned(read).Where(returned => returned.Failures >= settings.Reports.DeadAfter && returned.Last + Silence > now).Select(returned => returned.Address)];
    }

    /// <param name="settle">Takes away what was counted, in the same commit.</param>
    internal async Task SendAsync(IReadOnlyList<OutgoingReport> reports, Action<WriteTransaction> settle, CancellationToken cancel)
    {
        var from = From;
        var here = reports.Where(report => Local is not null && directory.IsLocal(report.To)).ToList();
        var away = reports.Except(here).ToList();
        var staged = new List<(OutgoingReport Report, StagedMessage Staged)>();
        try
        {
            foreach (var report in away) staged.Add((report, mail.Stage(report.Message)));
            var now = time.GetUtcNow();
            await store.CommitAsync(write =>
            {
                foreach (var (report, body) in staged)
                {
                    var recipient = new QueueRecipient(report.To, Notify: "FAILURE");
                    queue.Enqueue(write, new NewQueueEntry(from, mail.AddContent(write, body), [recipient], Return: "HDRS", Class: MailClass.Transactional) { Expire = Expire });
                }
                foreach (var report in reports) SentTable.Add(write, now, report.Kind, report.Domain, report.ReportId, report.To.ToString(), report.MessageId, report.Message.Length);
                settle(write);
                return true;
            }, cancel);
        }
        finally
        {
            foreach (var (_, body) in staged) body.Dispose();
        }
        // after the commit: one that is lost by a crash just here is the report of a domain of ours to itself
        foreach (var report in here) await Local!(from, report.To, report.Message, cancel);
    }
}
