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
            var pattern = route.Domain.Trim().TrimEnd('.').ToLowerInvariant();
            var fit = pattern is "*" or "" ? 0
                : pattern == domain ? int.MaxValue
                : pattern.StartsWith("*.", StringComparison.Ordinal) && domain.EndsWith(pattern[1..], StringComparison.Ordinal) ? pattern.Length
                : -1;
            if (fit > rank) (best, rank) = (route, fit);
        }
        return best is null || best.Host.Length == 0
            ? new Destination(domain, null)
            : new Destination($"{best.Host}:{best.Port}/{best.User}", best);
    }
}
