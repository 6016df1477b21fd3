using CbaMail.Mailboxes;

namespace CbaMail.Imap.Commands;

/// <summary>SELECT and EXAMINE (RFC 9051 6.3.2, 6.3.3, RFC 3501 6.3.1; CONDSTORE and QRESYNC: RFC 7162 3.1.8, 3.2.5).</summary>
internal static class SelectCommand
{
    /// <summary>So many that the list of them is no large object, which the runtime would keep for long.</summary>
    const long PieceOfRows = 1000;

    public static ValueTask<Outcome> Select(ImapSession session, ref ImapReader arguments) => Parse(session, ref arguments, readOnly: false);
    public static ValueTask<Outcome> Examine(ImapSession session, ref ImapReader arguments) => Parse(session, ref arguments, readOnly: true);

    sealed record Request(string Name, string? OldName, bool ReadOnly, bool CondStore, LastKnown? Last);

    static ValueTask<Outcome> Parse(ImapSession session, ref ImapReader arguments, bool readOnly)
    {
        arguments.Space();
        var name = arguments.Mailbox();
        var oldName = arguments.OldName;
        var condStore = false;
        LastKnown? last = null;
        if (arguments.Take((byte)' ') && arguments.TakeOpen())
        {
            do
            {
                var word = arguments.Keyword();
                if (word == "CONDSTORE") condStore = true;
                else if (word == "QRESYNC")
                {
                    if (!session.Dialect.QResync) arguments.Refuse("QRESYNC needs ENABLE QRESYNC"); // RFC 7162 3.2.5
                    last = LastKnown.Parse(ref arguments);
                    if (last.Match is not null && session.Dialect.UidOnly) arguments.Refuse("Messages are named by UID alone now", "UIDREQUIRED"); // RFC 9586 3.5
                }
                else arguments.Refuse($"{word} is not a parameter of SELECT here");
            }
            while (!arguments.Failed && arguments.Take((byte)' '));
            arguments.Close();
        }
        arguments.End();
        return arguments.Failed ? new(Outcome.Bad(arguments)) : SelectAsync(session, new Request(name, oldName, readOnly, condStore, last));
    }

    static async ValueTask<Outcome> SelectAsync(ImapSession session, Request request)
    {
        var readOnly = request.ReadOnly;
        // RFC 9051 6.3.2, 7.1: the old mailbox is closed even where the new one cannot be opened
        if (session.Deselect()) session.Writer.Ok("CLOSED", "The mailbox before is closed");
        if (request.CondStore) session.EnableCondStore();
        if (session.Refusing(session.Find(request.Name), Rights.Read, out var access) is { } refusal) return refusal;
        Mailbox? mailbox = access.Mailbox;

        // Listen first, then look: what happens between is told, perhaps twice, never lost.
        var selected = new SelectedMailbox(mailbox with { Name = access.Name }, readOnly, session.Mail.Notifier) { Rights = access.Rights, Reader = access.Reader };
        session.Select(selected);
        // RFC 3501 2.3.2: EXAMINE shows \Recent and leaves it to the next session
        uint? recent = !session.Dialect.Rev2 && selected.IsShownReadOnly ? session.Mail.RecentFrom(mailbox) : null;
        var attributes = "";
        using (var reader = session.Mail.Read())
        {
            mailbox = reader.Mailbox(mailbox.Id, selected.Reader);
            if (mailbox is not null) Load(session.Context.Recollection, reader, selected, mailbox, recent);
            if (mailbox is not null && session.Dialect.Rev2) attributes = ListLine.Attributes(session, reader, access);
        }
        if (mailbox is null)
        {
            session.Deselect();
            return Outcome.No("The mailbox has just been deleted", "NONEXISTENT");
        }
        // after the look: what is in the view and nobody's yet is this session's, and what comes between will be
        if (!session.Dialect.Rev2 && !selected.IsShownReadOnly) selected.TakeRecent(session.Mail.ClaimRecent(mailbox.Id));
        Announce(session.Writer, selected);
        session.Writer.Ok($"MAILBOXID ({mailbox.ObjectId})", "The mailbox"); // RFC 8474 4.2
        // RFC 9051 6.3.2; OLDNAME: 6.3.9.7
        if (session.Dialect.Rev2) ListLine.Write(session.Writer, attributes, access.Name, request.OldName);
        if (request.Last is { } last) await Resync.TellAsync(session, selected, last);
        return Outcome.Ok(selected.IsShownReadOnly ? "READ-ONLY" : "READ-WRITE", $"{(readOnly ? "EXAMINE" : "SELECT")} completed");
    }

    /// <summary>Takes in the rows piece by piece: only the compact view is to stay, and all rows at once are many megabytes.</summary>
    internal static void Load(Recollection recollection, MailReader reader, SelectedMailbox selected, Mailbox mailbox, uint? recent)
    {
        var key = new Recollection.Key(mailbox.Id, selected.Reader, "SELECT");
        // every change raises the modification sequence (RFC 7162 3.1): with the same one it is the same mailbox
        if (mailbox.Messages >= Recollection.LeastMessages && recollection.Find<ViewCopy>(key) is { } copy && copy.Shape.UidValidity == mailbox.UidValidity
            && copy.Shape.Count == mailbox.Messages && copy.UidNext == mailbox.UidNext && copy.ModSeq == mailbox.ModSeq)
        {
            selected.Load(copy);
            selected.Loaded(mailbox.UidNext, mailbox.ModSeq, recent);
            return;
        }
        // where most UIDs are gone, pieces would be mostly empty
        var piece = (uint)Math.Min(uint.MaxValue, PieceOfRows * Math.Max(1, mailbox.UidNext / (10L * Math.Max(1, mailbox.Messages))));
        selected.Reserve(mailbox.Messages);
        for (uint from = 1; from < mailbox.UidNext;)
        {
            var to = mailbox.UidNext - from > piece ? from + piece - 1 : mailbox.UidNext - 1;
            if (selected.Reader == 0) reader.Views(mailbox.Id, from, to, selected.Add);
            else selected.Load(reader.Messages(mailbox.Id, from, to, selected.Reader));
            from = to + 1;
        }
        if (selected.Count >= Recollection.LeastMessages && selected.Count == mailbox.Messages)
        {
            var loaded = selected.Copy(mailbox.UidNext, mailbox.ModSeq);
            recollection.Keep(key, loaded, loaded.Bytes);
        }
        selected.Loaded(mailbox.UidNext, mailbox.ModSeq, recent);
    }

    static void Announce(ImapWriter writer, SelectedMailbox selected)
    {
        selected.WriteFlagNames(writer);
        writer.Write("* "u8).Write(selected.Count).Write(" EXISTS\r\n"u8);
        // RFC 9051 appendix E 11, 12: neither RECENT nor UNSEEN; RFC 9586 3: no sequence number
        selected.WriteRecent(writer);
        for (var i = 0; i < selected.Count && writer.Dialect is { Rev2: false, UidOnly: false }; i++)
        {
            if ((selected.Flags(i) & MessageFlags.Seen) != 0) continue;
            writer.Ok($"UNSEEN {i + 1}", "The first unseen message"); // RFC 3501 7.1
            break;
        }
        writer.Ok($"UIDVALIDITY {selected.UidValidity}", "UIDs are valid");
        writer.Ok($"UIDNEXT {selected.UidNext}", "The next UID");
        writer.Ok($"HIGHESTMODSEQ {Math.Max(1, selected.ModSeq)}", "The last change"); // RFC 7162 3.1.2.1
    }
}
