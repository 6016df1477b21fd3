using System.Globalization;

namespace CbaMail.Mailings.Tracking;

/// <summary>What a program asked for that follows links and fetches pictures of a copy.</summary>
public enum SightingKind { Opened, Clicked, Unseen }

/// <summary>Somebody has fetched a picture of a copy, or followed a link of it.</summary>
/// <param name="Link">Where it leads; empty for a picture.</param>
/// <param name="Agent">What the program calls itself (RFC 9110 10.1.5), cut.</param>
/// <param name="IsHead">It asked without wanting the answer (RFC 9110 9.3.2).</param>
public sealed record Sighting(long LedgerId, SightingKind Kind, string Link, string Agent, bool IsHead, DateTimeOffset At)
{
    public const int LongestAgent = 200;
}

/// <summary>
/// Tells programs that look into mail for safety from people. What is said of it is kept beside what was seen: nothing is thrown away, and people
/// are counted without it.
/// </summary>
static class ScannerSigns
{
    /// <summary>A person reads before he follows a link; a program that has just fetched the letter does not.</summary>
    static readonly TimeSpan UnopenedWindow = TimeSpan.FromMinutes(1);

    /// <summary>The same program, so soon before or after another of its signs.</summary>
    public static readonly TimeSpan SameProgram = TimeSpan.FromMinutes(1);

    /// <summary>Different links followed within so short a time: two, or three.</summary>
    public static readonly TimeSpan TwoLinks = TimeSpan.FromSeconds(1), ThreeLinks = TimeSpan.FromSeconds(10);

    public const string Unseen = "it followed a link that people do not see", Together = "it followed several links at once", Same = "the same program as one that is no person's";

    // security gateways, previews of messengers, libraries; in lower case
    static readonly string[] programs =
    [
        "barracuda", "proofpoint", "mimecast", "ironport", "fireeye", "trend micro", "trendmicro", "symantec", "messagelabs", "sophos", "forcepoint", "websense", "zscaler", "fortinet", "fortigate",
        "cloudmark", "cisco", "checkpoint", "kaspersky", "drweb", "safelinks", "ms-office-protection", "microsoft office existence discovery", "bingpreview", "skypeuripreview", "slackbot", "telegrambot",
        "whatsapp", "facebookexternalhit", "twitterbot", "linkedinbot", "vkshare", "viber", "googlebot", "bingbot", "yandexbot", "applebot", "urlscan", "virustotal", "phishtank",
        "bot/", "crawler", "spider", "scanner", "curl/", "wget/", "python-requests", "python-urllib", "python-httpx", "aiohttp", "go-http-client", "java/", "okhttp", "apache-httpclient", "libwww-perl", "guzzlehttp",
        "node-fetch", "axios/", "headlesschrome", "phantomjs", "powershell",
    ];

    /// <summary>By what is seen in the request alone; null where it may be a person.</summary>
    public static string? Of(Sighting seen)
    {
        if (seen.Kind == SightingKind.Unseen) return Unseen;
        if (seen.IsHead) return "it asked with HEAD";
        if (seen.Agent.Length == 0) return "it does not say what it is";
        // Apple's mail privacy fetches every picture when the letter comes, and says no more than this
        if (seen is { Kind: SightingKind.Opened, Agent: "Mozilla/5.0" }) return "Apple fetches pictures of all mail";
        foreach (var program in programs)
            if (seen.Agent.Contains(program, StringComparison.OrdinalIgnoreCase)) return $"it calls itself {program.TrimEnd('/')}";
        return null;
    }

    /// <summary>By what became of the copy.</summary>
    /// <param name="soon">So soon after delivery nobody has read it.</param>
    public static string? Of(Sighting seen, TrackedCopy copy, TimeSpan soon)
    {
        if (copy.Delivered is not { } delivered) return "before the letter was delivered";
        if (seen.At - delivered < soon) return string.Create(CultureInfo.InvariantCulture, $"within {soon.TotalSeconds:0} s of delivery");
        return seen.Kind == SightingKind.Clicked && copy is { Pixel: true, Opened: null } && seen.At - delivered < UnopenedWindow ? "a link within a minute of delivery, before the letter was opened" : null;
    }
}
