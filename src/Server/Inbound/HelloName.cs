using System.Net;

namespace CbaMail.Inbound;

/// <summary>What somebody called himself in EHLO.</summary>
enum HelloKind
{
    /// <summary>A full domain name.</summary>
    Name,
    /// <summary>An address literal (RFC 5321 4.1.3).</summary>
    Literal,
    /// <summary>Neither: one word, an address without brackets, other characters.</summary>
    NoName,
}

static class HelloName
{
    public static HelloKind Of(string hello)
    {
        if (hello.StartsWith('[')) return Literal(hello) is null ? HelloKind.NoName : HelloKind.Literal;
        if (IPAddress.TryParse(hello, out _)) return HelloKind.NoName;
        var labels = hello.TrimEnd('.').Split('.');
        return labels.Length > 1 && labels.All(label => label.Length is > 0 and <= 63 && label.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_') && label[0] != '-' && label[^1] != '-')
            && !labels[^1].All(char.IsAsciiDigit) ? HelloKind.Name : HelloKind.NoName;
    }

    public static IPAddress? Literal(string hello)
    {
        if (hello is not ['[', .., ']']) return null;
        var inside = hello[1..^1];
        var six = inside.StartsWith("IPv6:", StringComparison.OrdinalIgnoreCase);
        if (six) inside = inside[5..];
        return IPAddress.TryParse(inside, out var address) && six == inside.Contains(':', StringComparison.Ordinal) ? address : null;
    }

    /// <summary>Whether somebody gives our name, or our address, for his own.</summary>
    public static bool IsOurs(string hello, string hostname, IPAddress? local, IPAddress remote)
    {
        if (hello.TrimEnd('.').Equals(hostname, StringComparison.OrdinalIgnoreCase)) return true;
        if (local is null || local.Equals(remote)) return false;
        return local.Equals(Literal(hello)) || (IPAddress.TryParse(hello, out var bare) && bare.Equals(local));
    }
}
