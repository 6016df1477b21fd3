namespace CbaMail.Imap;

/// <summary>A literal announced at the end of a line: {n}, or {n+} when its bytes follow unasked (RFC 9051 4.3, RFC 7888).</summary>
internal readonly record struct PendingLiteral(long Length, bool NonSynchronizing, bool Binary, int SpecLength)
{
    /// <summary>RFC 7888 5: what LITERAL- lets come unasked.</summary>
    const int MostUnasked = 4096;

    public static readonly Outcome TooLongUnasked = Outcome.Bad($"A literal of more than {MostUnasked} octets has to wait", "TOOBIG");

    public bool IsTooLongUnasked(Config.ImapSettings settings) => settings.LiteralMinus && NonSynchronizing && Length > MostUnasked;

    /// <summary>Finds the announcement at the end of the line. Braces cannot stand at the end of anything else: quoted strings end with a quote.</summary>
    public static bool TryFind(ReadOnlySpan<byte> line, out PendingLiteral literal)
    {
        literal = default;
        if (line.IsEmpty || line[^1] != '}') return false;
        var start = line.LastIndexOf((byte)'{');
        if (start < 0) return false;
        if (start > 0 && line[start - 1] == '~') start--;
        return TryParse(line[start..], out literal);
    }

    /// <summary>Reads an announcement from its first byte on.</summary>
    public static bool TryParse(ReadOnlySpan<byte> spec, out PendingLiteral literal)
    {
        literal = default;
        var i = 0;
        var binary = spec.Length > 0 && spec[0] == '~';
        if (binary) i++;
        if (i >= spec.Length || spec[i++] != '{') return false;
        var digits = i;
        long length = 0;
        for (; i < spec.Length && char.IsAsciiDigit((char)spec[i]); i++)
            length = length > long.MaxValue / 16 ? length : length * 10 + (spec[i] - '0'); // far above any limit already
        if (i == digits) return false;
        var plus = i < spec.Length && spec[i] == '+';
        if (plus) i++;
        if (i >= spec.Length || spec[i] != '}') return false;
        literal = new PendingLiteral(length, plus, binary, i + 1);
        return true;
    }
}
