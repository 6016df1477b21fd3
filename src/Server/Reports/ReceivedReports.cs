using System.Net;
using CbaMail.Dns;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Reports;

/// <summary>One report of somebody with its records, or what all reports tell of a domain.</summary>
/// <param name="Report">Null where it is the sum of several.</param>
/// <param name="Reports">How many it is the sum of.</param>
public sealed record ReportView(ReceivedReport? Report, string Domain, int Reports, IReadOnlyList<ReportedSource> Sources, IReadOnlyList<ReportedSessions> Sessions);

/// <summary>What others report of our domains, for people: who sends in our name, what of it fails, and how TLS towards us goes.</summary>
public sealed class ReceivedReports(Store store, UserDirectory directory, IResolver resolver, TimeProvider time)
{
    const int MaxRows = 1000;
    const int MaxNames = 30;
    static readonly TimeSpan NameLimit = TimeSpan.FromSeconds(3);

    /// <summary>The newest first.</summary>
    public IReadOnlyList<ReceivedReport> List(ReportKind? kind, string? domain, DateTimeOffset since, int limit)
    {
        using var read = store.Read();
        return ReceivedTable.List(read, kind, Key(domain), since, limit);
    }

    /// <summary>Mail for report addresses that is none, the newest first.</summary>
    public IReadOnlyList<ReportLetter> Unread(int limit)
    {
        using var read = store.Read();
        return ReportMailTable.Unread(read, limit);
    }

    public async Task<Result<ReportView>> ShowAsync(long id, CancellationToken cancel)
    {
        ReportView view;
        using (var read = store.Read())
        {
            if (ReceivedTable.Find(read, id) is not { } report) return Refusal.NoSuchThing.Because($"There is no report {id}; list them with: cbamail report list");
            view = new ReportView(report, report.Domain, 1, ReceivedTable.Sources(read, id, null, DateTimeOffset.UnixEpoch, false, MaxRows), ReceivedTable.Sessions(read, id, null, DateTimeOffset.UnixEpoch, false, MaxRows));
        }
        return view with { Sources = await NamedAsync(view.Sources, cancel) };
    }

    /// <summary>What reports say of a domain, and of those below it.</summary>
    /// <param name="all">Those that nobody is proven to have sent count as well.</param>
    public async Task<Result<ReportView>> ShowAsync(string domain, DateTimeOffset since, bool all, CancellationToken cancel)
    {
        var key = Key(domain)!;
        ReportView view;
        using (var read = store.Read())
        {
            var reports = ReceivedTable.List(read, null, key, since, int.MaxValue).Count(report => all || report.Trusted);
            if (reports == 0 && directory.FindDomain(key) is null) return Refusal.NoSuchThing.Because($"There is no report on {domain}; list them with: cbamail report list");
            view = new ReportView(null, key, reports, ReceivedTable.Sources(read, null, key, since, !all, MaxRows), ReceivedTable.Sessions(read, null, key, since, !all, MaxRows));
        }
        return view with { Sources = await NamedAsync(view.Sources, cancel) };
    }

    static string? Key(string? domain) => domain is not null && Names.TryDomain(domain, out var name) ? name : domain;

    /// <summary>Those that fail are told by name: a name says more than an address.</summary>
    async Task<IReadOnlyList<ReportedSource>> NamedAsync(IReadOnlyList<ReportedSource> sources, CancellationToken cancel)
    {
        using var limit = new CancellationTokenSource(NameLimit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        var failing = sources.Where(source => source.Passed < source.Messages && source.Address.Length > 0).Select(source => source.Address).Distinct().Take(MaxNames);
        var names = new Dictionary<string, string?>();
        foreach (var (address, asking) in failing.Select(address => (address, NameAsync(address, both.Token))).ToList()) names[address] = await asking;
        return [.. sources.Select(source => names.GetValueOrDefault(source.Address) is { } name ? source with { Name = name } : source)];
    }

    async Task<string?> NameAsync(string text, CancellationToken cancel)
    {
        if (!IPAddress.TryParse(text, out var address)) return null;
        try
        {
            return (await resolver.PtrAsync(address, cancel)).Records.FirstOrDefault();
        }
        catch (OperationCanceledException)
        {
            return null; // what DNS did not say in time is not shown
        }
    }
}
