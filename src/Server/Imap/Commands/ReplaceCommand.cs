using CbaMail.Mailboxes;

namespace CbaMail.Imap.Commands;

/// <summary>REPLACE (RFC 8508): APPEND of one message and the removal of another, in one commit.</summary>
internal static class ReplaceCommand
{
    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments) => Parse(session, ref arguments, byUid: false);
    public static ValueTask<Outcome> RunUid(ImapSession session, ref ImapReader arguments) => Parse(session, ref arguments, byUid: true);

    static ValueTask<Outcome> Parse(ImapSession session, ref ImapReader arguments, bool byUid)
    {
        arguments.Space();
        var set = arguments.Set();
        // RFC 8508 5: one message
        if (!arguments.Failed && (set.Ranges.Count != 1 || set.Ranges[0].From != set.Ranges[0].To)) arguments.Refuse("REPLACE takes the number of one message");
        arguments.Space();
        var mailbox = arguments.Mailbox();
        var fragment = AppendGrammar.Parse(ref arguments, AppendPhase.First);
        return arguments.Failed || fragment is null ? AppendCommand.RefuseAsync(session, Outcome.Bad(arguments)) : ReplaceAsync(session, set, byUid, mailbox, fragment);
    }

    static async ValueTask<Outcome> ReplaceAsync(ImapSession session, SequenceSet set, bool byUid, string name, AppendFragment fragment)
    {
        var selected = session.Selected!;
        var refusal = Check(selected, set, byUid, out var uid);
        using var uploads = new Uploads(session, name, refusal is null ? SizeOf(session, selected.Id, uid) : 0);
        uploads.Refusal = refusal ?? uploads.Refusal;
        if (await AppendCommand.TakeAsync(session, uploads, fragment) is { } wrong) return wrong;
        var replaced = await uploads.ReplaceAsync(selected.Id, uid);
        if (!replaced.Ok)
            return replaced.Refusal == Envelope.Refusal.NoSuchThing ? Outcome.No("The message has just been expunged", "EXPUNGEISSUED") : Outcome.NoTarget(replaced.Refusal);
        // RFC 8508 4.3: before EXPUNGE, so that the client sees the new one come before the old one goes
        var code = $"APPENDUID {replaced.Value.UidValidity} {replaced.Value.Uid}";
        session.Writer.Ok(code, "The replacement is there");
        session.Watch?.Added(code);
        await session.UpdateAsync(expunges: false, withUid: byUid);
        return session.State == ImapState.Logout ? Outcome.Silent : await ExpungeCommand.DoneAsync(session, "Replaced");
    }

    // RFC 8508 4.1: as UID STORE \Deleted and UID EXPUNGE
    static Outcome? Check(SelectedMailbox selected, SequenceSet set, bool byUid, out uint uid)
    {
        uid = 0;
        if (selected.ReadOnly) return Outcome.No("The mailbox is open for reading only", "READ-ONLY");
        if (!selected.Can(Rights.DeleteMessages | Rights.Expunge)) return SessionView.NotAllowed;
        if (selected.Find(set, byUid) is not { } ranges) return Outcome.Bad("There is no message of that number");
        if (selected.Uids(ranges) is not [var one]) return Outcome.No("There is no message of that UID", "NONEXISTENT");
        uid = one;
        return null;
    }

    static long SizeOf(ImapSession session, long mailboxId, uint uid)
    {
        using var reader = session.Mail.Read();
        return reader.Message(mailboxId, uid)?.Size ?? 0;
    }
}
