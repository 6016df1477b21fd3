using CbaMail.Mailboxes;

namespace CbaMail.Imap.Commands;

/// <summary>EXPUNGE (RFC 9051 6.4.3) and UID EXPUNGE (RFC 4315 2.1, RFC 9051 6.4.9). The untagged responses are the news that follows.</summary>
internal static class ExpungeCommand
{
    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments)
    {
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        return ExpungeAsync(session, session.Selected!, null);
    }

    public static ValueTask<Outcome> RunUid(ImapSession session, ref ImapReader arguments)
    {
        arguments.Space();
        var set = arguments.Set();
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        var mailbox = session.Selected!;
        return ExpungeAsync(session, mailbox, mailbox.Uids(mailbox.ByUid(set)));
    }

    static async ValueTask<Outcome> ExpungeAsync(ImapSession session, SelectedMailbox mailbox, List<uint>? uids)
    {
        if (mailbox.ReadOnly) return Outcome.No("The mailbox is open for reading only", "READ-ONLY");
        if (!mailbox.Can(Rights.Expunge)) return SessionView.NotAllowed; // RFC 4314 4
        if (uids is { Count: 0 }) return Outcome.Done;
        var own = new OwnChange();
        var expunged = await session.PatientlyAsync(session.Mail.ExpungeAsync(mailbox.Id, uids, session.Cancel, own));
        if (!expunged.Ok) return Outcome.No(expunged.Refusal);
        mailbox.Made(own, expunged.Value);
        return expunged.Value.Count == 0 ? Outcome.Done : await DoneAsync(session, "Expunged");
    }

    /// <summary>RFC 7162 3.2.7, 3.2.9: told before the tagged response, so that the code tells of a state that the client has.</summary>
    internal static async ValueTask<Outcome> DoneAsync(ImapSession session, string text)
    {
        if (session is { CondStore: false, Watch: null }) return Outcome.Done;
        await session.UpdateAsync(expunges: true, withUid: true, always: true);
        if (!session.CondStore) return Outcome.Done;
        return session.HasSelected ? Outcome.Ok($"HIGHESTMODSEQ {session.Selected.ModSeq}", text) : Outcome.Done;
    }
}
