using System.Globalization;
using System.Text;

namespace CbaMail.MailAuth.Spf;

/// <summary>What macros stand for in one evaluation (RFC 7208 7.2).</summary>
sealed record MacroValues(string LocalPart, string SenderDomain, string Helo, SpfAddress Client, string Receiver, long Now)
{
    /// <summary>The current domain: an include or redirect changes it.</summary>
    public string Domain { get; init; } = SenderDomain;

    /// <summary>%{p}: the validated name of the client, or "unknown"; to be set before a string that needs it is expanded.</summary>
    public string ValidatedName { get; init; } = "unknown";
}

/// <summary>A string with macros (RFC 7208 7.1), checked and taken apart once.</summary>
sealed class MacroString
{
    /// <summary>An expanded string that is longer is of no use: neither as a name nor as an explanation.</summary>
    internal const int MaxLength = 4096;

    /// <param name="Literal">Text that stands for itself, or null for a macro.</param>
    /// <param name="Letter">Lower case.</param>
    /// <param name="Escape">Written in upper case: the value is escaped as in a URL.</param>
    /// <param name="Keep">Right-hand parts that are kept; 0 for all.</param>
    readonly record struct Piece(string? Literal, char Letter = '\0', bool Escape = false, int Keep = 0, bool Reverse = false, string Delimiters = "");

    readonly Piece[] pieces;

    MacroString(string text, List<Piece> pieces)
    {
        Text = text;
        this.pieces = [.. pieces];
        foreach (var piece in pieces)
        {
            NeedsValidatedName |= piece.Letter == 'p';
            NeedsLocalPart |= piece.Letter is 's' or 'l';
        }
    }

    /// <summary>As it was published.</summary>
    public string Text { get; }

    /// <summary>Whether %{p} occurs, which costs look-ups.</summary>
    public bool NeedsValidatedName { get; }

    /// <summary>Whether %{s} or %{l} occurs: without an ASCII local part the term matches nothing (RFC 8616 4).</summary>
    public bool NeedsLocalPart { get; }

    /// <summary>Reads a macro-string: visible characters and macros. %{c}, %{r} and %{t} are for explanations alone (RFC 7208 7.2), as is the space.</summary>
    public static MacroString? Parse(string text, bool explanation = false)
    {
        var pieces = new List<Piece>();
        for (var at = 0; at < text.Length;)
        {
            if (text[at] != '%')
            {
                var end = text.IndexOf('%', at);
                if (end < 0) end = text.Length;
                var literal = text[at..end];
                foreach (var c in literal)
                    if (c is < '!' or > '~' && !(explanation && c == ' ')) return null;
                pieces.Add(new Piece(literal));
                at = end;
                continue;
            }
            // RFC 7208 7.3: what else follows "%" is a syntax error
            switch (at + 1 < text.Length ? text[at + 1] : '\0')
            {
                case '%': pieces.Add(new Piece("%", '%')); at += 2; continue;
                case '_': pieces.Add(new Piece(" ", '_')); at += 2; continue;
                case '-': pieces.Add(new Piece("%20", '-')); at += 2; continue;
                case '{':
                    if (ReadMacro(text, ref at, explanation) is not { } piece) return null;
                    pieces.Add(piece);
                    continue;
                default: return null;
            }
        }
        return new MacroString(text, pieces);
    }

    // RFC 7208 7.1: "%{" macro-letter transformers *delimiter "}"
    static Piece? ReadMacro(string text, ref int at, bool explanation)
    {
        at += 2;
        if (at >= text.Length) return null;
        var letter = char.ToLowerInvariant(text[at]);
        if (!(explanation ? "slodiphcrtv" : "slodiphv").Contains(letter, StringComparison.Ordinal)) return null;
        var escape = text[at++] != letter;
        var keep = 0;
        var digits = at;
        for (; at < text.Length && char.IsAsciiDigit(text[at]); at++)
            keep = Math.Min(keep * 10 + (text[at] - '0'), 10_000); // more parts than any value has are all of them
        if (at > digits && keep == 0) return null; // RFC 7208 7.3: the value MUST be nonzero
        var reverse = at < text.Length && text[at] is 'r' or 'R';
        if (reverse) at++;
        var delimiters = at;
        while (at < text.Length && ".-+,/_=".Contains(text[at], StringComparison.Ordinal)) at++;
        if (at >= text.Length || text[at] != '}') return null;
        return new Piece(null, letter, escape, keep, reverse, text[delimiters..at++]);
    }

    /// <summary>Reads a domain-spec: a macro-string that ends in "." and a top label, or in a macro (RFC 7208 7.1).</summary>
    public static MacroString? ParseDomain(string text) => Parse(text) is { } macros && macros.EndsAsDomain() ? macros : null;

    bool EndsAsDomain()
    {
        if (pieces.Length == 0) return false;
        var last = pieces[^1];
        if (last.Letter != '\0') return true;
        var tail = last.Literal.AsSpan();
        if (tail[^1] == '.') tail = tail[..^1];
        var dot = tail.LastIndexOf('.');
        return dot >= 0 && IsTopLabel(tail[(dot + 1)..]);
    }

    // RFC 7208 7.1 toplabel: letters, digits and inner hyphens, not digits alone
    static bool IsTopLabel(ReadOnlySpan<char> label)
    {
        if (label.IsEmpty || label[0] == '-' || label[^1] == '-') return false;
        var onlyDigits = true;
        foreach (var c in label)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '-') return false;
            onlyDigits &= char.IsAsciiDigit(c);
        }
        return !onlyDigits;
    }

    /// <summary>The text with every macro replaced (RFC 7208 7.3), or null where it would grow beyond reason or cannot be a name.</summary>
    public string? Expand(MacroValues values)
    {
        // RFC 8616 4: a local part that is not ASCII matches nothing
        if (NeedsLocalPart && !Ascii.IsValid(values.LocalPart)) return null;
        if (pieces is [{ Literal: { } only }]) return only;
        var output = new StringBuilder();
        foreach (var piece in pieces)
        {
            if (piece.Literal is { } literal) output.Append(literal);
            else Append(output, piece, Transform(Value(piece.Letter, values), piece));
            if (output.Length > MaxLength) return null;
        }
        return output.ToString();
    }

    static void Append(StringBuilder output, Piece piece, string value)
    {
        if (!piece.Escape)
        {
            output.Append(value);
            return;
        }
        // RFC 7208 7.3: all but the unreserved characters of RFC 3986 2.3
        foreach (var b in Encoding.UTF8.GetBytes(value))
            if (char.IsAsciiLetterOrDigit((char)b) || b is (byte)'-' or (byte)'.' or (byte)'_' or (byte)'~') output.Append((char)b);
            else output.Append('%').Append(b.ToString("X2", CultureInfo.InvariantCulture));
    }

    // RFC 7208 7.2
    static string Value(char letter, MacroValues values) => letter switch
    {
        's' => values.LocalPart + "@" + values.SenderDomain,
        'l' => values.LocalPart,
        'o' => values.SenderDomain,
        'd' => values.Domain,
        'i' => values.Client.Dotted,
        'p' => values.ValidatedName,
        'v' => values.Client.IsV6 ? "ip6" : "in-addr",
        'h' => values.Helo,
        'c' => values.Client.ToString(),
        'r' => values.Receiver,
        't' => values.Now.ToString(CultureInfo.InvariantCulture),
        _ => throw new ArgumentOutOfRangeException(nameof(letter)),
    };

    // RFC 7208 7.3: split, reverse, keep the right-hand parts, join with dots; empty parts are parts
    static string Transform(string value, Piece piece)
    {
        if (piece is { Keep: 0, Reverse: false, Delimiters: "" }) return value;
        var parts = value.Split(piece.Delimiters.Length == 0 ? ['.'] : piece.Delimiters.ToCharArray());
        if (piece.Reverse) Array.Reverse(parts);
        var skip = piece.Keep == 0 ? 0 : Math.Max(0, parts.Length - piece.Keep);
        return string.Join('.', parts, skip, parts.Length - skip);
    }
}
