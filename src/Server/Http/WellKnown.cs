using CbaMail.Tls.Acme;

namespace CbaMail.Http;

/// <summary>What other machines look for at fixed places (RFC 8615), on the ports HTTP and HTTPS: the answers to an authority's challenges.</summary>
static class WellKnown
{
    /// <returns>Whether the request was for one of these places; it has its answer then.</returns>
    public static async Task<bool> AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        if (!path.StartsWith(AcmeChallenges.Path, StringComparison.Ordinal)) return false;
        // RFC 8555 8.3
        if (context.Room<AcmeChallenges>().Answer(path[AcmeChallenges.Path.Length..]) is { } answer) await context.TextAsync(answer, "application/octet-stream");
        else await context.RefuseAsync(404, "No challenge of that name is under way");
        return true;
    }

    internal static Task TextAsync(this HttpContext context, string text, string type)
    {
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method)) return context.RefuseAsync(405, "Only GET is possible here");
        context.Response.ContentType = type;
        context.Response.ContentLength = System.Text.Encoding.UTF8.GetByteCount(text);
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.WriteAsync(text, context.RequestAborted);
    }
}
