using CbaMail.Mailings;
using CbaMail.Mailings.Tracking;
using CbaMail.Queue;

namespace CbaMail.Http;

/// <summary>
/// /o/TOKEN.gif, the picture by which a letter tells that it was opened, and /c/TOKEN?u=PAGE, a link of one that leads on to the page with which it
/// was sealed, and nowhere else. Asking is noted (<see cref="Sightings"/>) and changes nothing besides.
/// </summary>
static class SightingPages
{
    // one transparent point (GIF89a)
    static readonly byte[] point = Convert.FromBase64String("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7");

    /// <returns>Whether the path is one of these.</returns>
    public static async Task<bool> AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        var isPicture = path.StartsWith(TrackedLinks.PicturePath, StringComparison.Ordinal);
        if (!isPicture && !path.StartsWith(TrackedLinks.LinkPath, StringComparison.Ordinal)) return false;
        context.Response.Headers.CacheControl = "no-store"; // each opening is one of its own, and where a link led stays no secret of a cache
        context.Response.Headers["Referrer-Policy"] = "no-referrer";
        context.Response.Headers["X-Content-Type-Options"] = "nosniff";
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            context.Response.Headers.Allow = "GET, HEAD";
            await context.RefuseAsync(405, "Only GET is possible here");
        }
        else if (isPicture) await PictureAsync(context, path[TrackedLinks.PicturePath.Length..]);
        else await LinkAsync(context, path[TrackedLinks.LinkPath.Length..]);
        return true;
    }

    // the picture is the same for every name: it says nothing about whether one is good
    static async Task PictureAsync(HttpContext context, string name)
    {
        if (context.Room<MailingLinks>().Tracked.ReadPicture(name) is { } ledger) See(context, ledger, SightingKind.Opened, "");
        context.Response.ContentType = "image/gif";
        context.Response.ContentLength = point.Length;
        if (!HttpMethods.IsHead(context.Request.Method)) await context.Response.Body.WriteAsync(point, context.RequestAborted);
    }

    static async Task LinkAsync(HttpContext context, string token)
    {
        var target = context.Asked("u") ?? "";
        if (context.Room<MailingLinks>().Tracked.ReadLink(token, target) is not { } ticket)
        {
            var russian = Page.LanguageOf(context) == "ru";
            await Forms.MessageAsync(context, russian ? "ru" : "en", russian ? "Ссылка не наша" : "Not a link of ours",
                russian ? "Эта ссылка изменена или неполна. Откройте её из письма ещё раз." : "This link was changed or is not whole. Open it from the letter again.", 404);
            return;
        }
        See(context, ticket.Id, ticket.Kind == BounceKind.Unseen ? SightingKind.Unseen : SightingKind.Clicked, ticket.Kind == BounceKind.Unseen ? "" : target);
        context.Response.StatusCode = StatusCodes.Status302Found;
        context.Response.Headers.Location = new Uri(target).AbsoluteUri; // in ASCII, with nothing that ends a line
    }

    static void See(HttpContext context, long ledger, SightingKind kind, string link)
    {
        var agent = context.Request.Headers.UserAgent.ToString();
        agent = string.Concat((agent.Length > Sighting.LongestAgent ? agent[..Sighting.LongestAgent] : agent).Where(c => !char.IsControl(c))).Trim();
        context.Room<Sightings>().See(new(ledger, kind, link, agent, HttpMethods.IsHead(context.Request.Method), context.Room<TimeProvider>().GetUtcNow()));
    }
}
