using System.Globalization;

namespace CbaMail.Envelope;

/// <summary>An enhanced status code, class.subject.detail (RFC 3463 2).</summary>
/// <param name="Class">2 success, 4 transient, 5 permanent.</param>
/// <param name="Subject">0 to 999.</param>
/// <param name="Detail">0 to 999.</param>
public readonly record struct EnhancedStatus(int Class, int Subject, int Detail)
{
    /// <summary>Reads a code at the start of <paramref name="text"/>, up to its end or a space.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out EnhancedStatus status)
    {
        status = default;
        var space = text.IndexOf(' ');
        if (space >= 0) text = text[..space];
        if (text.Length < 5 || text[0] is not ('2' or '4' or '5') || text[1] != '.') return false;
        var second = text[2..].IndexOf('.');
        if (second < 0 || !Number(text[2..(2 + second)], out var subject) || !Number(text[(3 + second)..], out var detail)) return false;
        status = new EnhancedStatus(text[0] - '0', subject, detail);
        return true;
    }

    static bool Number(ReadOnlySpan<char> text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && text.Length <= 3;

    /// <summary>As written on the wire.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Class}.{Subject}.{Detail}");
}
