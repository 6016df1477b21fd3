using CbaMail.Imap.Searching;
using CbaMail.Mailboxes;
using CbaMail.Mime;
using CbaMail.Storage.Search;

namespace CbaMail.Imap.Commands;

/// <summary>What it costs to decide a key: the view in memory, the message's row, its body.</summary>
internal enum SearchCost { View, Row, Content }

/// <summary>A search key as a question about one message. Cheap ones are asked first, so that few bodies are read.</summary>
internal sealed record SearchKey(SearchCost Cost, Func<SearchCandidate, bool> Matches)
{
    public static readonly SearchKey All = new(SearchCost.View, _ => true);

    /// <summary>Texts of one search that the index is asked for; further ones look.</summary>
    const int MostTexts = 32;

    /// <summary>The texts in it that the index is asked for.</summary>
    public IReadOnlyList<IndexedText> Texts { get; init; } = [];

    /// <summary>The texts in it that have scores (RFC 6203 4).</summary>
    public IReadOnlyList<FuzzyText> Fuzzy { get; init; } = [];

    /// <summary>What the index says, without a look at row or body.</summary>
    public Func<SearchCandidate, Verdict>? Guess { get; init; }

    /// <summary>How well a message fits that has been found: 1 to 100, the mean of the texts that it has (RFC 6203 4).</summary>
    public int RelevanceOf(SelectedMailbox mailbox, int index)
    {
        var (sum, count) = (0, 0);
        foreach (var text in Fuzzy)
        {
            if (text.RelevanceOf(mailbox.Uid(index)) is not (> 0 and var score)) continue;
            sum += score;
            count++;
        }
        return count == 0 ? 100 : sum / count; // found by what is no text, and that to the letter
    }

    static IReadOnlyList<T> First<T>(IEnumerable<T> texts) => [.. texts.Take(MostTexts)];

    public static SearchKey Not(SearchKey key) => new(key.Cost, c => !key.Matches(c)) { Texts = key.Texts };

    public static SearchKey Or(SearchKey one, SearchKey other)
    {
        var (first, second) = one.Cost <= other.Cost ? (one, other) : (other, one);
        return new(second.Cost, c => first.Matches(c) || second.Matches(c)) { Texts = First(one.Texts.Concat(other.Texts)), Fuzzy = First(one.Fuzzy.Concat(other.Fuzzy)) };
    }

    public static SearchKey And(List<SearchKey> keys)
    {
        if (keys.Count == 1) return keys[0];
        var sorted = keys.OrderBy(k => k.Cost).ToArray();
        var guessed = sorted.Where(key => key.Guess is not null).ToArray();
        return new(sorted[^1].Cost, c =>
        {
            foreach (var key in guessed)
                if (key.Guess!(c) == Verdict.No) return false;
            foreach (var key in sorted)
                if (!key.Matches(c)) return false;
            return true;
        })
        { Texts = First(sorted.SelectMany(key => key.Texts)), Fuzzy = First(sorted.SelectMany(key => key.Fuzzy)) };
    }

    public static SearchKey Flag(MessageFlags flag, bool set) =>
        new(SearchCost.View, c => (c.Mailbox.Flags(c.Index) & flag) != 0 == set);

    public static SearchKey Row(Func<MessageRow, bool> test) => new(SearchCost.Row, c => c.Row is { } row && test(row));
}

/// <summary>Rows of messages that are asked for one after the other: whoever asks for the next as well will go on, and more and more are read at once.</summary>
internal sealed class RowsAhead<T>(SelectedMailbox mailbox, Func<T, uint> uidOf, Func<MailReader, uint, uint, List<T>> read, int most = 256) where T : struct
{
    MailReader? of;
    List<T>? rows;
    int at, last = -2, ahead = 1;

    /// <summary>The row of the last message that was asked for, if it is this one.</summary>
    public T? Last(int index) => index == last && at < rows?.Count && uidOf(rows[at]) == mailbox.Uid(index) ? rows[at] : null;

    /// <summary>Null when it has been expunged meanwhile.</summary>
    /// <param name="cost">Grows by what was read.</param>
    public T? Of(int index, MailReader reader, ref int cost)
    {
        var uid = mailbox.Uid(index);
        if (reader != of || index != last + 1 || rows is not { Count: > 0 } || uidOf(rows[^1]) < uid)
        {
            ahead = index == last + 1 ? Math.Min(most, ahead * 2) : 1;
            rows = read(reader, uid, mailbox.Uid(Math.Min(mailbox.Count - 1, index + ahead - 1)));
            (of, at) = (reader, 0);
            cost += 1 + ahead / 16;
        }
        last = index;
        while (at < rows.Count && uidOf(rows[at]) < uid) at++;
        return at < rows.Count && uidOf(rows[at]) == uid ? rows[at] : null;
    }
}

/// <summary>The message under judgement; reads its row and its body when a key first asks.</summary>
internal sealed class SearchCandidate(SelectedMailbox mailbox)
{
    readonly RowsAhead<MessageRow> rows = new(mailbox, row => row.Uid, (reader, from, to) => reader.Messages(mailbox.Id, from, to));
    readonly RowsAhead<MessageEnvelope> dates = new(mailbox, row => row.Uid, (reader, from, to) => reader.Envelopes(mailbox.Id, from, to, EnvelopeParts.Date));
    readonly RowsAhead<MessageFieldRow> fields = new(mailbox, row => row.Uid, (reader, from, to) => reader.Fields(mailbox.Id, from, to), most: 64); // two kilobytes each, at most
    MailReader? reader;
    MessageRow? row;
    MessageContent? content;
    SearchText? text;
    bool rowRead, contentRead;
    int reads;

    public SelectedMailbox Mailbox => mailbox;
    public int Index { get; private set; }
    /// <summary>A key has asked for a message that has been expunged meanwhile.</summary>
    public bool HasMissed { get; private set; }
    /// <summary>Bodies read since the last reset of the counter.</summary>
    public int Reads { get => reads; set => reads = value; }

    public void MoveTo(int index, MailReader snapshot) => (Index, reader, row, content, text, rowRead, contentRead) = (index, snapshot, null, null, null, false, false);

    /// <summary>Keeps nothing of the message while others have a turn: its text may be large.</summary>
    public void Leave() => (reader, row, content, text, rowRead, contentRead) = (null, null, null, null, false, false);

    /// <summary>Null when it has been expunged meanwhile.</summary>
    public MessageRow? Row
    {
        get
        {
            if (rowRead) return row;
            rowRead = true;
            return row = Known(rows.Of(Index, reader!, ref reads));
        }
    }

    /// <summary>Octets; null when it has been expunged meanwhile.</summary>
    public long? Size => dates.Last(Index)?.Size ?? Row?.Size;

    /// <summary>The Date field in UTC, or null.</summary>
    public DateTimeOffset? Sent => Known(dates.Of(Index, reader!, ref reads))?.Sent;

    /// <summary>The day of the Date field as its writer saw it: time and zone are disregarded.</summary>
    public DateOnly? SentOn
    {
        get
        {
            reads += 4;
            return Known(First(reader!.Envelopes(mailbox.Id, mailbox.Uid(Index), mailbox.Uid(Index), EnvelopeParts.Envelope))) is { } known
                && MailDate.TryParse(new EnvelopeFields(known.Envelope, EnvelopeFields.ToDate).Date, out var date) ? DateOnly.FromDateTime(date.DateTime) : null;
        }
    }

    public MessageContent? Content
    {
        get
        {
            if (contentRead) return content;
            contentRead = true;
            Reads += 4;
            return content = Row is { } known ? reader!.Content(mailbox.Id, known) : null;
        }
    }

    /// <summary>Null when it has been expunged meanwhile.</summary>
    public MessageIds? Ids
    {
        get
        {
            Reads++;
            return Known(First(reader!.Ids(mailbox.Id, mailbox.Uid(Index), mailbox.Uid(Index))));
        }
    }

    /// <summary>Whether the place has the text; without a look at the body where that is a field that stands in the row.</summary>
    public bool Contains(TextQuestion question)
    {
        if (text is null && question is { Place: TextPlace.Field, Field: { } name } && KeptFields.Has(name)
            && fields.Of(Index, reader!, ref reads) is { Kept: { } kept } row)
            return SearchText.FieldContains(row.Prefix, name, question.Needle) || SearchText.FieldContains(kept, name, question.Needle);
        return Text?.Contains(question) == true;
    }

    static T? First<T>(List<T> rows) where T : struct => rows is [var one] ? one : null;

    T? Known<T>(T? found) where T : struct
    {
        HasMissed |= found is null;
        return found;
    }

    public SearchText? Text => text ??= Content is { } known ? new SearchText(known) : null;
}
