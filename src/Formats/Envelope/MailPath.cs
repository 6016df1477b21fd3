using System.Text;

namespace CbaMail.Envelope;

/// <summary>How reading a path ended.</summary>
public enum PathResult
{
    /// <summary>A path was read.</summary>
    Ok,
    /// <summary>There is no path in angle brackets.</summary>
    NoPath,
    /// <summary>What stands in the brackets is no address.</summary>
    BadAddress,
}

/// <summary>
/// Paths of MAIL and RCPT (RFC 5321 4.1.2, RFC 6531 3.3), as they stand on the command line.
/// A source route is read and forgotten (RFC 5321 3.3, appendix C): the mail goes to the address behind the colon or nowhere.
/// </summary>
public static class MailPath
{
    /// <summary>
    /// Reads a path at the start of <paramref name="text"/>, which stands behind the colon of "FROM:" or "TO:".
    /// </summary>
    /// <param name="address">Null for the null reverse-path <c>&lt;&gt;</c> and for <c>&lt;postmaster&gt;</c>.</param>
    /// <param name="isPostmaster">The path is <c>&lt;postmaster&gt;</c> in any case (RFC 5321 4.1.1.3).</param>
    /// <param name="rest">What follows the path: the parameters.</param>
    public static PathResult Read(ReadOnlySpan<char> text, out MailAddress? address, out bool isPostmaster, out ReadOnlySpan<char> rest)
    {
        address = null;
        isPostmaster = false;
        rest = default;
        text = text.TrimStart(' '); // RFC 5321 3.3 allows none, old clients write one
        if (text.IsEmpty || text[0] != '<') return PathResult.NoPath;
        var end = FindEnd(text);
        if (end < 0) return PathResult.NoPath;
        rest = text[(end + 1)..];
        if (!rest.IsEmpty && rest[0] != ' ') return PathResult.NoPath;
        var inner = text[1..end];
        if (inner.IsEmpty) return PathResult.Ok;
        if (inner.Equals("postmaster", StringComparison.OrdinalIgnoreCase))
        {
            isPostmaster = true;
            return PathResult.Ok;
        }
        if (inner[0] == '@' && !SkipRoute(ref inner)) return PathResult.BadAddress;
        return MailAddress.TryParse(inner, out address) ? PathResult.Ok : PathResult.BadAddress;
    }

    /// <summary>The path as it stands on the wire: <c>&lt;&gt;</c> for null.</summary>
    public static string Write(MailAddress? address) => address is null ? "<>" : "<" + address + ">";

    // ">" inside a quoted local part ends nothing
    static int FindEnd(ReadOnlySpan<char> text)
    {
        var quoted = false;
        for (var i = 1; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '\\' when quoted: i++; break;
                case '"': quoted = !quoted; break;
                case '>' when !quoted: return i;
            }
        }
        return -1;
    }

    // RFC 5321 4.1.2 A-d-l: "@" domain *( "," "@" domain ) ":"
    static bool SkipRoute(ref ReadOnlySpan<char> text)
    {
        var colon = -1;
        var bracket = false;
        for (var i = 0; i < text.Length && colon < 0; i++)
        {
            if (text[i] == '[') bracket = true;
            else if (text[i] == ']') bracket = false;
            else if (text[i] == ':' && !bracket) colon = i;
            else if (text[i] == '"') return false;
        }
        if (colon < 0) return false;
        var route = text[..colon];
        text = text[(colon + 1)..];
        var probe = new StringBuilder();
        foreach (var range in route.Split(','))
        {
            var hop = route[range];
            probe.Clear().Append('x').Append(hop);
            if (hop.IsEmpty || hop[0] != '@' || !MailAddress.TryParse(probe.ToString(), out _)) return false;
        }
        return true;
    }
}
