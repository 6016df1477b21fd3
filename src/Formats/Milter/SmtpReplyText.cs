using System.Globalization;
using System.Text;
using CbaMail.Envelope;

namespace CbaMail.Milter;

/// <summary>
/// The text of a reply as a milter gives it: <c>550 5.7.1 text</c>, lines separated by CRLF with <c>550-</c> before all but the last.
/// A percent sign stands doubled, for Sendmail once used the text as a format.
/// </summary>
public static class SmtpReplyText
{
    const int MaxLines = 32;

    /// <summary>Null unless all lines bear the same code and that is a 4xx or 5xx (RFC 5321 4.2.1).</summary>
    public static Reply? Parse(string text)
    {
        var lines = text.TrimEnd('\r', '\n').Split('\n');
        if (lines.Length is 0 or > MaxLines) return null;
        var (code, status) = (0, "");
        var words = new StringBuilder();
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i].TrimEnd('\r');
            if (line.Length < 3 || !int.TryParse(line.AsSpan(0, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return null;
            if (number / 100 is not (4 or 5) || (i > 0 && number != code)) return null;
            code = number;
            if (line.Length > 3 && line[3] is not (' ' or '-')) return null;
            var rest = line.Length > 4 ? line[4..] : "";
            // RFC 2034 4: the status stands on each line; it must be of the code's class
            var space = rest.IndexOf(' ', StringComparison.Ordinal);
            if (EnhancedStatus.TryParse(rest, out var enhanced))
            {
                if (enhanced.Class == code / 100 && status.Length == 0) status = enhanced.ToString();
                rest = space < 0 ? "" : rest[(space + 1)..];
            }
            if (i > 0) words.Append('\n');
            words.Append(Unescape(rest));
        }
        return new Reply(code, status.Length > 0 ? status : code / 100 == 4 ? "4.7.1" : "5.7.1", words.ToString());
    }

    // "%%" is a percent sign; one alone meant nothing to Sendmail and is dropped, as Postfix does
    static string Unescape(string text)
    {
        if (!text.Contains('%', StringComparison.Ordinal)) return text;
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '%' && ++i >= text.Length) break;
            result.Append(text[i]);
        }
        return result.ToString();
    }
}
