using System.Text;
using CbaMail.Imap.Searching;
using CbaMail.Mailboxes;
using CbaMail.Storage.Search;
using CbaMail.Text;

namespace CbaMail.Imap.Commands;

/// <summary>
/// The grammar of search keys (RFC 9051 6.4.4, RFC 3501 6.4.4; WITHIN: RFC 5032; MODSEQ: RFC 7162 3.1.5; SAVEDATE: RFC 8514 4.3; FUZZY: RFC 6203;
/// FILTER: RFC 5466 3.1).
/// </summary>
/// <param name="filters">The search that a name stands for, or null.</param>
internal ref struct SearchKeys(SelectedMailbox mailbox, Encoding? charset, DateTimeOffset now, int most, Func<string, byte[]?> filters)
{
    /// <summary>NOT and OR within each other.</summary>
    const int MaxDepth = 1000;
    /// <summary>Filters that name filters; RFC 5466 3.1 asks for 3.</summary>
    const int MaxPasses = 10;

    readonly List<string> passes = [];

    int count;
    int depth;
    int fuzzy; // within so many FUZZY

    /// <summary>RFC 7162 3.1.5: the answer then tells the highest modification sequence.</summary>
    public bool UsesModSeq { get; private set; }

    /// <summary>Why the search cannot be done although its grammar is right, or null.</summary>
    public Outcome? Refusal { get; private set; }

    /// <summary>RFC 6203 4: there are scores.</summary>
    public bool UsesFuzzy { get; private set; }

    /// <summary>One key or more, all to be true.</summary>
    public SearchKey All(ref ImapReader arguments)
    {
        var keys = new List<SearchKey>();
        do keys.Add(One(ref arguments));
        while (!arguments.Failed && arguments.Take((byte)' ') && !arguments.AtEnd);
        return SearchKey.And(keys);
    }

    SearchKey One(ref ImapReader arguments)
    {
        if (++count > most) arguments.Refuse($"Too many search keys: {most} at most");
        if (++depth > MaxDepth) arguments.Refuse("The search keys are nested too deeply");
        // RFC 9586 3.4: in UID SEARCH too
        if (arguments is { UidOnly: true, IsSet: true } && arguments.Next != '$') arguments.Refuse("Messages are named by UID alone now", "UIDREQUIRED");
        if (arguments.Failed) return SearchKey.All;
        var key = arguments.Next == '(' ? List(ref arguments)
            : arguments.IsSet ? Sequence(arguments.Set())
            : Named(ref arguments, arguments.Keyword());
        depth--;
        return key;
    }

    SearchKey List(ref ImapReader arguments)
    {
        arguments.Open();
        var keys = All(ref arguments);
        arguments.Close();
        return keys;
    }

    SearchKey Named(ref ImapReader arguments, string name)
    {
        if (FlagKey(name) is { } flag) return flag;
        switch (name)
        {
            case "NOT":
                arguments.Space();
                return SearchKey.Not(One(ref arguments));
            case "OR":
                arguments.Space();
                var one = One(ref arguments);
                arguments.Space();
                return SearchKey.Or(one, One(ref arguments));
            case "FUZZY":
                arguments.Space();
                return Fuzzy(ref arguments);
            case "UID":
                arguments.Space();
                return Uids(arguments.Set());
            case "KEYWORD" or "UNKEYWORD":
                arguments.Space();
                var keyword = arguments.Atom();
                return new(SearchCost.View, c => c.Mailbox.HasKeyword(c.Index, keyword) == (name == "KEYWORD"));
            case "LARGER" or "SMALLER":
                arguments.Space();
                var size = arguments.Number64();
                return new(SearchCost.Row, c => c.Size is { } known && (name == "LARGER" ? known > size : known < size));
            case "OLDER" or "YOUNGER":
                arguments.Space();
                var edge = now.ToUnixTimeSeconds() - arguments.NonZero(); // RFC 5032 2: to the second
                return SearchKey.Row(r => name == "OLDER" ? r.Received.ToUnixTimeSeconds() <= edge : r.Received.ToUnixTimeSeconds() >= edge);
            case "MODSEQ":
                arguments.Space();
                return ModSeq(ref arguments);
            case "FILTER":
                arguments.Space();
                return Filter(ref arguments);
            case "EMAILID" or "THREADID":
                arguments.Space();
                return ObjectId(ref arguments, name);
            case "SAVEDATESUPPORTED":
                return SearchKey.All;
            case "BEFORE" or "ON" or "SINCE" or "SENTBEFORE" or "SENTON" or "SENTSINCE" or "SAVEDBEFORE" or "SAVEDON" or "SAVEDSINCE":
                arguments.Space();
                return DateKey(name, arguments.Date());
            default:
                return TextKey(ref arguments, name);
        }
    }

    // RFC 5466 3.1. What it stands for is one key, as if in parentheses; sets of messages in it are read now
    SearchKey Filter(ref ImapReader arguments)
    {
        var name = arguments.Atom();
        if (name.Contains('/')) arguments.Fail("the name of a filter");
        if (charset is not (null or UTF8Encoding or ASCIIEncoding)) arguments.Refuse("Filters are in UTF-8", "BADCHARSET (UTF-8 US-ASCII)");
        if (arguments.Failed) return SearchKey.All;
        if (passes.Count >= MaxPasses || passes.Contains(name, StringComparer.OrdinalIgnoreCase) || filters(name) is not { } text)
        {
            Refusal ??= Outcome.No("There is no filter of that name", $"UNDEFINED-FILTER {name}");
            arguments.Refuse("There is no filter of that name");
            return SearchKey.All;
        }
        var nested = new ImapReader(text) { Utf8 = arguments.Utf8, UidOnly = arguments.UidOnly };
        var kept = charset;
        passes.Add(name);
        charset = null; // UTF-8
        var key = All(ref nested);
        nested.End();
        passes.RemoveAt(passes.Count - 1);
        charset = kept;
        if (!nested.Failed) return key;
        Refusal ??= Outcome.No($"The filter is not a search: {nested.Error}");
        arguments.Refuse("The filter is not a search");
        return SearchKey.All;
    }

    // RFC 6203 3, 5: texts are found in other forms; what is no text is meant as it stands
    SearchKey Fuzzy(ref ImapReader arguments)
    {
        UsesFuzzy = true;
        fuzzy++;
        var key = One(ref arguments);
        fuzzy--;
        return key;
    }

    static SearchKey? FlagKey(string name) => name switch
    {
        "ALL" => SearchKey.All,
        "ANSWERED" => SearchKey.Flag(MessageFlags.Answered, true),
        "UNANSWERED" => SearchKey.Flag(MessageFlags.Answered, false),
        "DELETED" => SearchKey.Flag(MessageFlags.Deleted, true),
        "UNDELETED" => SearchKey.Flag(MessageFlags.Deleted, false),
        "DRAFT" => SearchKey.Flag(MessageFlags.Draft, true),
        "UNDRAFT" => SearchKey.Flag(MessageFlags.Draft, false),
        "FLAGGED" => SearchKey.Flag(MessageFlags.Flagged, true),
        "UNFLAGGED" => SearchKey.Flag(MessageFlags.Flagged, false),
        "SEEN" => SearchKey.Flag(MessageFlags.Seen, true),
        "UNSEEN" => SearchKey.Flag(MessageFlags.Seen, false),
        // RFC 3501 6.4.4
        "RECENT" => new(SearchCost.View, c => c.Mailbox.IsRecent(c.Index)),
        "OLD" => new(SearchCost.View, c => !c.Mailbox.IsRecent(c.Index)),
        "NEW" => new(SearchCost.View, c => c.Mailbox.IsRecent(c.Index) && (c.Mailbox.Flags(c.Index) & MessageFlags.Seen) == 0),
        _ => null,
    };

    SearchKey Sequence(SequenceSet set)
    {
        if (set.IsSaved) return Saved();
        // RFC 5267 4.3, RFC 9051 6.4.4: numbers mean the messages that have them now
        var ranges = new List<(uint From, uint To)>();
        foreach (var (from, to) in set.Normalize((uint)mailbox.Count))
            if (from >= 1 && from <= mailbox.Count) ranges.Add((mailbox.Uid((int)from - 1), mailbox.Uid((int)Math.Min(to, (uint)mailbox.Count) - 1)));
        return new(SearchCost.View, c => Within(ranges, c.Mailbox.Uid(c.Index)));
    }

    SearchKey Uids(SequenceSet set)
    {
        if (set.IsSaved) return Saved();
        var ranges = set.Normalize(mailbox.LastUid);
        return new(SearchCost.View, c => Within(ranges, c.Mailbox.Uid(c.Index)));
    }

    // RFC 5182 2.1: what is saved when the command comes; a later search may save another set
    readonly SearchKey Saved()
    {
        var saved = mailbox.Saved;
        return new(SearchCost.View, c => Array.BinarySearch(saved, c.Mailbox.Uid(c.Index)) >= 0);
    }

    static bool Within(List<(uint From, uint To)> ranges, uint number)
    {
        int low = 0, high = ranges.Count - 1;
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (number < ranges[middle].From) high = middle - 1;
            else if (number > ranges[middle].To) low = middle + 1;
            else return true;
        }
        return false;
    }

    // RFC 7162 3.1.5: MODSEQ ["/flags/\\draft" all] 620162338; we keep one sequence a message, so the entry does not matter
    SearchKey ModSeq(ref ImapReader arguments)
    {
        UsesModSeq = true;
        if (arguments.IsString)
        {
            arguments.StringBytes();
            arguments.Space();
            if (arguments.Keyword() is not ("PRIV" or "SHARED" or "ALL")) arguments.Fail("priv, shared or all");
            arguments.Space();
        }
        var least = arguments.Number64();
        return new(SearchCost.View, c => c.Mailbox.ModSeqOf(c.Index) >= least);
    }

    // RFC 8474 6, 7: exactly this one, in its case
    static SearchKey ObjectId(ref ImapReader arguments, string name)
    {
        var id = arguments.Atom();
        if (id.Length is 0 or > 255 || !id.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')) arguments.Fail("an object identifier");
        return name == "THREADID"
            ? new(SearchCost.Content, c => c.Ids?.ThreadId == id)
            : new(SearchCost.Row, c => c.Row is { } row && id.StartsWith(MessageIds.EmailStart(row.ContentId), StringComparison.Ordinal) && c.Ids?.EmailId == id);
    }

    // RFC 9051 6.4.4: times and zones are disregarded
    static SearchKey DateKey(string name, DateOnly date)
    {
        static bool Compare(string name, DateOnly day, DateOnly date) =>
            name.EndsWith("BEFORE", StringComparison.Ordinal) ? day < date
            : name.EndsWith("SINCE", StringComparison.Ordinal) ? day >= date
            : day == date;

        if (name.StartsWith("SENT", StringComparison.Ordinal))
            return new(SearchCost.Row, c => Sent(c, date) is { } sent && Compare(name, sent, date));
        return name.StartsWith("SAVED", StringComparison.Ordinal)
            ? SearchKey.Row(r => Compare(name, DateOnly.FromDateTime(r.Saved.UtcDateTime), date))
            : SearchKey.Row(r => Compare(name, DateOnly.FromDateTime(r.Received.UtcDateTime), date));
    }

    // no zone is a whole day away: mostly the day in UTC is enough to know
    static DateOnly? Sent(SearchCandidate candidate, DateOnly date)
    {
        if (candidate.Sent is not { } sent) return null;
        var day = DateOnly.FromDateTime(sent.UtcDateTime);
        return Math.Abs(day.DayNumber - date.DayNumber) > 1 ? day : candidate.SentOn ?? day;
    }

    SearchKey TextKey(ref ImapReader arguments, string name)
    {
        switch (name)
        {
            case "BCC" or "CC" or "FROM" or "SUBJECT" or "TO":
                arguments.Space();
                return Text(TextPlace.Field, name, ref arguments);
            case "HEADER":
                arguments.Space();
                var field = arguments.Astring();
                arguments.Space();
                return Text(TextPlace.Field, field, ref arguments);
            case "BODY":
                arguments.Space();
                return Text(TextPlace.Body, null, ref arguments);
            case "TEXT":
                arguments.Space();
                return Text(TextPlace.Anywhere, null, ref arguments);
            default:
                arguments.Refuse($"{name} is not a search key");
                return SearchKey.All;
        }
    }

    // RFC 5255 4.2: by i;unicode-casemap
    readonly SearchKey Text(TextPlace place, string? field, ref ImapReader arguments)
    {
        var bytes = arguments.AstringBytes();
        var key = Casemap.Key(charset is null ? ImapReader.Decode(bytes) : charset.GetString(bytes));
        return IndexedText.Key(new TextQuestion(place, field, key), fuzzy > 0);
    }
}
