using CbaMail.Text;

namespace CbaMail.Mime;

/// <summary>Message identifiers (RFC 5322 3.6.4) out of Message-ID, In-Reply-To, References and Content-ID.</summary>
public static class MessageId
{
    const int MaxIds = 1000;

    /// <summary>The first identifier without angle brackets, or null.</summary>
    public static string? Parse(ReadOnlySpan<byte> value) => ParseList(value) is [var first, ..] ? first : null;

    /// <summary>
    /// All identifiers without angle brackets, white space inside removed (folding splits them), none twice. Without any
    /// brackets the words with "@" are taken; other words and comments are skipped (RFC 5322 4.5.4 allows phrases).
    /// </summary>
    public static IReadOnlyList<string> ParseList(ReadOnlySpan<byte> value)
    {
        var text = LineFolding.UnfoldText(value);
        List<string> ids = [];
        HashSet<string> seen = new(StringComparer.Ordinal);
        if (text.Contains('<'))
        {
            for (var at = text.IndexOf('<'); at >= 0 && ids.Count < MaxIds;)
            {
                var end = text.AsSpan(at + 1).IndexOfAny('>', '<');
                var id = end < 0 ? text.AsSpan(at + 1) : text.AsSpan(at + 1, end);
                Add(id);
                if (end < 0) break;
                at = text[at + 1 + end] == '<' ? at + 1 + end : text.IndexOf('<', at + 1 + end);
            }
        }
        else
        {
            foreach (var word in text.Split([' ', '\t', ','], StringSplitOptions.RemoveEmptyEntries))
                if (word.Contains('@') && ids.Count < MaxIds) Add(word.AsSpan().Trim("\"();>"));
        }

        return ids;

        void Add(ReadOnlySpan<char> id)
        {
            var clean = id.IndexOfAny(' ', '\t') < 0 ? id.ToString() : id.ToString().Replace(" ", "").Replace("\t", "");
            if (clean.Length > 0 && seen.Add(clean)) ids.Add(clean);
        }
    }
}
