using CbaMail.Imap.Commands;
using CbaMail.Mailboxes;

namespace CbaMail.Imap;

/// <summary>
/// Tells of annotations that others have changed: to a client that has said ENABLE METADATA of all that it may read (RFC 5464 4.4), to one that has
/// used NOTIFY of what it has asked for (RFC 5465 5.6, 5.7). Names alone, never values (RFC 5464 4.4.2).
/// </summary>
internal sealed class MetadataNews : IDisposable
{
    readonly ImapSession session;
    readonly IDisposable subscription;
    long told;
    TaskCompletionSource? waiter;

    public MetadataNews(ImapSession session)
    {
        this.session = session;
        told = Feed.Last;
        subscription = Feed.Subscribe(() => Volatile.Read(ref waiter)?.TrySetResult());
    }

    AnnotationFeed Feed => session.Mail.AnnotationFeed;

    /// <summary>Completes when something happens.</summary>
    public Task NoticeAsync()
    {
        var source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref waiter, source);
        Thread.MemoryBarrier();
        if (Feed.Last > told) source.TrySetResult();
        return source.Task;
    }

    /// <returns>False where more has happened than is remembered.</returns>
    public bool Tell()
    {
        var since = told;
        told = Feed.Last;
        if (told == since) return true;
        if (Feed.Since(since) is not { } changes) return false;
        var me = session.Account.Id;
        var mine = changes.Where(change => change.Number <= told && change.By != session.Connection.Id && (change.AccountId == 0 || change.AccountId == me));
        foreach (var mailbox in mine.GroupBy(change => change.MailboxId))
            if (NameOf(mailbox.Key) is { } name) MetadataCommands.WriteNames(session.Writer, name, mailbox.Select(change => change.Entry).Distinct());
        return true;
    }

    /// <summary>The name under which the session hears of the mailbox; empty for the server (RFC 5464 4.4.2), null where it does not.</summary>
    string? NameOf(long mailboxId)
    {
        if (mailboxId == 0) return session.Watch is null || session.Watch.Request.Server ? "" : null;
        using var reader = session.Mail.Read();
        if (reader.Mailbox(mailboxId) is not { } mailbox || session.Context.Access.Of(reader, session.Viewer(), mailbox) is not { } access || !MetadataCommands.Allows(access)) return null;
        return session.Watch is null || session.Watch.Wants(reader, access, WatchEvents.Metadata) ? access.Name : null;
    }

    public void Dispose()
    {
        subscription.Dispose();
        Volatile.Read(ref waiter)?.TrySetResult();
    }
}
