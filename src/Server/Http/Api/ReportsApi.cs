using System.Globalization;
using CbaMail.Authorization;
using CbaMail.Envelope;
using CbaMail.Reports;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/reports: reports of others, complaints, and what we send.</summary>
static class ReportsApi
{
    const int MostRows = 10_000;

    sealed record Sending(string? Domain, bool? DryRun);

    /// <param name="Again">Some are left to be sent: ask again.</param>
    sealed record SentNow(IReadOnlyList<ReportSending> Reports, bool Again);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/reports", Permissions.ReportsRead, About.Asked, "Reports of others about a domain, or all", ListAsync) { Query = ["kind", "domain", "days", "limit"], Gives = typeof(ReceivedReport[]) },
        new("GET", "/reports/{id:long}", Permissions.ReportsRead, About.Server, "One report", async context =>
            await context.ResultAsync(await context.Room<ReceivedReports>().ShowAsync(long.Parse(context.Part("id"), CultureInfo.InvariantCulture), context.RequestAborted), view => view)) { Gives = typeof(ReportView) },
        new("GET", "/reports/of/{domain}", Permissions.ReportsRead, About.Domain, "What others report of a domain, summed up", async context =>
            await context.ResultAsync(await context.Room<ReceivedReports>().ShowAsync(context.Part("domain"), Since(context, 30), context.Request.Query["all"] == "true", context.RequestAborted), view => view)) { Query = ["days", "all"], Gives = typeof(ReportView) },
        new("GET", "/reports/unread", Permissions.ReportsRead, About.Server, "Letters to report addresses that could not be read", context => context.JsonAsync(context.Room<ReceivedReports>().Unread(Limit(context)))) { Query = ["limit"], Gives = typeof(ReportLetter[]) },
        new("GET", "/reports/sent", Permissions.ReportsRead, About.Asked, "Reports that were sent", context => OfDomainAsync(context, domain => context.Room<ReportRun>().Sent(domain, Limit(context)))) { Query = ["domain", "limit"], Gives = typeof(SentReport[]) },
        new("GET", "/reports/pending", Permissions.ReportsRead, About.Server, "What is counted for the next reports", async context => await context.JsonAsync(await context.Room<ReportRun>().PendingAsync(context.RequestAborted))) { Gives = typeof(PendingReports) },
        new("POST", "/reports/send", Permissions.ReportsWrite, About.Server, "Send them now", SendAsync) { Takes = typeof(Sending), Gives = typeof(SentNow) },
        new("GET", "/complaints", Permissions.ReportsRead, About.Asked, "Complaints about mail of a domain, or all (RFC 5965)", context => OfDomainAsync(context, domain => context.Room<Complaints>().List(domain, Since(context, 90), Limit(context)))) { Query = ["domain", "days", "limit"], Gives = typeof(ReceivedComplaint[]) },
        new("GET", "/complaints/sums", Permissions.ReportsRead, About.Server, "Complaints by sender", context => context.JsonAsync(context.Room<Complaints>().Sums(Since(context, 90)))) { Query = ["days"], Gives = typeof(ComplaintSum[]) },
    ];

    static async Task ListAsync(HttpContext context)
    {
        ReportKind? kind = context.Request.Query["kind"].ToString() switch { "dmarc" => ReportKind.Dmarc, "tls" => ReportKind.Tls, _ => null };
        await OfDomainAsync(context, domain => context.Room<ReceivedReports>().List(kind, domain, Since(context, 30), Limit(context)));
    }

    /// <summary>Who does not reach everywhere names a domain of his.</summary>
    static async Task OfDomainAsync(HttpContext context, Func<string?, object> list)
    {
        var domain = Domain(context);
        if (context.Caller().MayEverywhere(Permissions.ReportsRead)) await context.JsonAsync(list(domain));
        else if (domain is null) await context.RefuseAsync(Refusal.Invalid.Because("Name one of your domains: ?domain=").At("domain"));
        else if (await context.DomainOfQueryAsync(Permissions.ReportsRead) is (true, { } own)) await context.JsonAsync(list(own.Name));
    }

    static async Task SendAsync(HttpContext context)
    {
        if (await context.ReadAsync<Sending>() is not { } wanted) return;
        var (done, again) = await context.Room<ReportRun>().SendAsync(wanted.Domain?.TrimEnd('.').ToLowerInvariant(), today: true, wanted.DryRun == true, byHand: true, context.RequestAborted);
        if (wanted.Domain is { } domain && done.Count == 0) await context.RefuseAsync(Refusal.NoSuchThing.Because($"Nothing is counted for {domain}, or it asks for no reports; see: cbamail report pending"));
        else await context.JsonAsync(new SentNow(done, again));
    }

    static string? Domain(HttpContext context) => context.Request.Query["domain"].ToString() is { Length: > 0 } domain ? domain : null;

    static int Limit(HttpContext context) => int.TryParse(context.Request.Query["limit"], NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? Math.Min(limit, MostRows) : 1000;

    static DateTimeOffset Since(HttpContext context, int otherwise)
    {
        var days = int.TryParse(context.Request.Query["days"], NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? Math.Min(given, 10_000) : otherwise;
        return context.Room<TimeProvider>().GetUtcNow().AddDays(-days);
    }
}
