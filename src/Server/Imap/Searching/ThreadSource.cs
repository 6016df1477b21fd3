using CbaMail.Mailboxes;
using CbaMail.Mime;
using CbaMail.Text;

namespace CbaMail.Imap.Searching;

/// <summary>Reads what threading needs of messages; of bodies nothing, unless they are from before their lineage was noted.</summary>
internal static class ThreadSource
{
    const int Patience = 16; // bodies read before others have a turn
    // header bytes that the fields are looked for in
    const int FirstHeader = 8 * 1024, MostHeader = 64 * 1024;

    public static async ValueTask<List<ThreadMessage>> ReadAsync(ImapSession session, SelectedMailbox mailbox, List<int> found, bool ids, bool subjects)
    {
        var (memory, key) = (session.Context.Recollection, new Recollection.Key(mailbox.Id, 0, "LINEAGE"));
        var isAll = ids && found.Count == mailbox.Count && found.Count >= Recollection.LeastMessages;
        var known = isAll && !subjects && memory.Find<LineageView>(key) is { } view && view.Shape.IsFirstOf(mailbox) ? view : null;
        if (known is not null) found = found[known.Shape.Count..];
        var messages = new ThreadMessage?[found.Count];
        var parts = EnvelopeParts.Date | (ids ? EnvelopeParts.Lineage : 0) | (subjects ? EnvelopeParts.Envelope : 0);
        var old = new List<(int Place, long Content)>(); // read when no snapshot waits for it
        await EnvelopeWalk.ReadAsync(session, mailbox, found, parts, () =>
        {
            var subjectOf = new Subjects();
            return (int position, in EnvelopeRow row) =>
            {
                var (subject, isReply) = subjects ? subjectOf.Of(new EnvelopeFields(row.Envelope, EnvelopeFields.ToSubject).Subject) : ("", false);
                var (id, references) = ids ? Lineage.Read(row.Lineage) : (0, []);
                if (ids && !row.HasLineage)
                    lock (old) old.Add((position, row.ContentId));
                messages[position] = new(found[position], id, references, subject, isReply, (row.Sent ?? row.Received).UtcTicks, row.Received.UtcTicks);
            };
        });
        foreach (var (place, content) in old)
        {
            session.Cancel.ThrowIfCancellationRequested();
            var (id, references) = Lineage.Read(LineageOf(session, content));
            messages[place] = messages[place]! with { Id = id, References = references };
            if (place % Patience == 0) await Task.Yield();
        }
        List<ThreadMessage> all = [.. known?.Messages() ?? [], .. messages.OfType<ThreadMessage>()];
        if (isAll && all.Count == mailbox.Count && (known is null || found.Count > 0) && LineageView.Of(ViewShape.Of(mailbox), all) is var kept) memory.Keep(key, kept, kept.Bytes);
        return all;
    }

    /// <summary>Base subjects; replies share theirs.</summary>
    sealed class Subjects
    {
        readonly Dictionary<string, (string Text, bool IsReply)> bases = new(StringComparer.Ordinal);
        readonly Dictionary<string, string> texts = new(StringComparer.Ordinal);

        public (string Text, bool IsReply) Of(string subject)
        {
            if (bases.TryGetValue(subject, out var known)) return known;
            var (text, isReply) = BaseSubject.Of(subject);
            text = Casemap.Key(text);
            if (!texts.TryAdd(text, text)) text = texts[text];
            return bases[subject] = (text, isReply);
        }
    }

    // one damaged body has no ancestors
    static byte[] LineageOf(ImapSession session, long contentId)
    {
        using var reader = session.Mail.Read();
        if (reader.Content(contentId) is not { } content) return [];
        try
        {
            var bytes = content.Read(0, FirstHeader);
            if (bytes.Length == FirstHeader && bytes.AsSpan().IndexOf("\r\n\r\n"u8) < 0) bytes = content.Read(0, MostHeader);
            return Lineage.Of(bytes);
        }
        catch (Storage.Blobs.DamageError) { return []; }
    }
}
