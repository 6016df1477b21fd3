using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace CbaMail.Calendar;

/// <summary>Calendars as text (RFC 5545 3.1): lenient to line ends and empty lines when read, strict when written.</summary>
public static class CalendarText
{
    /// <summary>Bounds of what is read: octets, properties and components in all, one inside the other, octets of one line.</summary>
    public const int MostBytes = 1 << 20, MostProperties = 20_000, MostComponents = 2_000, Deepest = 8, LongestLine = 128 * 1024;

    const int MostParameters = 64;

    /// <summary>Reads the first calendar of a text.</summary>
    /// <param name="problem">What is wrong with it, for people.</param>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out CalendarComponent? calendar, [NotNullWhen(false)] out string? problem)
    {
        calendar = null;
        if (bytes.Length > MostBytes) return Wrong("it is larger than 1 MB", out problem);
        if (bytes.StartsWith("\uFEFF"u8)) bytes = bytes[3..];
        var open = new Stack<CalendarComponent>();
        var (properties, components) = (0, 0);
        while (NextLine(ref bytes, out var line))
        {
            if (line.Length == 0) continue;
            if (line.Length > LongestLine) return Wrong("a line of it is too long", out problem);
            if (!TryLine(line, out var property))
            {
                if (open.Count == 0) continue; // what stands before the calendar
                return Wrong("a line of it has no name and value: " + (line.Length > 40 ? line[..40] : line), out problem);
            }
            switch (property.Name)
            {
                case "BEGIN":
                    var name = property.Value.Trim().ToUpperInvariant();
                    if (open.Count == 0 && name != "VCALENDAR") return Wrong("it begins with " + name, out problem);
                    if (open.Count >= Deepest) return Wrong("its components stand too deep in one another", out problem);
                    if (++components > MostComponents) return Wrong("it has too many components", out problem);
                    var component = new CalendarComponent(name);
                    if (open.TryPeek(out var outer)) outer.Components.Add(component);
                    open.Push(component);
                    break;
                case "END":
                    if (!open.TryPop(out var ended) || !ended.Name.Equals(property.Value.Trim(), StringComparison.OrdinalIgnoreCase)) return Wrong("END does not fit BEGIN", out problem);
                    if (open.Count > 0) break;
                    calendar = ended;
                    problem = null;
                    return true;
                default:
                    if (!open.TryPeek(out var inside)) break;
                    if (++properties > MostProperties) return Wrong("it has too many properties", out problem);
                    inside.Properties.Add(property);
                    break;
            }
        }
        return Wrong(components == 0 ? "there is no calendar in it" : "it breaks off", out problem);
    }

    static bool Wrong(string why, out string problem)
    {
        problem = why;
        return false;
    }

    // folds are undone in octets: RFC 5545 3.1 lets a fold stand inside a character
    static bool NextLine(ref ReadOnlySpan<byte> rest, out string line)
    {
        line = "";
        if (rest.IsEmpty) return false;
        List<byte>? joined = null;
        ReadOnlySpan<byte> first = default;
        for (var begun = false; !rest.IsEmpty; begun = true)
        {
            if (begun && rest[0] is not ((byte)' ' or (byte)'\t')) break;
            var end = rest.IndexOf((byte)'\n');
            var piece = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];
            if (piece.EndsWith("\r"u8)) piece = piece[..^1];
            if (!begun) first = piece;
            else
            {
                if (joined is null)
                {
                    joined = [];
                    joined.AddRange(first);
                }
                joined.AddRange(piece[1..]);
            }
        }
        line = Encoding.UTF8.GetString(joined is null ? first : System.Runtime.InteropServices.CollectionsMarshal.AsSpan(joined));
        return true;
    }

    // contentline = name *(";" param) ":" value
    static bool TryLine(string line, [NotNullWhen(true)] out CalendarProperty? property)
    {
        property = null;
        var at = 0;
        while (at < line.Length && (char.IsAsciiLetterOrDigit(line[at]) || line[at] is '-' or '_')) at++;
        if (at == 0 || at == line.Length) return false;
        var name = line[..at].ToUpperInvariant();
        List<KeyValuePair<string, string>>? parameters = null;
        while (at < line.Length && line[at] == ';')
        {
            var equals = line.IndexOf('=', ++at);
            if (equals < 0) return false;
            var key = line[at..equals].Trim().ToUpperInvariant();
            at = equals;
            do
            {
                var value = Value(line, ref at);
                if (value is null) return false;
                parameters ??= [];
                if (parameters.Count < MostParameters) parameters.Add(new(key, value));
            }
            while (at < line.Length && line[at] == ',');
        }
        if (at >= line.Length || line[at] != ':') return false;
        property = new(name, parameters is null ? [] : parameters, line[(at + 1)..]);
        return true;
    }

    // param-value, from the octet before it; in quotes anything may stand
    static string? Value(string line, ref int at)
    {
        var from = ++at;
        if (from < line.Length && line[from] == '"')
        {
            var close = line.IndexOf('"', from + 1);
            if (close < 0) return null;
            at = close + 1;
            return Decaret(line[(from + 1)..close]);
        }
        while (at < line.Length && line[at] is not (';' or ':' or ',')) at++;
        return Decaret(line[from..at]);
    }

    // RFC 6868 3
    static string Decaret(string value) => value.Contains('^', StringComparison.Ordinal) ? value.Replace("^n", "\n", StringComparison.Ordinal).Replace("^'", "\"", StringComparison.Ordinal).Replace("^^", "^", StringComparison.Ordinal) : value;

    /// <summary>RFC 5545 3.3.11, read.</summary>
    public static string Unescape(string value)
    {
        if (!value.Contains('\\', StringComparison.Ordinal)) return value;
        var text = new StringBuilder(value.Length);
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] != '\\' || i + 1 == value.Length) text.Append(value[i]);
            else text.Append(value[++i] is 'n' or 'N' ? '\n' : value[i]);
        }
        return text.ToString();
    }

    /// <summary>RFC 5545 3.3.11, written.</summary>
    public static string Escape(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(";", "\\;", StringComparison.Ordinal).Replace(",", "\\,", StringComparison.Ordinal)
        .Replace("\r\n", "\\n", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal).Replace("\r", "", StringComparison.Ordinal);

    /// <summary>The calendar as octets: CRLF, lines of at most 75 octets, folds between characters.</summary>
    public static byte[] Write(CalendarComponent calendar)
    {
        var output = new MemoryStream(1024);
        Write(output, calendar);
        return output.ToArray();
    }

    static void Write(MemoryStream output, CalendarComponent component)
    {
        WriteLine(output, "BEGIN:" + component.Name);
        foreach (var property in component.Properties) WriteLine(output, Line(property));
        foreach (var inside in component.Components) Write(output, inside);
        WriteLine(output, "END:" + component.Name);
    }

    static string Line(CalendarProperty property)
    {
        var line = new StringBuilder(property.Name);
        foreach (var (name, value) in property.Parameters)
        {
            // RFC 6868 3; a control character cannot be written at all
            var safe = string.Concat(value.Replace("^", "^^", StringComparison.Ordinal).Replace("\n", "^n", StringComparison.Ordinal).Replace("\"", "^'", StringComparison.Ordinal).Where(c => !char.IsControl(c)));
            line.Append(';').Append(name).Append('=');
            if (safe.AsSpan().IndexOfAny(";:,") >= 0) line.Append('"').Append(safe).Append('"');
            else line.Append(safe);
        }
        line.Append(':');
        foreach (var c in property.Value)
            if (!char.IsControl(c) || c == '\t') line.Append(c);
        return line.ToString();
    }

    static void WriteLine(MemoryStream output, string line)
    {
        Span<byte> octets = stackalloc byte[4];
        var width = 0;
        foreach (var rune in line.EnumerateRunes())
        {
            var length = rune.EncodeToUtf8(octets);
            if (width + length > 75)
            {
                output.Write("\r\n "u8);
                width = 1;
            }
            output.Write(octets[..length]);
            width += length;
        }
        output.Write("\r\n"u8);
    }
}
