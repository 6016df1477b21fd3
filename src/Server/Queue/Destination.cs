using CbaMail.Config;

namespace CbaMail.Queue;

/// <summary>
/// Where mail of a domain goes: its own servers, or a route of the settings. What has the same key shares connections and their bound.
/// </summary>
public sealed record Destination(string Key, RouteSettings? Route)
{
    /// <summary>The most specific route of a domain: its name, the longest "*.parent", "*".</summary>
    public static Destination Of(string domain, IReadOnlyList<RouteSettings> routes)
    {
        RouteSettings? best = null;
        var rank = -1;
        foreach (var route in routes)
        {
            var fit = Fits(route.Domain, domain);
            if (fit > rank) (best, rank) = (route, fit);
        }
        return best is null || best.Host.Length == 0
            ? new Destination(domain, null)
            : new Destination($"{best.Host}:{best.Port}/{best.User}", best);
    }

    /// <summary>How well a pattern fits a name in lower case: "*" 0, "*.parent" its length, the name itself best of all, -1: not.</summary>
    internal static int Fits(string pattern, string name)
    {
        pattern = pattern.Trim().TrimEnd('.').ToLowerInvariant();
        return pattern is "*" or "" ? 0
            : pattern == name ? int.MaxValue
            : pattern.StartsWith("*.", StringComparison.Ordinal) && name.EndsWith(pattern[1..], StringComparison.Ordinal) ? pattern.Length
            : -1;
    }
}
