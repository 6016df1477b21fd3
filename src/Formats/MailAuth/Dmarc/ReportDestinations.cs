using CbaMail.Dns;
using CbaMail.MailAuth.Spf;

namespace CbaMail.MailAuth.Dmarc;

/// <summary>Which addresses of a record may be sent reports (RFC 7489 7.1): those of the owner's own organization, and others that agreed.</summary>
public static class ReportDestinations
{
    /// <summary>Destinations that are asked for and used of one record; two at least must be served (RFC 7489 6.2).</summary>
    public const int Most = 5;

    /// <summary>Addresses for a report.</summary>
    /// <param name="Allowed">mailto alone, in the order of the record, each once.</param>
    /// <param name="AskAgain">DNS did not answer for a destination: try later before the report is given up.</param>
    public sealed record Answer(IReadOnlyList<DmarcUri> Allowed, bool AskAgain);

    /// <summary>Whom to send aggregate reports.</summary>
    /// <param name="recordDomain">Where the record was found (<see cref="DmarcDiscovery.RecordDomain"/>).</param>
    public static ValueTask<Answer> AggregateAsync(DmarcRecord record, string recordDomain, IResolver resolver, PublicSuffixList suffixes, CancellationToken cancel) =>
        FindAsync(record.AggregateUris, recordDomain, failure: false, resolver, suffixes, cancel);

    /// <summary>Whom to send reports of single failures.</summary>
    public static ValueTask<Answer> FailureAsync(DmarcRecord record, string recordDomain, IResolver resolver, PublicSuffixList suffixes, CancellationToken cancel) =>
        FindAsync(record.FailureUris, recordDomain, failure: true, resolver, suffixes, cancel);

    static async ValueTask<Answer> FindAsync(
        IReadOnlyList<DmarcUri> uris, string recordDomain, bool failure, IResolver resolver, PublicSuffixList suffixes, CancellationToken cancel)
    {
        var allowed = new List<DmarcUri>();
        var askAgain = false;
        foreach (var uri in uris.Where(u => u.Address is not null).Take(Most))
        {
            if (suffixes.AreOfOneOrganization(uri.Host, recordDomain)) { Add(uri); continue; }
            // RFC 7489 7.1 steps 2 to 4
            if (SpfName.Checked($"{recordDomain}._report._dmarc.{uri.Host}") is not { } name) continue;
            var answer = await resolver.TxtAsync(SpfName.Query(name), cancel);
            askAgain |= answer.Status == DnsStatus.Failed;
            var consents = answer.Records.Select(DmarcRecord.ParseConsent).Where(c => c is not null).Select(c => c!.Value).ToList();
            if (consents.Count == 0) continue; // steps 5 and 6
            if (consents.Select(c => failure ? c.Failure : c.Aggregate).FirstOrDefault(list => list is not null) is not { } instead) { Add(uri); continue; }
            // step 8: another address, at the same host; a different host forbids both
            if (instead.Any(u => u.Host != uri.Host)) continue;
            foreach (var other in instead.Where(u => u.Address is not null)) Add(other);
        }
        return new(allowed, askAgain);

        void Add(DmarcUri uri)
        {
            if (allowed.Count < Most && !allowed.Exists(u => u.Address == uri.Address)) allowed.Add(uri);
        }
    }
}
