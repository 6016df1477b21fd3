using CbaMail.Mailboxes;

namespace CbaMail.Imap.Commands;

/// <summary>COPY (RFC 9051 6.4.7; COPYUID: RFC 4315 3).</summary>
internal static class CopyCommand
{
    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments) => Parse(session, ref arguments, byUid: false, move: false);
    public static ValueTask<Outcome> RunUid(ImapSession session, ref ImapReader arguments) => Parse(session, ref arguments, byUid: true, move: false);

    internal static ValueTask<Outcome> Parse(ImapSession session, ref ImapReader arguments, bool byUid, bool move)
    {
        arguments.Space();
        var set = arguments.Set();
        arguments.Space();
        var name = arguments.Mailbox();
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        var mailbox = session.Selected!;
        if (mailbox.Find(set, byUid) is not { } ranges) return new(Outcome.Bad("There is no message of that number"));
        return move ? MoveCommand.MoveAsync(session, mailbox, mailbox.Uids(ranges), name) : CopyAsync(session, mailbox, mailbox.Uids(ranges), name);
    }

    static async ValueTask<Outcome> CopyAsync(ImapSession session, SelectedMailbox mailbox, List<uint> uids, string name)
    {
        if (session.RefusingTarget(name, out var target) is { } refusal) return refusal;
        if (uids.Count == 0) return Outcome.Ok(null, "There was nothing to copy");
        if (session.Mail.Store.Condition.Refusal is { } trouble) return Outcome.No(trouble);
        var copied = await session.PatientlyAsync(session.Mail.CopyAsync(mailbox.Id, uids, target.Mailbox.Id, session.QuotaOf(target.Mailbox.AccountId), session.Cancel, target.Rights, session.Account.Id));
        if (!copied.Ok) return Outcome.NoTarget(copied.Refusal);
        return copied.Value.Pairs.Count == 0
            ? Outcome.No("These messages have been expunged", "EXPUNGEISSUED")
            : Outcome.Ok(CopyUid(copied.Value), "COPY completed");
    }

    // RFC 4315 3: both sets in the same order
    internal static string CopyUid(Copied copied) =>
        $"COPYUID {copied.UidValidity} {ImapWriter.Set([.. copied.Pairs.Select(p => p.Source)])} {ImapWriter.Set([.. copied.Pairs.Select(p => p.Destination)])}";
}
