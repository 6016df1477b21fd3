using System.Globalization;
using CbaMail.Envelope;
using CbaMail.Reports;

namespace CbaMail.Http.Api;

/// <summary>/v1/reports: reports of others, complaints, and what we send.</summary>
static class ReportsApi
{
    const int MostRows = 10_000;

    sealed record Sending(string? Domain, bool? DryRun);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/reports", ListAsync);
        routes.MapGet("/v1/reports/{id:long}", async context =>
            await context.ResultAsync(await context.Room<ReceivedReports>().ShowAsync(long.Parse(context.Part("id"), CultureInfo.InvariantCulture), context.RequestAborted), view => view));
        routes.MapGet("/v1/reports/of/{domain}", async context =>
            await context.ResultAsync(await context.Room<ReceivedReports>().ShowAsync(context.Part("domain"), Since(context, 30), context.Request.Query["all"] == "true", context.RequestAborted), view => view));
        routes.MapGet("/v1/reports/unread", context => context.JsonAsync(context.Room<ReceivedReports>().Unread(Limit(context))));
        routes.MapGet("/v1/reports/sent", context => context.JsonAsync(context.Room<ReportRun>().Sent(Domain(context), Limit(context))));
        routes.MapGet("/v1/reports/pending", async context => await context.JsonAsync(await context.Room<ReportRun>().PendingAsync(context.RequestAborted)));
        routes.MapPost("/v1/reports/send", SendAsync);
        routes.MapGet("/v1/complaints", context => context.JsonAsync(context.Room<Complaints>().List(Domain(context), Since(context, 90), Limit(context))));
        routes.MapGet("/v1/complaints/sums", context => context.JsonAsync(context.Room<Complaints>().Sums(Since(context, 90))));
    }

    static async Task ListAsync(HttpContext context)
    {
        ReportKind? kind = context.Request.Query["kind"].ToString() switch { "dmarc" => ReportKind.Dmarc, "tls" => ReportKind.Tls, _ => null };
        await context.JsonAsync(context.Room<ReceivedReports>().List(kind, Domain(context), Since(context, 30), Limit(context)));
    }

    static async Task SendAsync(HttpContext context)
    {
        if (await context.ReadAsync<Sending>() is not { } wanted) return;
        var (done, again) = await context.Room<ReportRun>().SendAsync(wanted.Domain?.TrimEnd('.').ToLowerInvariant(), today: true, wanted.DryRun == true, byHand: true, context.RequestAborted);
        if (wanted.Domain is { } domain && done.Count == 0) await context.RefuseAsync(Refusal.NoSuchThing.Because($"Nothing is counted for {domain}, or it asks for no reports; see: cbamail report pending"));
        else await context.JsonAsync(new { reports = done, again });
    }

    static string? Domain(HttpContext context) => context.Request.Query["domain"].ToString() is { Length: > 0 } domain ? domain : null;

    static int Limit(HttpContext context) => int.TryParse(context.Request.Query["limit"], NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? Math.Min(limit, MostRows) : 1000;

    static DateTimeOffset Since(HttpContext context, int otherwise)
    {
        var days = int.TryParse(context.Request.Query["days"], NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? Math.Min(given, 10_000) : otherwise;
        return context.Room<TimeProvider>().GetUtcNow().AddDays(-days);
    }
}
