using CbaMail.Imap.Commands;

namespace CbaMail.Imap.Searching;

/// <summary>What RETURN asks for (RFC 4731 3.1, RFC 5182 2, RFC 5267 4, RFC 6203 4, RFC 9394 3.1).</summary>
[Flags]
internal enum SearchResults { None = 0, Min = 1, Max = 2, All = 4, Count = 8, Save = 16, Update = 32, Context = 64, Partial = 128, Relevancy = 256 }

/// <summary>A piece of the results, counted from the first, or (-1 is the last) from the last (RFC 9394 3.1).</summary>
/// <param name="Text">What the answer repeats.</param>
internal readonly record struct PartialRange(uint From, uint To, bool FromEnd, string Text)
{
    // RFC 9394 4: 500:400 is 400:500, and is answered as such; no "*", both ends of one kind
    public static PartialRange Parse(ref ImapReader arguments)
    {
        var fromEnd = arguments.Take((byte)'-');
        var from = arguments.NonZero();
        arguments.Expect((byte)':');
        if (fromEnd) arguments.Expect((byte)'-');
        var to = arguments.NonZero();
        var sign = fromEnd ? "-" : "";
        if (from > to) (from, to) = (to, from);
        return new(from, to, fromEnd, $"{sign}{from}:{sign}{to}");
    }

    /// <summary>Where in a list of so many results the piece lies; empty where it is beyond them.</summary>
    public (int Start, int Length) Of(int count)
    {
        if (From > (uint)count) return (0, 0);
        var to = (int)Math.Min(To, (uint)count);
        var length = to - (int)From + 1;
        return (FromEnd ? count - to : (int)From - 1, length);
    }

    /// <summary>The piece of the messages that ranges of indexes name.</summary>
    public List<(int First, int Last)> Of(List<(int First, int Last)> ranges)
    {
        var (start, length) = Of(ranges.Sum(r => r.Last - r.First + 1));
        var piece = new List<(int, int)>();
        foreach (var (first, last) in ranges)
        {
            var size = last - first + 1;
            var skip = Math.Min(start, size);
            var take = Math.Min(length, size - skip);
            if (take > 0) piece.Add((first + skip, first + skip + take - 1));
            (start, length) = (start - skip, length - take);
        }
        return piece;
    }

    public List<T> Of<T>(List<T> list)
    {
        var (start, length) = Of(list.Count);
        return list.GetRange(start, length);
    }
}

/// <summary>The RETURN option of the searching commands.</summary>
/// <param name="Items">What is to be fetched of new messages that UPDATE tells of (RFC 5465 7).</param>
internal sealed record ReturnOptions(SearchResults Wanted, PartialRange Partial = default, FetchItems? Items = null)
{
    /// <summary>RETURN () and IMAP4rev2 without RETURN (RFC 4731 3.1, RFC 9051 6.4.4).</summary>
    public static readonly ReturnOptions Everything = new(SearchResults.All);

    public bool Has(SearchResults result) => (Wanted & result) != 0;

    /// <summary>Whether an ESEARCH response is owed: it is, if only to name the tag of later updates, unless SAVE stands alone (RFC 4731 3.1, RFC 5182 2.1).</summary>
    public bool Answers => (Wanted & ~SearchResults.Save) != SearchResults.None;

    /// <summary>Takes "RETURN (...) " where it comes next.</summary>
    public static ReturnOptions? Take(ref ImapReader arguments)
    {
        if (!TakeWord(ref arguments, "RETURN")) return null;
        arguments.Open();
        var options = Everything;
        if (!arguments.TakeClose())
        {
            options = List(ref arguments);
            arguments.Close();
        }
        arguments.Space();
        return options;
    }

    static ReturnOptions List(ref ImapReader arguments)
    {
        var wanted = SearchResults.None;
        PartialRange partial = default;
        FetchItems? items = null;
        do
        {
            var word = arguments.Keyword();
            var result = word switch
            {
                "MIN" => SearchResults.Min,
                "MAX" => SearchResults.Max,
                "ALL" => SearchResults.All,
                "COUNT" => SearchResults.Count,
                "SAVE" => SearchResults.Save,
                "UPDATE" => SearchResults.Update,
                "CONTEXT" => SearchResults.Context,
                "PARTIAL" => SearchResults.Partial,
                "RELEVANCY" => SearchResults.Relevancy,
                _ => SearchResults.None,
            };
            if (result == SearchResults.None) arguments.Refuse($"{word} is not a result that can be returned here");
            if (result == SearchResults.Partial)
            {
                if ((wanted & SearchResults.Partial) != 0) arguments.Refuse("One PARTIAL is enough"); // RFC 9394 3.1
                arguments.Space();
                partial = PartialRange.Parse(ref arguments);
            }
            if (result == SearchResults.Update) items = ItemsOfUpdate(ref arguments) ?? items;
            wanted |= result;
        }
        while (!arguments.Failed && arguments.Take((byte)' '));
        // RFC 9394 3.1, RFC 5267 4.4
        if ((wanted & (SearchResults.Partial | SearchResults.All)) == (SearchResults.Partial | SearchResults.All)) arguments.Refuse("Either PARTIAL or ALL");
        // nothing but a hint: what is found is wanted all the same
        if (wanted == SearchResults.Context) wanted |= SearchResults.All;
        return new(wanted, partial, items);
    }

    // RFC 5465 8 writes no space before the list, its example in 7 one
    static FetchItems? ItemsOfUpdate(ref ImapReader arguments)
    {
        var ahead = arguments;
        ahead.Take((byte)' ');
        if (ahead.Next != '(') return null;
        arguments = ahead;
        return FetchItems.Parse(ref arguments);
    }

    /// <summary>Takes "WORD " where it comes next.</summary>
    public static bool TakeWord(ref ImapReader arguments, string word)
    {
        if (!char.IsAsciiLetter((char)arguments.Next)) return false;
        var ahead = arguments;
        if (ahead.Keyword() != word || !ahead.Take((byte)' ')) return false;
        arguments = ahead;
        return true;
    }

    /// <summary>
    /// The part of the results, in their order, that SAVE keeps: all of them, unless only some were asked for
    /// (RFC 5182 2.4, RFC 9051 6.4.4.1, RFC 9394 3.2).
    /// </summary>
    public List<int> Saved(List<int> found)
    {
        if (found.Count == 0 || Has(SearchResults.All | SearchResults.Count) || !Has(SearchResults.Min | SearchResults.Max | SearchResults.Partial)) return found;
        var kept = Has(SearchResults.Partial) ? Partial.Of(found) : [];
        if (Has(SearchResults.Min)) kept.Add(found[0]);
        if (Has(SearchResults.Max)) kept.Add(found[^1]);
        return kept;
    }
}
