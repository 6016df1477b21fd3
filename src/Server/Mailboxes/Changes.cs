using CbaMail.Storage;

namespace CbaMail.Mailboxes;

/// <summary>
/// What one work does to the vault as a whole: references to bodies, counted together and written once at its end (a mail to 250 mailboxes
/// is one update of its body), and changes of mailboxes, published once each after the commit.
/// </summary>
sealed class Changes
{
    readonly List<Change> list = [];
    readonly Dictionary<long, int> references = [];

    static Changes Of(WriteTransaction transaction)
    {
        if (transaction.Attached is Changes known) return known;
        var changes = new Changes();
        transaction.Attached = changes;
        transaction.OnEnding(() => changes.Settle(transaction));
        return changes;
    }

    public static void Add(WriteTransaction transaction, Notifier notifier, long accountId, long mailboxId, long modseq)
    {
        var list = Of(transaction).list;
        if (list.Count == 0) transaction.OnCommitted(() => { foreach (var change in list) notifier.Publish(change); });
        if (list.Count > 0 && list[^1].MailboxId == mailboxId) list[^1] = new Change(accountId, mailboxId, modseq);
        else list.Add(new Change(accountId, mailboxId, modseq));
    }

    /// <summary>Names or subscriptions of the account change.</summary>
    public static void AddNames(WriteTransaction transaction, Notifier notifier, long accountId) =>
        transaction.OnCommitted(() => notifier.NamesChanged(accountId));

    /// <summary>Adds references to a body, or takes some away; one that has none at the end of the work is removed.</summary>
    public static void Refer(WriteTransaction transaction, long contentId, int count)
    {
        var references = Of(transaction).references;
        references[contentId] = references.GetValueOrDefault(contentId) + count;
    }

    // those that gain first: a body that goes may take its base along only if nobody else has come to it
    void Settle(WriteTransaction transaction)
    {
        var runs = Runs();
        foreach (var (first, last, count) in runs)
            if (count > 0) ContentTable.AddReferences(transaction, first, last, count);
        foreach (var (first, last, count) in runs)
            if (count <= 0) ContentTable.DropReferences(transaction, first, last, -count);
    }

    // messages that came one after the other have bodies that did, and whoever copies or removes many is done with a statement for each run of them
    List<(long First, long Last, int Count)> Runs()
    {
        var runs = new List<(long First, long Last, int Count)>();
        foreach (var (id, count) in references.OrderBy(one => one.Key))
        {
            if (runs.Count > 0 && runs[^1] is var run && run.Last + 1 == id && run.Count == count) runs[^1] = run with { Last = id };
            else runs.Add((id, id, count));
        }
        return runs;
    }
}
