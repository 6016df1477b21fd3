using CbaMail.Envelope;
using CbaMail.Mailboxes;

namespace CbaMail.Imap.Commands;

/// <summary>STORE (RFC 9051 6.4.6) with UNCHANGEDSINCE (RFC 7162 3.1.3).</summary>
internal static class StoreCommand
{
    /// <summary>Messages of one commit: others get their turn in between.</summary>
    const int Piece = 2500;
    /// <summary>More keep no thread that receives.</summary>
    const int Few = 100;

    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments) => Parse(session, ref arguments, byUid: false);
    public static ValueTask<Outcome> RunUid(ImapSession session, ref ImapReader arguments) => Parse(session, ref arguments, byUid: true);

    sealed record Request(FlagChange Change, bool Silent, long? UnchangedSince, bool ByUid);

    static ValueTask<Outcome> Parse(ImapSession session, ref ImapReader arguments, bool byUid)
    {
        arguments.Space();
        var set = arguments.Set();
        arguments.Space();
        long? unchangedSince = null;
        if (arguments.TakeOpen())
        {
            if (arguments.Keyword() != "UNCHANGEDSINCE") arguments.Fail("UNCHANGEDSINCE");
            arguments.Space();
            unchangedSince = arguments.Number64();
            arguments.Close();
            arguments.Space();
        }
        var mode = arguments.Take((byte)'+') ? FlagMode.Add : arguments.Take((byte)'-') ? FlagMode.Remove : FlagMode.Set;
        var word = arguments.Keyword();
        if (word is not ("FLAGS" or "FLAGS.SILENT")) arguments.Fail("FLAGS or FLAGS.SILENT");
        arguments.Space();
        var (flags, keywords) = arguments.Flags(bareAllowed: true);
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));

        if (unchangedSince is not null) session.EnableCondStore(); // RFC 7162 3.1
        var mailbox = session.Selected!;
        if (mailbox.ReadOnly) return new(Outcome.No("The mailbox is open for reading only", "READ-ONLY"));
        if (keywords.Count > ImapFlags.MaxKeywords) return new(Outcome.No("These are more keywords than a message can have", "LIMIT"));
        if (mailbox.Find(set, byUid) is not { } ranges) return new(Outcome.Bad("There is no message of that number"));
        if (Permitted(mailbox.Rights, mode, flags, keywords) is not { } change) return new(SessionView.NotAllowed);
        return StoreAsync(session, mailbox, ranges, new Request(change, word == "FLAGS.SILENT", unchangedSince, byUid));
    }

    /// <summary>What of the change the rights allow; null where that is nothing (RFC 4314 4: no NO while one flag may be changed).</summary>
    static FlagChange? Permitted(Rights rights, FlagMode mode, MessageFlags flags, List<string> keywords)
    {
        var may = Access.FlagsOf(rights);
        var mayKeywords = (rights & Rights.Write) != 0;
        var asked = flags != MessageFlags.None || keywords.Count > 0;
        if (may == MessageFlags.None || (asked && (flags & may) == 0 && (keywords.Count == 0 || !mayKeywords))) return null;
        return new FlagChange(mode, flags & may, mayKeywords ? keywords : []) { Kept = ~may, KeepsKeywords = !mayKeywords };
    }

    static async ValueTask<Outcome> StoreAsync(ImapSession session, SelectedMailbox mailbox, List<(int First, int Last)> ranges, Request request)
    {
        if (await StorePendingAsync(session, mailbox, ranges, request)) return Outcome.Done;
        var uids = mailbox.Uids(ranges);
        if (uids.Count > Few) await session.Connection.LeaveLoopAsync();
        var (failed, found) = (new List<uint>(), 0);
        var own = new OwnChange();
        var storing = uids.Count > 0 ? Begin(0) : default;
        for (var at = 0; at < uids.Count; at += Piece)
        {
            var stored = await storing;
            if (!stored.Ok) return Outcome.No(stored.Refusal);
            failed.AddRange(stored.Value.Failed);
            found += stored.Value.Failed.Count + stored.Value.Changed.Count;
            var surprising = Learn(mailbox, stored.Value.Changed, request);
            mailbox.Made(own);
            own = new OwnChange();
            if (at + Piece < uids.Count) storing = Begin(at + Piece); // these are being stored while the client is told of those before
            await AnswerAsync(session, mailbox, stored.Value.Changed, surprising, request);
            await session.ProgressAsync(Math.Min(at + Piece, uids.Count), uids.Count); // RFC 9585 3
        }
        // RFC 2180 4.2.2, 4.2.3, RFC 5530 3: others have expunged some, and their numbers still stand; nobody can be told of their flags
        if (failed.Count == 0)
            return found == uids.Count || request.ByUid || request.Silent ? Outcome.Done : Outcome.No("Some of the messages have been deleted meanwhile", "EXPUNGEISSUED");
        // RFC 7162 3.1.3: the others have been changed; the response code names those that were not
        var numbers = request.ByUid ? failed : [.. failed.Select(mailbox.IndexOf).Where(i => i >= 0).Select(i => (uint)i + 1)];
        return Outcome.Ok($"MODIFIED {ImapWriter.Set(numbers)}", "Some have been changed by others");

        ValueTask<Result<StoreResult>> Begin(int at)
        {
            var piece = uids.GetRange(at, Math.Min(Piece, uids.Count - at));
            return session.Mail.StoreAsync(mailbox.Id, piece, request.Change, request.UnchangedSince, session.Cancel, mailbox.Reader, mailbox.Known(piece), own, beside: at > 0);
        }
    }

    // all at once, where they are alike and all is known of them
    static async ValueTask<bool> StorePendingAsync(ImapSession session, SelectedMailbox mailbox, List<(int First, int Last)> ranges, Request request)
    {
        if (request.UnchangedSince is not null || mailbox.KnownRuns(ranges) is not { } known) return false;
        var own = new OwnChange();
        if (await session.Mail.StorePendingAsync(mailbox.Id, known, request.Change, session.Cancel, own) is not { } stored) return false;
        if (!request.Silent || session.CondStore) await session.Connection.LeaveLoopAsync();
        var first = 0;
        for (var i = 0; i < stored.Count; i++)
        {
            var (before, run) = (known.Runs[i], stored[i]);
            first = mailbox.IndexNear(run.First, first);
            if (run != before) mailbox.Learn(first, run, own.ModSeq);
            // keywords for which there is no room are news to whoever computes them himself
            var silent = request.Silent && request.Change.Apply(before.Flags, before.Keywords) == (run.Flags, run.Keywords);
            await AnswerAsync(session, mailbox, first, run.Messages, silent, request);
            first += run.Messages;
        }
        mailbox.Made(own);
        return true;
    }

    static async ValueTask AnswerAsync(ImapSession session, SelectedMailbox mailbox, int first, int count, bool silent, Request request)
    {
        if (silent && !session.CondStore) return;
        mailbox.TellKeywords(session.Writer);
        for (var index = first; index < first + count; index++)
        {
            if (silent) mailbox.WriteModSeq(session.Writer, index);
            else mailbox.WriteFlags(session.Writer, index, request.ByUid || session.Dialect.NamesUid, session.CondStore);
            if (session.Writer.IsFull) await session.Writer.FlushAsync(session.Cancel);
        }
    }

    /// <returns>UIDs of those that the client has to be told of although he asks for silence: he computes the flags himself, of what others have not changed meanwhile (RFC 9051 6.4.6).</returns>
    static HashSet<uint> Learn(SelectedMailbox mailbox, IReadOnlyList<FlagState> rows, Request request)
    {
        var surprising = new HashSet<uint>();
        var index = -1;
        foreach (var row in rows)
        {
            index = mailbox.IndexNear(row.Uid, index + 1);
            if (index < 0) continue;
            if (request.Silent && !mailbox.Foresees(index, row, request.Change)) surprising.Add(row.Uid);
            mailbox.Learn(index, row, tell: false);
        }
        return surprising;
    }

    static async ValueTask AnswerAsync(ImapSession session, SelectedMailbox mailbox, IReadOnlyList<FlagState> rows, HashSet<uint> surprising, Request request)
    {
        // RFC 7162 3.1.3: a conditional STORE answers with MODSEQ even when it is silent; RFC 9051 6.4.6 else
        if (request.Silent && !session.CondStore && surprising.Count == 0) return;
        mailbox.TellKeywords(session.Writer);
        var index = -1;
        foreach (var row in rows)
        {
            index = mailbox.IndexNear(row.Uid, index + 1);
            if (index < 0) continue;
            if (request.Silent && !surprising.Contains(row.Uid))
            {
                if (session.CondStore) mailbox.WriteModSeq(session.Writer, index);
            }
            else mailbox.WriteFlags(session.Writer, index, request.ByUid || session.Dialect.NamesUid, session.CondStore);
            if (session.Writer.IsFull) await session.Writer.FlushAsync(session.Cancel);
        }
    }
}
