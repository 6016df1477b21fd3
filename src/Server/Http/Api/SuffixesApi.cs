using CbaMail.Envelope;
using CbaMail.Net.Dns;

namespace CbaMail.Http.Api;

/// <summary>/v1/public-suffixes: the public suffix list, which says where organizations begin (RFC 7489 3.2).</summary>
static class SuffixesApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/public-suffixes", context => context.JsonAsync(context.Room<SuffixFile>().Report()));
        routes.MapPost("/v1/public-suffixes/reload", async context =>
        {
            var report = context.Room<SuffixFile>().Reload(always: true);
            if (report.Problem is { } problem) await context.RefuseAsync(409, $"{report.File}: {problem}");
            else await context.JsonAsync(report);
        });
        routes.MapPost("/v1/public-suffixes", async context =>
        {
            using var file = new MemoryStream();
            var buffer = new byte[64 * 1024];
            while (await context.Request.Body.ReadAsync(buffer, context.RequestAborted) is > 0 and var count)
            {
                if (file.Length + count > SuffixFile.MaxBytes) { await context.RefuseAsync(413, "This is too large for a public suffix list"); return; }
                file.Write(buffer, 0, count);
            }
            if (context.Room<SuffixFile>().Install(file.GetBuffer().AsSpan(0, (int)file.Length)) is { } problem) await context.RefuseAsync(Refusal.Invalid.Because(problem));
            else await context.JsonAsync(context.Room<SuffixFile>().Report());
        });
        routes.MapDelete("/v1/public-suffixes", async context =>
        {
            if (!context.Room<SuffixFile>().Remove()) await context.RefuseAsync(Refusal.NoSuchThing.Because("The list that came with this release is in use already"));
            else await context.JsonAsync(context.Room<SuffixFile>().Report());
        });
    }
}
