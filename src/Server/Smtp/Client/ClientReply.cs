using System.Text;
using CbaMail.Text;

namespace CbaMail.Smtp.Client;

/// <summary>A reply of a peer (RFC 5321 4.2), or in its place what we found ourselves.</summary>
/// <param name="Code">Three digits.</param>
/// <param name="Status">Enhanced status code (RFC 3463), the peer's or one that fits the code.</param>
/// <param name="Text">Lines joined, without codes; no control characters.</param>
/// <param name="IsLocal">Not said by the peer: no connection, a missing extension, a time-out.</param>
public sealed record ClientReply(int Code, string Status, string Text, bool IsLocal = false)
{
    const int MaxText = 1000;

    /// <summary>What the peer said to make us say this; null where it said nothing.</summary>
    public ClientReply? Said { get; init; }

    /// <summary>Before that there is no use in trying again, and the attempt counts for nothing; null: as the schedule of retries says.</summary>
    public TimeSpan? Pause { get; init; }

    /// <summary>What was wrong with TLS, where that is the reason.</summary>
    public TlsFailure? TlsFailure { get; init; }

    public bool IsPositive => Code is >= 200 and < 400;
    public bool IsPermanent => Code >= 500;
    public bool IsTemporary => Code is >= 400 and < 500;

    /// <summary>421: the peer closes the connection (RFC 5321 3.8).</summary>
    public bool IsClosing => Code == 421;

    public static ClientReply Local(int code, string status, string text) => new(code, status, text, IsLocal: true);

    public static ClientReply Untrusted(TlsFailure failure, string status, string text) => new(421, status, text, IsLocal: true) { TlsFailure = failure };

    public override string ToString() => IsLocal ? Text : Text.StartsWith(Status, StringComparison.Ordinal) ? $"{Code} {Text}" : $"{Code} {Status} {Text}";

    /// <summary>A reply from its lines, each without CRLF; null where that is none.</summary>
    public static ClientReply? Parse(IReadOnlyList<byte[]> lines)
    {
        if (lines.Count == 0 || !TryLine(lines[^1], out var code, out var last, out _) || !last) return null;
        string? status = null;
        var text = new StringBuilder();
        foreach (var line in lines)
        {
            if (!TryLine(line, out _, out _, out var rest)) return null;
            var words = rest;
            // RFC 2034 4: each line repeats the enhanced code
            var length = StatusLength(words, code);
            if (length > 0)
            {
                status ??= words[..length];
                words = words[length..].TrimStart();
            }
            if (text.Length > 0 && words.Length > 0) text.Append(' ');
            text.Append(words);
            if (text.Length > MaxText) break;
        }
        if (text.Length > MaxText) text.Length = MaxText;
        return new ClientReply(code, status ?? Default(code), text.ToString());
    }

    /// <summary>RFC 5321 4.2: three digits, "-" where lines follow, text.</summary>
    internal static bool TryLine(ReadOnlySpan<byte> line, out int code, out bool last, out string text)
    {
        (code, last, text) = (0, true, "");
        if (line.Length < 3 || line[0] is < (byte)'2' or > (byte)'5' || line[1] is < (byte)'0' or > (byte)'9' || line[2] is < (byte)'0' or > (byte)'9') return false;
        code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + line[2] - '0';
        if (line.Length == 3) return true; // RFC 5321 4.2: a lone code is to be taken
        if (line[3] is not ((byte)' ' or (byte)'-')) return false;
        last = line[3] == ' ';
        // it is told on: in reports, in the log, on terminals
        text = PlainText.Line(Encoding.UTF8.GetString(line[4..]), ' ');
        return true;
    }

    /// <summary>RFC 3463 2: class "." subject "." detail; the class must be that of the code.</summary>
    static int StatusLength(string text, int code)
    {
        var end = text.IndexOf(' ');
        var word = end < 0 ? text : text[..end];
        var parts = word.Split('.');
        return parts.Length == 3 && parts[0].Length == 1 && parts[0][0] - '0' == code / 100
            && parts.Skip(1).All(part => part.Length is > 0 and <= 3 && part.All(char.IsAsciiDigit)) ? word.Length : 0;
    }

    // RFC 3463 3 for a peer that gives none
    static string Default(int code) => code switch
    {
        < 400 => "2.0.0",
        421 => "4.4.2",
        450 => "4.2.0",
        452 => "4.3.1",
        < 500 => "4.0.0",
        550 or 551 => "5.1.1",
        552 => "5.2.2",
        553 => "5.1.3",
        _ => "5.0.0",
    };
}
