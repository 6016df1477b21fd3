using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Queue;

/// <summary>What is done to mail that is queued from now on.</summary>
/// <param name="Hits">Recipients that it was applied to.</param>
public sealed record QueueRule(long Id, QueueFilter Filter, string Note, long Hits, DateTimeOffset Created);

/// <summary>
/// Rules that hold what is queued: a few, kept in memory, asked for every recipient in the commit that queues it. The first that fits holds;
/// taking a rule away leaves what it holds where it is, to be released or dropped by <c>queue release --rule ID</c>.
/// </summary>
public sealed class QueueRules
{
    const int MostRules = 200;

    readonly Store store;
    readonly TimeProvider time;
    volatile IReadOnlyList<QueueRule> rules;

    public QueueRules(Store store, TimeProvider time)
    {
        (this.store, this.time) = (store, time);
        using var read = store.Read();
        rules = QueueRuleTable.All(read);
    }

    public IReadOnlyList<QueueRule> List()
    {
        using var read = store.Read();
        return QueueRuleTable.All(read);
    }

    public async ValueTask<Result<QueueRule>> AddAsync(QueueFilter filter, string note, CancellationToken cancel = default)
    {
        if (filter.IsEmpty) return Refusal.Invalid.Because("A rule needs something to go by, such as --from or --domain; to hold everything say: cbamail queue hold");
        if (filter is not { Id: null, State: null, Before: null, Since: null, Reply: null, Rule: null })
            return Refusal.Invalid.Because("A rule goes by what mail has when it is queued: from, to, domain, subject, message-id, size, mailing, class");
        if (rules.Count >= MostRules) return Refusal.TooMany.Because($"There are {MostRules} rules already; remove some first");
        return await store.CommitAsync(transaction =>
        {
            var rule = QueueRuleTable.Add(transaction, filter, note, time.GetUtcNow());
            transaction.OnCommitted(() => rules = [.. rules, rule]);
            return rule;
        }, cancel);
    }

    public async ValueTask<Refusal?> RemoveAsync(long id, CancellationToken cancel = default) => await store.CommitAsync(transaction =>
    {
        if (!QueueRuleTable.Remove(transaction, id)) return Refusal.NoSuchThing.Because($"There is no rule {id}; list them with: cbamail queue rule list");
        transaction.OnCommitted(() => rules = [.. rules.Where(rule => rule.Id != id)]);
        return null;
    }, cancel);

    /// <summary>The rule that holds a new recipient, or null.</summary>
    internal long? Holding(WriteTransaction transaction, NewQueueEntry entry, MailAddress recipient)
    {
        foreach (var rule in rules)
            if (rule.Filter.Fits(entry, recipient))
            {
                QueueRuleTable.Hit(transaction, rule.Id);
                return rule.Id;
            }
        return null;
    }
}
