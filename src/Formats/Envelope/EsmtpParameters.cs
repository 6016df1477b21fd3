namespace CbaMail.Envelope;

/// <summary>The parameters behind a path (RFC 5321 4.1.2 Mail-parameters): keywords with or without a value, each at most once.</summary>
public static class EsmtpParameters
{
    /// <summary>
    /// Splits <c>KEY=value KEY ...</c>. Keywords come in capitals, the value is null where there is no "=".
    /// Null where the text does not follow the grammar or names a keyword twice.
    /// </summary>
    public static List<(string Key, string? Value)>? Parse(ReadOnlySpan<char> text)
    {
        var all = new List<(string, string?)>();
        foreach (var range in text.Split(' '))
        {
            var word = text[range];
            if (word.IsEmpty) continue; // doubled or trailing spaces
            var equals = word.IndexOf('=');
            var key = equals < 0 ? word : word[..equals];
            if (key.IsEmpty || !char.IsAsciiLetterOrDigit(key[0])) return null;
            foreach (var c in key)
                if (!char.IsAsciiLetterOrDigit(c) && c != '-') return null;
            string? value = null;
            if (equals >= 0)
            {
                // esmtp-value: no "=", no space, no control; UTF-8 by RFC 6531 3.3
                var written = word[(equals + 1)..];
                if (written.IsEmpty || written.Contains('=') || written.ContainsAnyInRange('\0', ' ') || written.Contains('\x7f')) return null;
                value = written.ToString();
            }
            var name = key.ToString().ToUpperInvariant();
            if (all.Exists(p => p.Item1 == name)) return null;
            all.Add((name, value));
        }
        return all;
    }
}
