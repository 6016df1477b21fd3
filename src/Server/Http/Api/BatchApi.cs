using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CbaMail.Authorization;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Http.Api;

/// <summary>POST /api/v1/batch: many requests in one, each for itself: a refusal of one hinders no other.</summary>
static class BatchApi
{
    const int Most = 1000;

    /// <param name="Path">Below /api/v1, with its query.</param>
    /// <param name="IfMatch">As the header.</param>
    sealed record Item(string Method, string Path, JsonNode? Body = null, string? IfMatch = null);

    /// <param name="Requests">1,000 at most; made in this order.</param>
    sealed record Batch(IReadOnlyList<Item> Requests);

    /// <param name="Body">The answer, or the problem.</param>
    sealed record Outcome(int Status, string? ETag, JsonNode? Body);

    sealed record Outcomes(IReadOnlyList<Outcome> Results, int Refused);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("POST", "/batch", Permissions.OwnAccount, About.Asked, "Many requests in one, each for itself", Requests.With<Batch>(RunAsync)) { Takes = typeof(Batch), Gives = typeof(Outcomes) },
    ];

    static async Task RunAsync(HttpContext context, Batch batch)
    {
        if (batch.Requests is not { Count: > 0 and <= Most } || batch.Requests.Contains(null!)) { await context.RefuseAsync(Refusal.Invalid.Because($"A batch has 1 to {Most} requests").At("requests")); return; }
        var outcomes = new List<Outcome>(batch.Requests.Count);
        foreach (var item in batch.Requests)
        {
            context.RequestAborted.ThrowIfCancellationRequested();
            outcomes.Add(await OneAsync(context, item));
        }
        await context.JsonAsync(new Outcomes(outcomes, outcomes.Count(one => one.Status >= 400)));
    }

    static bool TryPath(string path, out PathString decoded)
    {
        try { decoded = PathString.FromUriComponent(path); return true; }
        catch (InvalidOperationException) { decoded = default; return false; } // %00 stands in it
    }

    static async Task<Outcome> OneAsync(HttpContext outer, Item item)
    {
        using var answer = new MemoryStream();
        var inner = new DefaultHttpContext { RequestServices = outer.RequestServices, RequestAborted = outer.RequestAborted, TraceIdentifier = outer.TraceIdentifier };
        inner.Features.Set(outer.Caller());
        inner.Features.Set(outer.Features.Get<ApiDoor.Deed>());
        if (ControlDoor.Is(outer)) inner.Features.Set(ControlDoor.Mark);
        inner.Connection.RemoteIpAddress = outer.Connection.RemoteIpAddress;
        var (path, query) = (item.Path ?? "").Split('?', 2) is [var before, var behind] ? (before, "?" + behind) : (item.Path ?? "", "");
        if (!path.StartsWith('/')) path = "/" + path;
        if (path.StartsWith(ApiRoutes.Root + "/", StringComparison.Ordinal)) path = path[ApiRoutes.Root.Length..];
        var readable = TryPath(ApiRoutes.Root + path, out var decoded);
        (inner.Request.Method, inner.Request.Scheme, inner.Request.Path, inner.Request.QueryString) = (item.Method?.ToUpperInvariant() ?? "", outer.Request.Scheme, decoded, new QueryString(query));
        inner.Request.Headers.AcceptLanguage = outer.Request.Headers.AcceptLanguage;
        if (item.IfMatch is { Length: > 0 } tag) inner.Request.Headers.IfMatch = tag;
        var body = item.Body is null ? [] : Encoding.UTF8.GetBytes(item.Body.ToJsonString());
        (inner.Request.Body, inner.Request.ContentLength) = (new MemoryStream(body), body.Length);
        inner.Response.Body = answer;
        ApiRoute? route = null;
        foreach (var one in ApiRoutes.All)
            if (readable && one.Method == inner.Request.Method && one.Match(path) is { } parts && (route is null || !one.Path.Contains('{')))
                (route, inner.Request.RouteValues) = (one, parts);
        if (route is null) await inner.RefuseAsync(404, $"There is no {inner.Request.Method} {path} here");
        else
        {
            try
            {
                await outer.Room<ApiDoor>().RunWithinAsync(route, inner);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // those before it are done, and are to be told
                answer.SetLength(0);
                inner.Response.Body = answer;
                if (StoreTrouble.Of(e) is { } trouble) await inner.RefuseAsync(trouble);
                else
                {
                    HttpTelemetry.Failed(outer.Room<ILogger<ApiDoor>>(), inner.Request.Method, path, e);
                    await inner.RefuseAsync(500, "Something unexpected happened in the server; its log has the cause");
                }
            }
        }
        return new(inner.Response.StatusCode, inner.Response.Headers.ETag is [{ } mark] ? mark : null, Parsed(answer.ToArray()));
    }

    static JsonNode? Parsed(byte[] text)
    {
        try { return text.Length == 0 ? null : JsonNode.Parse(text); }
        catch (JsonException) { return JsonValue.Create(Encoding.UTF8.GetString(text)); }
    }
}
