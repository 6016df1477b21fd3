using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.MailAuth.Dmarc;
using CbaMail.MailAuth.Reports;
using CbaMail.Mailboxes;
using CbaMail.Mime;
using CbaMail.Storage;

namespace CbaMail.Reports;

/// <summary>
/// Reads what came to report addresses, one message after another and after its 250: reports of DMARC and on TLS, complaints, and our own reports
/// that came back. What a message is, its content says; the address says what is missed where it is none of them. Whatever is told by somebody whom
/// nothing proves is kept, marked, and has no effect.
/// </summary>
public sealed class ReportReader(
    Store store, MailStore mail, UserDirectory directory, Complaints complaints, Settings settings, TimeProvider time, ILogger<ReportReader> log)
{
    readonly HashSet<string> complaintNames = [.. settings.Reports.ComplaintNames.Select(Names.LocalKey)];

    /// <summary>Larger mail is no report: the largest senders' stay below 10 MB.</summary>
    const long MaxMail = 50 << 20;

    /// <summary>Reads all that waits.</summary>
    public async Task ReadAsync(CancellationToken cancel)
    {
        while (Next() is { } letter) await ReadAsync(letter, cancel);
    }

    ReportLetter? Next()
    {
        using var read = store.Read();
        return ReportMailTable.Next(read);
    }

    async Task ReadAsync(ReportLetter letter, CancellationToken cancel)
    {
        Action<WriteTransaction>? effect;
        string problem;
        try
        {
            effect = Read(letter, out problem);
        }
        catch (Exception e) when (e is not OperationCanceledException && StoreTrouble.Of(e) is null)
        {
            // a stranger's message must not stop the others
            log.RoundFailed(e);
            (effect, problem) = (null, "reading it failed: " + e.GetType().Name);
        }
        await store.CommitAsync(write =>
        {
            if (effect is null && problem.Length > 0)
            {
                ReportMailTable.SetProblem(write, letter.Id, problem);
                Drop(write, DateTimeOffset.MinValue); // now and not tomorrow: whoever floods the address does so today
                return true;
            }
            effect?.Invoke(write);
            ReportMailTable.Remove(write, letter.Id);
            mail.DropReference(write, letter.ContentId);
            return true;
        }, cancel);
        if (effect is null && problem.Length > 0) log.NotRead(letter.Recipient, letter.Sender, problem);
    }

    /// <summary>What the message does; null with a sentence where it cannot be read, or with none where it is simply mail.</summary>
    Action<WriteTransaction>? Read(ReportLetter letter, out string problem)
    {
        var message = Content(letter.ContentId);
        if (message is null)
        {
            problem = "it is too large to be a report";
            return null;
        }
        problem = "";
        if (Complaint.Read(message) is { } complaint) return complaints.Prepare(complaint, letter);
        if (BounceReader.Read(message, letter.Sender.Length == 0) is { Form: BounceForm.Report or BounceForm.Words } bounce) return write => CameBack(write, bounce);
        if (MailAddress.TryParse(letter.Recipient, out var recipient) && complaintNames.Contains(Local(recipient)))
        {
            problem = IsSomebodys(letter) ? "" : "it is no complaint in the form of RFC 5965";
            return null;
        }
        if (ReportMail.FindAggregate(message, out problem) is { } aggregate) return Aggregate(aggregate, letter, out problem);
        if (ReportMail.FindTls(message, out var other) is { } tls) return Tls(tls, letter, out problem);
        if (IsAboutTls(letter)) problem = other;
        if (problem.StartsWith(ReportMail.Nothing, StringComparison.Ordinal) && IsSomebodys(letter)) problem = "";
        return null;
    }

    /// <summary>Somebody reads the address as well: people write to abuse@ and postmaster@ too.</summary>
    bool IsSomebodys(ReportLetter letter) => MailAddress.TryParse(letter.Recipient, out var recipient)
        && directory.Resolve(recipient) is { Ok: true, Value: var targets } && targets.Any(target => target.Account is not null || target.Remote is not null);

    bool IsAboutTls(ReportLetter letter) => MailAddress.TryParse(letter.Recipient, out var recipient) && settings.Reports.TlsNames.Any(name => Names.LocalKey(name) == Local(recipient));

    static string Local(MailAddress address)
    {
        var local = Names.LocalKey(address.LocalPart);
        return local.IndexOf('+') is > 0 and var plus ? local[..plus] : local;
    }

    byte[]? Content(long id)
    {
        using var reader = mail.Read();
        var content = reader.Content(id);
        return content is null || content.Size > MaxMail ? null : content.Read(0, (int)content.Size);
    }

    /// <summary>Whether somebody's report can concern us: about a domain here, one below it, or the organization of one.</summary>
    bool IsOurs(string domain) => Names.TryDomain(domain, out var name) && directory.ListDomains().Any(own => own.Name == name || PublicSuffixList.InUse.AreOfOneOrganization(own.Name, name));

    Action<WriteTransaction>? Aggregate(AggregateReport report, ReportLetter letter, out string problem)
    {
        problem = IsOurs(report.Published.Domain) ? "" : $"it is about {Cut(report.Published.Domain)}, which is no domain of this server";
        if (problem.Length > 0) return null;
        var received = new ReceivedReport(0, ReportKind.Dmarc, letter.Arrived, Domain(report.Published.Domain), Cut(report.Organization), Cut(report.Email), Cut(report.Id), report.Begin, report.End,
            Policy(report.Published), letter.Proven?.Author ?? "", letter.Proven is not null,
            report.Rows.Sum(row => row.DkimAligned || row.SpfAligned ? row.Count : 0), report.Rows.Sum(row => row.DkimAligned || row.SpfAligned ? 0 : row.Count));
        return write =>
        {
            if (ReceivedTable.Add(write, received) is { } id) ReceivedTable.AddSources(write, id, report.Rows);
            Log(write, received);
        };
    }

    Action<WriteTransaction>? Tls(TlsReport report, ReportLetter letter, out string problem)
    {
        var domain = report.Policies.Select(policy => policy.Domain).FirstOrDefault(IsOurs);
        problem = domain is not null ? "" : report.Policies.Count == 0 ? "it has no policies" : $"it is about {Cut(report.Policies[0].Domain)}, which is no domain of this server";
        if (domain is null) return null;
        var received = new ReceivedReport(0, ReportKind.Tls, letter.Arrived, Domain(domain), Cut(report.Organization), Cut(report.Contact), Cut(report.Id), report.Start, report.End, "",
            letter.Proven?.Author ?? "", letter.Proven is { Signed: true }, // RFC 8460 3: such mail is signed, or ignored
            report.Policies.Sum(policy => policy.Successes), report.Policies.Sum(policy => policy.Failures));
        return write =>
        {
            if (ReceivedTable.Add(write, received) is { } id) ReceivedTable.AddSessions(write, id, report.Policies);
            Log(write, received);
        };
    }

    void Log(WriteTransaction write, ReceivedReport report) => write.OnCommitted(() =>
        log.Received(report.Kind == ReportKind.Dmarc ? "DMARC" : "TLS", report.Organization, report.Domain, report.Passed, report.Failed, report.Author.Length > 0 ? report.Author : "-", report.Trusted));

    void CameBack(WriteTransaction write, BounceReport bounce)
    {
        // only what returns a report of ours counts: nobody else knows its Message-ID
        if (bounce.OriginalMessageId is not { } id || SentTable.DestinationOf(write, id) is not { } destination) return;
        if (bounce.Recipients.FirstOrDefault(told => told.Action == "failed") is not { } failed || !MailAddress.TryParse(destination, out var address)) return;
        SentTable.AddFailure(write, address.Key, time.GetUtcNow(), Cut(failed.Reply, 300));
        write.OnCommitted(() => log.CameBack(destination, failed.Reply));
    }

    static string Policy(PublishedPolicy policy) =>
        $"p={policy.Policy.Word()} sp={policy.SubdomainPolicy.Word()} pct={policy.Percent} adkim={(policy.StrictDkim ? "s" : "r")} aspf={(policy.StrictSpf ? "s" : "r")}";

    static string Domain(string text) => Names.TryDomain(text, out var name) ? name : text;

    internal static string Cut(string text, int most = 255)
    {
        var clean = string.Create(Math.Min(text.Length, most), text, (span, from) =>
        {
            for (var i = 0; i < span.Length; i++) span[i] = char.IsControl(from[i]) ? '?' : from[i];
        });
        return clean.Length > 0 && char.IsHighSurrogate(clean[^1]) ? clean[..^1] : clean;
    }

    int Drop(WriteTransaction write, DateTimeOffset before)
    {
        var contents = ReportMailTable.Prune(write, before, settings.Reports.MostUnread);
        foreach (var content in contents) mail.DropReference(write, content);
        return contents.Count;
    }

    /// <summary>Removes what is old, and what is too much.</summary>
    public async Task PruneAsync(CancellationToken cancel)
    {
        var before = time.GetUtcNow() - settings.Reports.Keep;
        while (await store.CommitAsync(write => Drop(write, before), cancel) > 0) { }
        while (await store.CommitAsync(write => ReceivedTable.Prune(write, before, settings.Reports.MostReports), cancel) > 0) { }
        await store.CommitAsync(write =>
        {
            SentTable.RemoveBefore(write, before);
            SentTable.Forgive(write, time.GetUtcNow() - ReportPost.Silence);
            ComplaintTable.RemoveBefore(write, before);
            return true;
        }, cancel);
    }
}
