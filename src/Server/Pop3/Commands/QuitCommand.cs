using CbaMail.Config;
using CbaMail.Mailboxes;
using CbaMail.Storage;

namespace CbaMail.Pop3.Commands;

/// <summary>QUIT (RFC 1939 4, 6): the only way into UPDATE. What it says is durable, and the maildrop is free, when it is said.</summary>
internal static class QuitCommand
{
    public static async ValueTask<Answer> Run(Pop3Session session, string argument)
    {
        if (argument.Trim(' ').Length > 0) return Answer.Bad(Phrases.NoArgument);
        if (session.State == Pop3State.Authorization)
        {
            session.End();
            return Answer.Ok(Phrases.Goodbye);
        }
        var done = false;
        try
        {
            done = await UpdateAsync(session);
        }
        catch (Exception e) when (StoreTrouble.Of(e) is not null)
        {
            done = false; // the store has told the log; what was removed stays removed (RFC 1939 6)
        }
        finally
        {
            session.Release();
            session.End();
        }
        return done ? Answer.Ok(Phrases.Goodbye) : Answer.No(Phrases.NotAllDeleted, "SYS/TEMP");
    }

    static async ValueTask<bool> UpdateAsync(Pop3Session session)
    {
        var (mail, maildrop, account) = (session.Mail, session.Maildrop, session.Account);
        var (deleted, retrieved) = (maildrop.DeletedUids(), maildrop.RetrievedUids());
        // never broken off by the client's going away: it has said QUIT
        if (session.Settings.MarkSeen && retrieved.Count > 0)
            await mail.StoreAsync(maildrop.MailboxId, retrieved, new FlagChange(FlagMode.Add, MessageFlags.Seen, []), null, CancellationToken.None);
        if (deleted.Count > 0)
        {
            if (session.Settings.Deleted == DeletedMail.Trash) await mail.TrashAsync(account.Id, maildrop.MailboxId, deleted, CancellationToken.None);
            else await mail.RemoveAsync(maildrop.MailboxId, deleted, CancellationToken.None);
            Pop3Telemetry.Deleted.Add(deleted.Count);
        }
        if (deleted.Count + retrieved.Count > 0) Pop3Telemetry.Updated(session.Log, session.Connection.Id, account.Address.ToString(), retrieved.Count, deleted.Count);
        return true;
    }
}
