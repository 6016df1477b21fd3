using CbaMail.Mailboxes;
using CbaMail.Text;

namespace CbaMail.Imap.Searching;

/// <summary>What messages are sorted by (RFC 5256 3, RFC 5957 4).</summary>
internal enum SortField { Arrival, Cc, Date, DisplayFrom, DisplayTo, From, Size, Subject, To }

/// <summary>
/// An order of messages: criteria, each perhaps reversed, and at last the place in the mailbox, which is never reversed (RFC 5256 3).
/// The values come from the database alone and are decoded once a command.
/// </summary>
internal sealed class SortOrder
{
    const int MostCriteria = 32;

    /// <summary>The value of a message by a criterion.</summary>
    public readonly record struct Key(long Number, string Text);

    readonly List<(SortField Field, bool Reverse)> criteria = [];

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
                "SIZE" => SortField.Size,
                "SUBJECT" => SortField.Subject,
                "TO" => SortField.To,
                _ => null,
            };
            if (field is null) arguments.Refuse($"{word} is not a sort criterion");
            else if (!order.criteria.Exists(c => c.Field == field)) order.criteria.Add((field.Value, reverse)); // a second time it decides nothing
            if (order.criteria.Count > MostCriteria) arguments.Refuse("Too many sort criteria");
        }
        while (!arguments.Failed && arguments.Take((byte)' '));
        arguments.Close();
        return order;
    }

    bool NeedsEnvelope => criteria.Exists(c => c.Field is not (SortField.Arrival or SortField.Size or SortField.Date));

    /// <summary>The found messages in this order.</summary>
    public async ValueTask<List<int>> SortAsync(ImapSession session, SelectedMailbox mailbox, List<int> found)
    {
        var width = criteria.Count;
        var keys = new Key[found.Count * width];
        var known = new Dictionary<string, string>(StringComparer.Ordinal); // people write more than once
        var at = 0;
        // RFC 5256 3: one that has just been expunged still has a number; it sorts as an empty one
        for (var i = 0; i < keys.Length; i++) keys[i] = new Key(0, "");
        await foreach (var (position, row) in EnvelopeWalk.ReadAsync(session, mailbox, found, NeedsEnvelope))
        {
            at = position * width;
            foreach (var (field, _) in criteria)
            {
                var key = Of(field, row);
                if (key.Text.Length > 0)
                {
                    if (!known.TryAdd(key.Text, key.Text)) key = key with { Text = known[key.Text] };
                }
                keys[at++] = key;
            }
        }
        var order = new int[found.Count];
        for (var i = 0; i < order.Length; i++) order[i] = i;
        Array.Sort(order, (one, other) =>
        {
            var difference = Compare(keys.AsSpan(one * width, width), keys.AsSpan(other * width, width));
            return difference != 0 ? difference : one - other;
        });
        return [.. order.Select(i => found[i])];
    }

    /// <summary>The values of one message.</summary>
    public Key[] KeysOf(MailReader reader, long mailboxId, uint uid) =>
        reader.Envelopes(mailboxId, uid, uid, NeedsEnvelope) is [var row] ? [.. criteria.Select(c => Of(c.Field, row))] : [.. criteria.Select(_ => new Key(0, ""))];

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

    static Key Of(SortField field, in MessageEnvelope row) => field switch
    {
        SortField.Arrival => new(row.Received.UtcTicks, ""),
        SortField.Date => new((row.Sent ?? row.Received).UtcTicks, ""), // RFC 5256 2.2
        SortField.Size => new(row.Size, ""),
        SortField.Subject => new(0, Casemap.Key(BaseSubject.Of(EnvelopeFields.Parse(row.Envelope).Subject).Text)),
        _ => new(0, Casemap.Key(AddressOf(field, EnvelopeFields.Parse(row.Envelope)))),
    };

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
