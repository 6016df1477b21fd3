using System.Globalization;

namespace CbaMail.Config;

/// <summary>So many in so long, as people write it: <c>100/1h</c>, <c>20/m</c>; <c>off</c> and 0 are no limit.</summary>
public readonly record struct Rate(int Count, TimeSpan Per)
{
    public static readonly Rate None;

    public bool IsLimit => Count > 0;

    public static bool TryParse(string text, out Rate rate)
    {
        rate = None;
        text = text.Trim();
        if (text is "off" or "no" or "none" or "0") return true;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || !int.TryParse(text.AsSpan(0, slash).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count < 1) return false;
        var span = text[(slash + 1)..].Trim();
        if (span.Length == 0 || !Times.TryParse(char.IsAsciiDigit(span[0]) ? span : "1" + span, out var per) || per < TimeSpan.FromSeconds(1)) return false;
        rate = new Rate(count, per);
        return true;
    }

    public override string ToString() => IsLimit ? $"{Count}/{(Per.TotalSeconds % 3600 == 0 ? $"{Per.TotalHours:0}h" : Per.TotalSeconds % 60 == 0 ? $"{Per.TotalMinutes:0}m" : $"{Per.TotalSeconds:0}s")}" : "off";
}
