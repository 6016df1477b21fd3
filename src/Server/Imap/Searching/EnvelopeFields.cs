using CbaMail.Mailboxes;

namespace CbaMail.Imap.Searching;

/// <summary>An address of an ENVELOPE (RFC 9051 7.5.2); only the first of a list is kept.</summary>
internal readonly record struct EnvelopeAddress(string? Name, string? Mailbox, string? Host);

/// <summary>What sorting and threading use of a stored ENVELOPE; texts are as they stand there, encoded-words and all.</summary>
internal readonly record struct EnvelopeFields(string Subject, EnvelopeAddress? From, EnvelopeAddress? To, EnvelopeAddress? Cc, string InReplyTo, string MessageId)
{
    // RFC 9051 9, envelope: date subject from sender reply-to to cc bcc in-reply-to message-id
    public static EnvelopeFields Parse(byte[] envelope)
    {
        var reader = new ImapReader(envelope);
        reader.Open();
        reader.Nstring();
        reader.Space();
        var subject = reader.Nstring() ?? "";
        reader.Space();
        var from = First(ref reader);
        reader.Space();
        First(ref reader);
        reader.Space();
        First(ref reader);
        reader.Space();
        var to = First(ref reader);
        reader.Space();
        var cc = First(ref reader);
        reader.Space();
        First(ref reader);
        reader.Space();
        var inReplyTo = reader.Nstring() ?? "";
        reader.Space();
        return new(subject, from, to, cc, inReplyTo, reader.Nstring() ?? "");
    }

    static EnvelopeAddress? First(ref ImapReader reader)
    {
        if (!reader.TakeOpen())
        {
            reader.Nstring();
            return null;
        }
        EnvelopeAddress? first = null;
        do
        {
            reader.Open();
            var name = reader.Nstring();
            reader.Space();
            reader.Nstring();
            reader.Space();
            var mailbox = reader.Nstring();
            reader.Space();
            first ??= new(name, mailbox, reader.Nstring());
            reader.Close();
            reader.Take((byte)' ');
        }
        while (!reader.Failed && !reader.TakeClose());
        return first;
    }
}

/// <summary>Reads the envelopes of found messages, many at once, in short snapshots.</summary>
internal static class EnvelopeWalk
{
    const int AtOnce = 500;

    /// <param name="found">Indexes, rising.</param>
    /// <returns>The place in <paramref name="found"/> with the row; messages that are gone are left out.</returns>
    public static async IAsyncEnumerable<(int Position, MessageEnvelope Row)> ReadAsync(ImapSession session, SelectedMailbox mailbox, List<int> found, bool withEnvelope)
    {
        var rows = new List<MessageEnvelope>();
        for (var from = 0; from < found.Count;)
        {
            session.Cancel.ThrowIfCancellationRequested();
            var to = Math.Min(found.Count, from + AtOnce);
            rows.Clear();
            using (var reader = session.Mail.Read())
            {
                for (var i = from; i < to;)
                {
                    var run = i;
                    while (run + 1 < to && found[run + 1] == found[run] + 1) run++;
                    rows.AddRange(reader.Envelopes(mailbox.Id, mailbox.Uid(found[i]), mailbox.Uid(found[run]), withEnvelope));
                    i = run + 1;
                }
            }
            var position = from;
            foreach (var row in rows)
            {
                while (position < to && mailbox.Uid(found[position]) < row.Uid) position++;
                if (position < to && mailbox.Uid(found[position]) == row.Uid) yield return (position, row);
            }
            from = to;
            if (from < found.Count) await Task.Yield();
        }
    }
}
