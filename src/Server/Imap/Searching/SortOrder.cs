using CbaMail.Mailboxes;
using CbaMail.Text;

namespace CbaMail.Imap.Searching;

/// <summary>What messages are sorted by (RFC 5256 3, RFC 5957 4, RFC 6203 6).</summary>
internal enum SortField { Arrival, Cc, Date, DisplayFrom, DisplayTo, From, Relevancy, Size, Subject, To }

/// <summary>
/// An order of messages: criteria, each perhaps reversed, and at last the place in the mailbox, which is never reversed (RFC 5256 3).
/// The values come from the database alone and are decoded once a command.
/// </summary>
internal sealed class SortOrder
{
    const int MostCriteria = 32, MostInserted = 50;

    /// <summary>The value of a message by a criterion.</summary>
    public readonly record struct Key(long Number, string Text);

    readonly record struct Criterion(SortField Field, bool Reverse);

    readonly List<Criterion> criteria = [];
    string name = ""; // the same for orders that are the same

    /// <summary>RFC 5256 5: "(REVERSE ARRIVAL SUBJECT)"</summary>
    public static SortOrder Parse(ref ImapReader arguments)
    {
        var order = new SortOrder();
        arguments.Open();
        do
        {
            var word = arguments.Keyword();
            var reverse = word == "REVERSE";
            if (reverse)
            {
                arguments.Space();
                word = arguments.Keyword();
            }
            SortField? field = word switch
            {
                "ARRIVAL" => SortField.Arrival,
                "CC" => SortField.Cc,
                "DATE" => SortField.Date,
                "DISPLAYFROM" => SortField.DisplayFrom,
                "DISPLAYTO" => SortField.DisplayTo,
                "FROM" => SortField.From,
                "RELEVANCY" => SortField.Relevancy,
                "SIZE" => SortField.Size,
                "SUBJECT" => SortField.Subject,
                "TO" => SortField.To,
                _ => null,
            };
            if (field is null) arguments.Refuse($"{word} is not a sort criterion");
            else if (!order.criteria.Exists(c => c.Field == field)) order.Add(new(field.Value, reverse)); // a second time it decides nothing
            if (order.criteria.Count > MostCriteria) arguments.Refuse("Too many sort criteria");
        }
        while (!arguments.Failed && arguments.Take((byte)' '));
        arguments.Close();
        return order;
    }

    void Add(Criterion criterion)
    {
        criteria.Add(criterion);
        name += $" {(criterion.Reverse ? "REVERSE " : "")}{criterion.Field}";
        Parts |= criterion.Field switch
        {
            SortField.Arrival or SortField.Relevancy or SortField.Size => EnvelopeParts.None,
            SortField.Date => EnvelopeParts.Date,
            _ => EnvelopeParts.Envelope,
        };
        Fields = Math.Max(Fields, criterion.Field switch
        {
            SortField.From or SortField.DisplayFrom => EnvelopeFields.ToFrom,
            SortField.To or SortField.DisplayTo or SortField.Cc => EnvelopeFields.All,
            _ => EnvelopeFields.ToSubject,
        });
    }

    EnvelopeParts Parts { get; set; }
    int Fields { get; set; }

    public bool UsesRelevancy => criteria.Exists(c => c.Field == SortField.Relevancy);

    /// <summary>The found messages in this order.</summary>
    public async ValueTask<List<int>> SortAsync(ImapSession session, SelectedMailbox mailbox, List<int> found, Relevancy? relevancy)
    {
        var (known, shape) = (session.Context.Recollection, ViewShape.Of(mailbox));
        var key = new Recollection.Key(mailbox.Id, 0, "SORT" + name);
        if (!UsesRelevancy && mailbox.Count >= Recollection.LeastMessages && known.Find<SortedView>(key) is { } view)
        {
            if (view.Shape != shape && view.Shape.IsFirstOf(mailbox) && Extended(session, mailbox, view) is { } longer) known.Keep(key, view = longer, 4L * longer.Order.Length + 500);
            if (view.Shape == shape) return view.Of(found);
        }
        var width = criteria.Count;
        // RFC 5256 3: one that has just been expunged still has a number; it sorts as an empty one
        var keys = Empty(found.Count * width);
        var (all, fields) = (new List<SortTexts>(), Fields);
        await EnvelopeWalk.ReadAsync(session, mailbox, found, Parts, () =>
        {
            var texts = new SortTexts();
            all.Add(texts);
            return (int position, in EnvelopeRow row) => Take(row, fields, keys.AsSpan(position * width, width), texts);
        });
        Score(keys, found, relevancy);
        Rank(keys, all);
        var order = Ordered(keys, found.Count);
        if (!UsesRelevancy && found.Count == mailbox.Count && found.Count >= Recollection.LeastMessages)
            known.Keep(key, new SortedView(shape, order), 4L * order.Length + 500);
        var sorted = new List<int>(order.Length);
        foreach (var i in order) sorted.Add(found[i]);
        return sorted;
    }

    // those that have come since take their places among the others: a search by halves for each
    SortedView? Extended(ImapSession session, SelectedMailbox mailbox, SortedView view)
    {
        if (mailbox.Count - view.Shape.Count > MostInserted) return null;
        var order = new List<int>(mailbox.Count);
        order.AddRange(view.Order);
        using var reader = session.Mail.Read();
        for (var i = view.Shape.Count; i < mailbox.Count; i++)
        {
            if (Known(i) is not { } own) return null;
            var (from, to) = (0, order.Count);
            while (from < to)
            {
                var half = (from + to) / 2;
                if (Known(order[half]) is not { } other) return null; // one that is gone is of no order any more
                if (Compare(other, own) <= 0) from = half + 1;
                else to = half;
            }
            order.Insert(from, i);
        }
        return new(ViewShape.Of(mailbox), [.. order]);

        Key[]? Known(int index) => reader.Message(mailbox.Id, mailbox.Uid(index)) is null ? null : KeysOf(reader, mailbox.Id, mailbox.Uid(index));
    }

    int[] Ordered(Key[] keys, int count)
    {
        var (width, order) = (criteria.Count, new int[count]);
        if (width == 1 && Packed(keys, criteria[0].Reverse) is { } packed)
        {
            Array.Sort(packed);
            for (var i = 0; i < count; i++) order[i] = (int)packed[i];
            return order;
        }
        for (var i = 0; i < order.Length; i++) order[i] = i;
        Array.Sort(order, (one, other) =>
        {
            for (int a = one * width, b = other * width, i = 0; i < width; i++)
            {
                var difference = keys[a + i].Number.CompareTo(keys[b + i].Number);
                if (difference != 0) return criteria[i].Reverse ? -difference : difference;
            }
            return one - other;
        });
        return order;
    }

    // number and place in one, where the numbers do not lie too far apart: these need nobody who compares them
    static long[]? Packed(Key[] keys, bool reverse)
    {
        var (least, most) = (long.MaxValue, long.MinValue);
        foreach (var key in keys) (least, most) = (Math.Min(least, key.Number), Math.Max(most, key.Number));
        if (keys.Length > 0 && (ulong)(most - least) >= int.MaxValue) return null;
        var packed = new long[keys.Length];
        for (var i = 0; i < packed.Length; i++) packed[i] = (reverse ? most - keys[i].Number : keys[i].Number - least) << 32 | (uint)i;
        return packed;
    }

    static Key[] Empty(int count)
    {
        var keys = new Key[count];
        for (var i = 0; i < count; i++) keys[i] = new(0, "");
        return keys;
    }

    void Take(in EnvelopeRow row, int fields, Span<Key> keys, SortTexts texts)
    {
        var envelope = new EnvelopeFields(row.Envelope, fields);
        for (var i = 0; i < keys.Length; i++) keys[i] = Of(criteria[i].Field, row, envelope, texts);
    }

    // RFC 6203 6: the highest score first
    void Score(Key[] keys, List<int> found, Relevancy? relevancy)
    {
        if (criteria.FindIndex(c => c.Field == SortField.Relevancy) is var at && at < 0) return;
        for (var i = 0; i < found.Count; i++) keys[i * criteria.Count + at] = new Key(-(relevancy?.Of(found[i]) ?? 1), "");
    }

    // each text is compared with the others once; after that its place among them stands for it
    static void Rank(Key[] keys, List<SortTexts> texts)
    {
        var sorted = texts.Count == 1 ? texts[0].All() : [.. texts.SelectMany(some => some.All()).Distinct(StringComparer.Ordinal)];
        if (sorted.Length == 0) return; // numbers are all there is
        Array.Sort(sorted, Casemap.Compare);
        var ranks = new Dictionary<string, int>(sorted.Length, StringComparer.Ordinal);
        for (var i = 0; i < sorted.Length; i++) ranks[sorted[i]] = i;
        for (var i = 0; i < keys.Length; i++)
            if (keys[i].Number == 0) keys[i] = new Key(ranks.GetValueOrDefault(keys[i].Text), "");
    }

    /// <summary>The values of one message.</summary>
    public Key[] KeysOf(MailReader reader, long mailboxId, uint uid)
    {
        var keys = Empty(criteria.Count);
        reader.Envelopes(mailboxId, uid, uid, Parts, (in EnvelopeRow row) => Take(row, Fields, keys, new SortTexts()));
        return keys;
    }

    public int Compare(ReadOnlySpan<Key> one, ReadOnlySpan<Key> other)
    {
        for (var i = 0; i < criteria.Count; i++)
        {
            var difference = one[i].Number.CompareTo(other[i].Number);
            if (difference == 0 && !ReferenceEquals(one[i].Text, other[i].Text)) difference = Casemap.Compare(one[i].Text, other[i].Text);
            if (difference != 0) return criteria[i].Reverse ? -difference : difference;
        }
        return 0;
    }

    static Key Of(SortField field, in EnvelopeRow row, EnvelopeFields envelope, SortTexts texts) => field switch
    {
        SortField.Arrival => new(Seconds(row.Received), ""),
        SortField.Date => new(Seconds(row.Sent ?? row.Received), ""), // RFC 5256 2.2
        SortField.Relevancy => new(0, ""), // not the row's to say
        SortField.Size => new(row.Size, ""),
        SortField.Subject => new(0, texts.Subject(envelope.Subject)),
        _ => new(0, texts.Key(AddressOf(field, envelope))),
    };

    // as INTERNALDATE and Date show it: what looks the same stands in the order of the mailbox (RFC 5256 3)
    static long Seconds(DateTimeOffset time) => time.ToUnixTimeSeconds();

    static string AddressOf(SortField field, EnvelopeFields envelope)
    {
        var address = field switch
        {
            SortField.From or SortField.DisplayFrom => envelope.From,
            SortField.Cc => envelope.Cc,
            _ => envelope.To,
        };
        if (address is not { } known) return "";
        if (field is not (SortField.DisplayFrom or SortField.DisplayTo)) return known.Mailbox ?? ""; // RFC 5256 3: addr-mailbox
        // RFC 5957 3
        if (known.Name is { } name && EncodedWord.Decode(name) is { Length: > 0 } decoded) return decoded;
        return known is { Mailbox: not null, Host: not null } ? $"{known.Mailbox}@{known.Host}" : known.Mailbox ?? "";
    }
}

/// <summary>Texts as they are compared; people write more than once, and about one thing: each is worked out once and kept once.</summary>
internal sealed class SortTexts
{
    readonly Dictionary<string, string> keys = new(StringComparer.Ordinal);
    readonly Dictionary<string, string> subjects = new(StringComparer.Ordinal);
    readonly Dictionary<string, string> known = new(StringComparer.Ordinal);

    public string Key(string text) => keys.TryGetValue(text, out var key) ? key : keys[text] = Once(Casemap.Key(text));

    /// <param name="subject">As it stands in the field.</param>
    public string Subject(string subject) => subjects.TryGetValue(subject, out var key) ? key : subjects[subject] = Once(Casemap.Key(BaseSubject.Of(subject).Text));

    string Once(string key)
    {
        if (known.TryAdd(key, key)) return key;
        return known[key];
    }

    /// <summary>The different keys.</summary>
    public string[] All() => [.. known.Keys];
}
