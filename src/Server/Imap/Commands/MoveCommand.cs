using CbaMail.Envelope;

namespace CbaMail.Imap.Commands;

/// <summary>MOVE (RFC 6851, RFC 9051 6.4.8): in one commit; COPYUID comes before the EXPUNGE responses.</summary>
internal static class MoveCommand
{
    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments) => CopyCommand.Parse(session, ref arguments, byUid: false, move: true);
    public static ValueTask<Outcome> RunUid(ImapSession session, ref ImapReader arguments) => CopyCommand.Parse(session, ref arguments, byUid: true, move: true);

    internal static async ValueTask<Outcome> MoveAsync(ImapSession session, SelectedMailbox mailbox, List<uint> uids, string name)
    {
        if (mailbox.ReadOnly) return Outcome.No("The mailbox is open for reading only", "READ-ONLY");
        if (CopyCommand.Target(session, name) is not { } target) return Outcome.NoTarget(Refusal.NoSuchMailbox);
        if (uids.Count == 0) return Outcome.Ok(null, "There was nothing to move");
        var moved = await session.Mail.MoveAsync(mailbox.Id, uids, target, session.Cancel);
        if (!moved.Ok) return Outcome.NoTarget(moved.Refusal);
        if (moved.Value.Pairs.Count == 0) return Outcome.No("These messages have been expunged", "EXPUNGEISSUED");
        session.Writer.Ok(CopyCommand.CopyUid(moved.Value), "Moved"); // RFC 6851 4.3
        return await ExpungeCommand.DoneAsync(session, "Moved");
    }
}
