using System.Diagnostics;
using CbaMail.Mailboxes;

namespace CbaMail.Imap.Searching;

/// <summary>Reads the envelopes of found messages, many at once, in short snapshots; a core that has nothing else to do takes its share of them.</summary>
internal sealed class EnvelopeWalk
{
    const int AtOnce = 500;

    readonly ImapSession session;
    readonly SelectedMailbox mailbox;
    readonly List<int> found;
    readonly EnvelopeParts parts;
    int next;

    EnvelopeWalk(ImapSession session, SelectedMailbox mailbox, List<int> found, EnvelopeParts parts) => (this.session, this.mailbox, this.found, this.parts) = (session, mailbox, found, parts);

    /// <param name="position">The place in the list of found messages.</param>
    public delegate void Visitor(int position, in EnvelopeRow row);

    /// <param name="found">Indexes, rising.</param>
    /// <param name="visitor">Makes one for each core; messages come to them in pieces, and those that are gone are left out.</param>
    public static async ValueTask ReadAsync(ImapSession session, SelectedMailbox mailbox, List<int> found, EnvelopeParts parts, Func<Visitor> visitor)
    {
        var walk = new EnvelopeWalk(session, mailbox, found, parts);
        var visit = visitor();
        Visitor? helps = null;
        var help = Task.CompletedTask;
        try
        {
            do
            {
                if (walk.next > 0) await Task.Yield();
                if (!help.IsCompleted || found.Count - walk.next < 2 * AtOnce) continue;
                await help;
                if (session.Context.Searches.TryHelp() is { } turn) help = walk.HelpAsync(helps ??= visitor(), turn);
            }
            while (walk.Take(visit));
        }
        finally
        {
            walk.next = found.Count; // where it has failed
            await help;
        }
    }

    async Task HelpAsync(Visitor visit, SearchTurns.Turn turn)
    {
        await Task.Yield();
        var began = Stopwatch.GetTimestamp();
        using (turn)
            while (Take(visit) && Stopwatch.GetElapsedTime(began) < SearchTurns.HelpersSlice) { }
    }

    bool Take(Visitor visit)
    {
        session.Cancel.ThrowIfCancellationRequested();
        var to = Interlocked.Add(ref next, AtOnce);
        if (to - AtOnce >= found.Count) return false;
        Read(to - AtOnce, Math.Min(found.Count, to), visit);
        return to < found.Count;
    }

    void Read(int from, int to, Visitor visit)
    {
        var position = from;
        void Visit(in EnvelopeRow row)
        {
            while (position < to && mailbox.Uid(found[position]) < row.Uid) position++;
            if (position < to && mailbox.Uid(found[position]) == row.Uid) visit(position, row);
        }
        using var reader = session.Mail.Read();
        for (var i = from; i < to;)
        {
            var run = i;
            while (run + 1 < to && found[run + 1] == found[run] + 1) run++;
            reader.Envelopes(mailbox.Id, mailbox.Uid(found[i]), mailbox.Uid(found[run]), parts, Visit);
            i = run + 1;
        }
    }
}
