using System.Text;

namespace CbaMail.MailAuth;

/// <summary>Reads the words of one piece of an Authentication-Results field (RFC 8601 2.2), comments and folding between them skipped.</summary>
ref struct AuthReader(ReadOnlySpan<char> text)
{
    const int MaxProperties = 50;
    ReadOnlySpan<char> rest = text;

    /// <summary>Nothing but white space and comments is left.</summary>
    public bool AtEnd
    {
        get
        {
            Skip();
            return rest.IsEmpty;
        }
    }

    /// <summary>RFC 5322 3.2.2: CFWS; a comment that is not closed goes to the end.</summary>
    void Skip()
    {
        while (!rest.IsEmpty)
        {
            if (rest[0] is ' ' or '\t' or '\r' or '\n') rest = rest[1..];
            else if (rest[0] == '(')
            {
                var (depth, i) = (0, 0);
                for (; i < rest.Length; i++)
                {
                    if (rest[i] == '\\') i++;
                    else if (rest[i] == '(') depth++;
                    else if (rest[i] == ')' && --depth == 0) break;
                }

                rest = rest[Math.Min(rest.Length, i + 1)..];
            }
            else return;
        }
    }

    /// <summary>A run of characters up to white space, a comment or one of the delimiters.</summary>
    bool Run(out string word, string delimiters)
    {
        Skip();
        var end = 0;
        while (end < rest.Length && rest[end] is not (' ' or '\t' or '\r' or '\n' or '(') && !delimiters.Contains(rest[end])) end++;
        word = rest[..end].ToString();
        rest = rest[end..];
        return word.Length > 0;
    }

    /// <summary>A word without quotes.</summary>
    public bool Word(out string word) => Run(out word, "=\";");

    /// <summary>A token, a quoted string, or an address, whose local part may be quoted.</summary>
    public bool Value(out string value)
    {
        Skip();
        if (rest.IsEmpty || rest[0] != '"') return Run(out value, ";\"");
        var text = new StringBuilder();
        var i = 1;
        for (; i < rest.Length && rest[i] != '"'; i++)
        {
            if (rest[i] == '\\' && i + 1 < rest.Length) i++;
            if (rest[i] is not ('\r' or '\n')) text.Append(rest[i]);
        }

        var closed = i < rest.Length;
        rest = rest[Math.Min(rest.Length, i + 1)..];
        if (closed && !rest.IsEmpty && rest[0] == '@' && Run(out var domain, ";\"")) text.Append(domain);
        value = text.ToString();
        return closed;
    }

    bool Take(char c)
    {
        Skip();
        if (rest.IsEmpty || rest[0] != c) return false;
        rest = rest[1..];
        return true;
    }

    /// <summary>An instance and nothing else (RFC 8617 4.2.1).</summary>
    public bool Instance(out int number)
    {
        number = 0;
        return Run(out var name, "=;\"") && name == "i" && Take('=') && Run(out var digits, ";\"") && digits.Length <= 2
            && int.TryParse(digits, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out number) && AtEnd;
    }

    /// <summary>A result with its reason and properties; null where it is malformed or "none".</summary>
    /// <param name="line">All of it on one line.</param>
    public AuthMethodResult? Result(string line)
    {
        if (!Run(out var method, "=/;\"")) return null;
        // RFC 8601 2.2: a method may have a version
        if (Take('/') && !Run(out _, "=;\"")) return null;
        if (!Take('=') || !Run(out var result, "=;\"")) return null;
        var reason = "";
        var properties = new List<AuthProperty>();
        while (!AtEnd && properties.Count < MaxProperties)
        {
            if (!Run(out var type, "=.;\"")) break;
            if (Take('='))
            {
                if (!Value(out var value)) break;
                if (type.Equals("reason", StringComparison.OrdinalIgnoreCase)) reason = value;
            }
            else
            {
                if (!Take('.') || !Run(out var name, "=;\"") || !Take('=') || !Value(out var value)) break;
                // RFC 8601 2.2: ptype "." property and nothing more
                if (!name.Contains('.', StringComparison.Ordinal)) properties.Add(new(type, name, value));
            }
        }

        return new(method.ToLowerInvariant(), result.ToLowerInvariant(), properties, "", reason, line);
    }
}
