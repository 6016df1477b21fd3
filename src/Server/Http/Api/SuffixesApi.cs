using CbaMail.Authorization;
using CbaMail.Envelope;
using CbaMail.Net.Dns;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/public-suffixes: the public suffix list, which says where organizations begin (RFC 7489 3.2).</summary>
static class SuffixesApi
{
    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/public-suffixes", Permissions.Maintenance, About.Server, "Which public suffix list is in use", context => context.JsonAsync(context.Room<SuffixFile>().Report())) { Gives = typeof(SuffixReport) },
        new("POST", "/public-suffixes/reload", Permissions.Maintenance, About.Server, "Read the public suffix list again", ReloadAsync) { Gives = typeof(SuffixReport) },
        new("POST", "/public-suffixes", Permissions.Maintenance, About.Server, "Install a newer public suffix list", InstallAsync) { TakesType = "text/plain", Streams = true, Gives = typeof(SuffixReport), GivesType = "application/json" },
        new("DELETE", "/public-suffixes", Permissions.Maintenance, About.Server, "Use the list that came with the release", RemoveAsync) { Gives = typeof(SuffixReport) },
    ];

    static async Task ReloadAsync(HttpContext context)
    {
        var report = context.Room<SuffixFile>().Reload(always: true);
        if (report.Problem is { } problem) await context.RefuseAsync(409, $"{report.File}: {problem}");
        else await context.JsonAsync(report);
    }

    static async Task InstallAsync(HttpContext context)
    {
        if (await context.BytesAsync(SuffixFile.MaxBytes) is not { } file) return;
        if (context.Room<SuffixFile>().Install(file) is { } problem) await context.RefuseAsync(Refusal.Invalid.Because($"The list is not taken: {problem}"));
        else await context.JsonAsync(context.Room<SuffixFile>().Report());
    }

    static async Task RemoveAsync(HttpContext context)
    {
        if (!context.Room<SuffixFile>().Remove()) await context.RefuseAsync(Refusal.NoSuchThing.Because("The list that came with this release is in use already"));
        else await context.JsonAsync(context.Room<SuffixFile>().Report());
    }
}
