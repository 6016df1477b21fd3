using System.Collections.Concurrent;
using System.Net;
using System.Text.RegularExpressions;
using CbaMail.Config;
using CbaMail.Courses;
using CbaMail.Directory;
using CbaMail.Dns;
using CbaMail.Envelope;
using CbaMail.Html;

namespace CbaMail.Mailings;

/// <summary>
/// What only others can tell of a mailing: whether its links answer, whether readers' domains take mail, and whether From is one that receivers can
/// prove. It asks the net, so it is a deed of its own and no part of sending.
/// </summary>
public sealed partial class OutsideCheck(PressRoom press, IResolver resolver, UserDirectory directory, SigningKeys keys, Settings settings, TimeProvider time) : IDisposable
{
    const int MostLinks = 50, MostDomains = 500, AtATime = 8, Samples = 3;
    static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    readonly LinkFetch links = new(resolver, settings, time);
    readonly SemaphoreSlim turns = new(2);

    [GeneratedRegex("""https?://[^\s<>"']{1,2000}""", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Address { get; }

    /// <summary>The check of a mailing with what the net says added to its findings.</summary>
    public async Task<Result<CheckReport>> RunAsync(long id, CancellationToken cancel)
    {
        var composer = press.ComposerOf(id, withFiles: false);
        if (!composer.Ok) return composer.Refusal;
        var report = press.Check(id);
        if (!report.Ok) return report.Refusal;
        var people = press.PeopleOf(composer.Value);
        if (!people.Ok) return report;
        if (!turns.Wait(0, cancel)) return Refusal.TooMany.Because("Two mailings are being checked already; try again in a minute");
        try
        {
            using var limit = new CancellationTokenSource(Limit, time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
            var parts = await Task.WhenAll(LinksAsync(composer.Value.Mailing, both.Token), DomainsAsync(people.Value, both.Token), SenderAsync(composer.Value.Mailing, both.Token));
            return report.Value with { Findings = [.. report.Value.Findings, .. parts.SelectMany(part => part)] };
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return report.Value with { Findings = [.. report.Value.Findings, new("net.slow", "note", "links and domains took more than a minute to answer, and were not checked", "ссылки и домены отвечали дольше минуты и не проверены")] };
        }
        finally
        {
            turns.Release();
        }
    }

    sealed record Place(Uri Url, string Part, int? Line, int? Column);

    /// <summary>The same for everybody: following a person's own link could be his answer.</summary>
    static List<Place> Links(Mailing mailing)
    {
        var found = new List<Place>();
        var seen = new HashSet<string>();
        void Add(string? text, string part, int? start)
        {
            if (text is null || text.Contains("{{", StringComparison.Ordinal) || found.Count == MostLinks) return;
            if (!Uri.TryCreate(WebUtility.HtmlDecode(text.Trim()), UriKind.Absolute, out var url) || url.Scheme is not ("https" or "http") || !seen.Add(url.GetLeftPart(UriPartial.Query))) return;
            var place = start is { } at ? HtmlTree.Place(mailing.Html!, at) : ((int, int)?)null;
            found.Add(new(url, part, place?.Item1, place?.Item2));
        }
        if (mailing.Html is { } html)
            foreach (var element in HtmlTree.Read(html))
                Add(element.Name is "a" or "area" ? element["href"] : element.Name == "img" ? element["src"] : null, "html", element.Start);
        if (mailing.Text is { } plain)
            foreach (Match match in Address.Matches(plain)) Add(match.Value.TrimEnd('.', ',', ';', ':', ')', '!', '?'), "text", null);
        return found;
    }

    async Task<IReadOnlyList<CheckFinding>> LinksAsync(Mailing mailing, CancellationToken cancel)
    {
        var places = Links(mailing);
        var troubles = new LinkTrouble?[places.Count];
        await Parallel.ForAsync(0, places.Count, new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = cancel }, async (i, stop) => troubles[i] = await links.AskAsync(places[i].Url, stop));
        var findings = new List<CheckFinding>();
        foreach (var (place, trouble) in places.Zip(troubles))
        {
            if (trouble is null) continue;
            var shown = place.Url.AbsoluteUri is { Length: > 100 } url ? url[..100] + "…" : place.Url.AbsoluteUri;
            findings.Add(new("link.dead", "problem", $"the link {shown} does not open: {trouble.English}", $"ссылка {shown} не открывается: {trouble.Russian}", place.Part, place.Line, place.Column));
        }
        return findings;
    }

    async Task<IReadOnlyList<CheckFinding>> DomainsAsync(IReadOnlyList<Participant> people, CancellationToken cancel)
    {
        var domains = new Dictionary<string, List<Participant>>();
        foreach (var person in people)
        {
            if (!MailAddress.TryParse(person.Address, out var address) || address.Domain.StartsWith('[') || directory.FindDomain(address.Domain) is not null) continue;
            if (!domains.TryGetValue(address.DomainKey, out var readers))
            {
                if (domains.Count == MostDomains) continue;
                domains[address.DomainKey] = readers = [];
            }
            readers.Add(person);
        }
        var deaf = new ConcurrentDictionary<string, bool>();
        await Parallel.ForEachAsync(domains.Keys, new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = cancel }, async (domain, stop) =>
        {
            if (!await TakesMailAsync(domain, stop)) deaf[domain] = true;
        });
        return [.. deaf.Keys.Order(StringComparer.Ordinal).Select(domain =>
        {
            var readers = domains[domain];
            var sample = string.Join(", ", readers.Take(Samples).Select(person => person.Address)) + (readers.Count > Samples ? ", …" : "");
            return new CheckFinding("address.domain", "problem", $"{domain} takes no mail, by DNS: {readers.Count} of the people ({sample})", $"По DNS домен {domain} не принимает почту, людей с такими адресами: {readers.Count} ({sample})", Row: readers[0].Line, Address: readers[0].Address);
        })];
    }

    // RFC 5321 5.1: without MX, the name's own addresses; RFC 7505 3: "." takes none. What DNS does not say now may be so.
    async Task<bool> TakesMailAsync(string domain, CancellationToken cancel)
    {
        var mx = await resolver.MxAsync(domain, cancel);
        if (mx.Status == DnsStatus.Found) return mx.Records.Any(record => record.Exchange.TrimEnd('.').Length > 0);
        if (mx.Status != DnsStatus.NoData) return mx.Status == DnsStatus.Failed;
        var v4 = await resolver.AddressesAsync(domain, v6: false, cancel);
        if (v4.Status is DnsStatus.Found or DnsStatus.Failed) return true;
        return (await resolver.AddressesAsync(domain, v6: true, cancel)).Status is DnsStatus.Found or DnsStatus.Failed;
    }

    /// <summary>Copies are signed by From's own domain, and so aligned (RFC 7489 3.1), as soon as its key and its records are published.</summary>
    async Task<IReadOnlyList<CheckFinding>> SenderAsync(Mailing mailing, CancellationToken cancel)
    {
        var findings = new List<CheckFinding>();
        if (!MailAddress.TryParse(mailing.FromAddress, out var from) || directory.FindDomain(from.Domain) is not { } domain) return findings;
        var spf = await resolver.TxtAsync(from.DomainKey, cancel);
        if (spf.Status != DnsStatus.Failed && !spf.Records.Any(text => text.StartsWith("v=spf1", StringComparison.OrdinalIgnoreCase)))
            findings.Add(new("sender.spf", "problem", $"{domain.Name} has no SPF record; see: cbamail check dns {domain.Name}", $"У {domain.Name} нет записи SPF; подробнее: cbamail check dns {domain.Name}"));
        if (!keys.List(domain).Any(key => key.Published == true))
            findings.Add(new("sender.dkim", "problem", $"no DKIM key of {domain.Name} is published: copies are not signed in its name", $"Ключ DKIM домена {domain.Name} не опубликован: письма не подписаны от его имени"));
        if (await HasPolicyAsync(from.DomainKey, cancel) == false)
            findings.Add(new("sender.dmarc", "problem", $"{domain.Name} has no DMARC record: large providers refuse mailings of such senders", $"У {domain.Name} нет записи DMARC: крупные почтовые службы не принимают рассылок таких отправителей"));
        return findings;
    }

    /// <returns>Null where DNS does not say.</returns>
    async Task<bool?> HasPolicyAsync(string domain, CancellationToken cancel)
    {
        for (var name = domain; name.Contains('.', StringComparison.Ordinal); name = name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..])
        {
            var answer = await resolver.TxtAsync("_dmarc." + name, cancel);
            if (answer.Status == DnsStatus.Failed) return null;
            if (answer.Records.Any(text => text.StartsWith("v=DMARC1", StringComparison.OrdinalIgnoreCase))) return true;
        }
        return false;
    }

    public void Dispose()
    {
        links.Dispose();
        turns.Dispose();
    }
}
