namespace CbaMail.Imap;

/// <summary>
/// A pattern of LIST (RFC 9051 6.3.9): "*" matches anything, "%" anything but the delimiter. Time is bounded by
/// the product of both lengths, whatever the wildcards.
/// </summary>
internal sealed class ListPattern
{
    public const int MaxLength = 1024;

    readonly string pattern;

    public ListPattern(string reference, string pattern)
    {
        var text = new System.Text.StringBuilder(reference + pattern);
        for (var i = text.Length - 1; i > 0; i--)
        {
            // runs of wildcards are one; "*" swallows "%"
            if (text[i] is '*' or '%' && text[i - 1] is '*' or '%' && (text[i] == text[i - 1] || text[i] == '*' || text[i - 1] == '*'))
            {
                if (text[i] == '*') text[i - 1] = '*';
                text.Remove(i, 1);
            }
        }
        this.pattern = text.ToString();
    }

    public bool IsTooLong => pattern.Length > MaxLength;

    public bool Matches(string name)
    {
        // RFC 9051 5.1: INBOX in any case
        var inbox = name.StartsWith("INBOX", StringComparison.Ordinal) && (name.Length == 5 || name[5] == '/') ? 5 : 0;
        Span<bool> reach = name.Length < 1024 ? stackalloc bool[name.Length + 1] : new bool[name.Length + 1];
        reach.Clear();
        reach[0] = true;
        foreach (var p in pattern)
        {
            if (p is '*' or '%')
            {
                for (var i = 1; i <= name.Length; i++)
                    if (reach[i - 1] && (p == '*' || name[i - 1] != '/')) reach[i] = true;
                continue;
            }
            for (var i = name.Length; i > 0; i--)
                reach[i] = reach[i - 1] && (name[i - 1] == p || (i <= inbox && char.ToUpperInvariant(p) == name[i - 1]));
            reach[0] = false;
        }
        return reach[name.Length];
    }
}
