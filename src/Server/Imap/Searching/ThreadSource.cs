using System.Text;
using CbaMail.Mailboxes;
using CbaMail.Mime;
using CbaMail.Text;

namespace CbaMail.Imap.Searching;

/// <summary>Reads what threading needs of messages; of bodies only the References field.</summary>
internal static class ThreadSource
{
    // header bytes that References is looked for in
    const int MostHeader = 64 * 1024;
    const int AtOnce = 200;

    public static async ValueTask<List<ThreadMessage>> ReadAsync(ImapSession session, SelectedMailbox mailbox, List<int> found, bool ids, bool subjects)
    {
        var messages = new List<ThreadMessage>(found.Count);
        var known = new Dictionary<string, string>(StringComparer.Ordinal);
        var rows = new List<(int Position, MessageEnvelope Row)>(AtOnce);
        await foreach (var read in EnvelopeWalk.ReadAsync(session, mailbox, found, EnvelopeDepth.Envelope))
        {
            rows.Add(read);
            if (rows.Count < AtOnce) continue;
            Take();
        }
        Take();
        return messages;

        void Take()
        {
            session.Cancel.ThrowIfCancellationRequested();
            using var reader = ids ? session.Mail.Read() : null;
            foreach (var (position, row) in rows) messages.Add(Of(found[position], row, reader));
            rows.Clear();
        }

        ThreadMessage Of(int index, in MessageEnvelope row, MailReader? reader)
        {
            var envelope = new EnvelopeFields(row.Envelope);
            var (subject, isReply) = subjects ? BaseSubject.Of(envelope.Subject) : ("", false);
            subject = Casemap.Key(subject);
            if (!known.TryAdd(subject, subject)) subject = known[subject];
            string? id = null;
            IReadOnlyList<string> references = [];
            if (reader is not null)
            {
                id = Threads.Normal(MessageId.Parse(System.Text.Encoding.UTF8.GetBytes(envelope.MessageId)));
                references = Threads.Ancestors(ReferencesOf(reader, row.ContentId), envelope.InReplyTo);
            }
            return new(index, id, references, subject, isReply, (row.Sent ?? row.Received).UtcTicks, row.Received.UtcTicks);
        }
    }

    // one damaged body is without references
    static IReadOnlyList<string> ReferencesOf(MailReader reader, long contentId)
    {
        if (reader.Content(contentId) is not { } content) return [];
        byte[] bytes;
        try { bytes = content.Read(0, 8192); }
        catch (Storage.Blobs.DamageError) { return []; }
        if (bytes.Length == 8192 && bytes.AsSpan().IndexOf("\r\n\r\n"u8) < 0) bytes = content.Read(0, MostHeader);
        var fields = new HeaderReader(bytes, 0, top: true);
        while (fields.Next(out var field))
            if (field.NameLength == 10 && Ascii.EqualsIgnoreCase(bytes.AsSpan(field.Start, 10), "References"u8)) return MessageId.ParseList(bytes.AsSpan(field.ValueStart..field.End));
        return [];
    }
}
