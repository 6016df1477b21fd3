using CbaMail.Mailboxes;

namespace CbaMail.Imap.Commands;

/// <summary>MOVE (RFC 6851, RFC 9051 6.4.8): in one commit; COPYUID comes before the EXPUNGE responses.</summary>
internal static class MoveCommand
{
    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments) => CopyCommand.Parse(session, ref arguments, byUid: false, move: true);
    public static ValueTask<Outcome> RunUid(ImapSession session, ref ImapReader arguments) => CopyCommand.Parse(session, ref arguments, byUid: true, move: true);

    internal static async ValueTask<Outcome> MoveAsync(ImapSession session, SelectedMailbox mailbox, List<uint> uids, string name)
    {
        if (mailbox.ReadOnly) return Outcome.No("The mailbox is open for reading only", "READ-ONLY");
        // RFC 6851 4.1: as COPY, STORE \Deleted and EXPUNGE together
        if (!mailbox.Can(Rights.DeleteMessages | Rights.Expunge)) return SessionView.NotAllowed;
        if (session.RefusingTarget(name, out var target) is { } refusal) return refusal;
        if (uids.Count == 0) return Outcome.Ok(null, "There was nothing to move");
        var moved = await session.PatientlyAsync(session.Mail.MoveAsync(mailbox.Id, uids, target.Mailbox.Id, session.Cancel, session.QuotaOf(target.Mailbox.AccountId), target.Rights, session.Account.Id));
        if (!moved.Ok) return Outcome.NoTarget(moved.Refusal);
        if (moved.Value.Pairs.Count == 0) return Outcome.No("These messages have been expunged", "EXPUNGEISSUED");
        session.Writer.Ok(CopyCommand.CopyUid(moved.Value), "Moved"); // RFC 6851 4.3
        return await ExpungeCommand.DoneAsync(session, "Moved");
    }
}
