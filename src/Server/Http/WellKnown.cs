using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Directory.Publication;
using CbaMail.Tls.Acme;

namespace CbaMail.Http;

/// <summary>
/// What other machines look for at fixed places (RFC 8615), on the ports HTTP and HTTPS: the answers to an authority's challenges, the
/// policies of MTA-STS, and how mail programs set themselves up.
/// </summary>
static class WellKnown
{
    /// <returns>Whether the request was for one of these places; it has its answer then.</returns>
    public static async Task<bool> AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        if (path.StartsWith(AcmeChallenges.Path, StringComparison.Ordinal)) await ChallengeAsync(context, path[AcmeChallenges.Path.Length..]);
        else if (path == "/.well-known/mta-sts.txt") await PolicyAsync(context);
        else if (path is "/mail/config-v1.1.xml" or "/.well-known/autoconfig/mail/config-v1.1.xml") await ThunderbirdAsync(context);
        else if (path.Equals("/autodiscover/autodiscover.xml", StringComparison.OrdinalIgnoreCase)) await OutlookAsync(context);
        else if (path is "/.well-known/apple-mail.mobileconfig") await AppleAsync(context);
        else return false;
        return true;
    }

    // RFC 8555 8.3
    static Task ChallengeAsync(HttpContext context, string token) => context.Room<AcmeChallenges>().Answer(token) is { } answer
        ? context.TextAsync(answer, "application/octet-stream") : context.RefuseAsync(404, "No challenge of that name is under way");

    /// <summary>RFC 8461 3.3: for the domains of this server, over HTTPS.</summary>
    static Task PolicyAsync(HttpContext context)
    {
        var settings = context.Room<Settings>();
        return settings.Publish.MtaSts != MtaStsMode.None && context.Request.IsHttps && After(context.Request.Host.Host, "mta-sts.") is { } domain && IsOurs(context, domain)
            ? context.TextAsync(MtaStsPolicy.Text(settings), "text/plain") : context.RefuseAsync(404, "There is no policy for this name here");
    }

    static Task ThunderbirdAsync(HttpContext context)
    {
        var address = context.Request.Query["emailaddress"].ToString();
        var domain = After(context.Request.Host.Host, "autoconfig.") is { } named && IsOurs(context, named) ? named
            : address.Contains('@') ? address[(address.LastIndexOf('@') + 1)..] : context.Request.Host.Host;
        return context.Room<UserDirectory>().FindDomain(domain) is { } ours
            ? context.TextAsync(Autoconfig.Thunderbird(context.Room<Settings>(), ours.Name), "text/xml; charset=utf-8") : context.RefuseAsync(404, "This domain is not here");
    }

    static async Task OutlookAsync(HttpContext context)
    {
        var address = HttpMethods.IsPost(context.Request.Method) ? await Autoconfig.AddressAsync(context) : null;
        if (!HttpMethods.IsPost(context.Request.Method)) await context.RefuseAsync(405, "Only POST is possible here");
        else if (address is null || !Names.TryAddress(address, out var read)) await context.RefuseAsync(400, "The request names no address");
        else if (!IsOurs(context, read.Domain)) await context.RefuseAsync(404, "This domain is not here");
        else
        {
            context.Response.ContentType = "text/xml; charset=utf-8";
            await context.Response.WriteAsync(Autoconfig.Outlook(context.Room<Settings>(), read.ToString()), context.RequestAborted);
        }
    }

    static Task AppleAsync(HttpContext context) =>
        Names.TryAddress(context.Request.Query["email"].ToString(), out var address) && IsOurs(context, address.Domain)
            ? context.TextAsync(Autoconfig.Apple(context.Room<Settings>(), address.ToString()), "application/x-apple-aspen-config; charset=utf-8")
            : context.RefuseAsync(404, "Name an address of a domain that is here, as in ?email=anna@example.org");

    static bool IsOurs(HttpContext context, string domain) => context.Room<UserDirectory>().FindDomain(domain) is not null;

    static string? After(string host, string prefix) => host.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) ? host[prefix.Length..] : null;

    internal static Task TextAsync(this HttpContext context, string text, string type)
    {
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method)) return context.RefuseAsync(405, "Only GET is possible here");
        context.Response.ContentType = type;
        context.Response.ContentLength = System.Text.Encoding.UTF8.GetByteCount(text);
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.WriteAsync(text, context.RequestAborted);
    }
}
