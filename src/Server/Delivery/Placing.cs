using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailboxes;
using CbaMail.Queue;

namespace CbaMail.Delivery;

/// <summary>
/// How far an order has come, over its commits. Whoever is answered that the message is taken gets it, or its sender hears of it: what a mailbox
/// does not take after all (the account or a right has gone since RCPT) waits in the queue, which tries once more and tells (RFC 5321 6.1).
/// </summary>
sealed class Placing(DeliveryOrder order, Effects effects, StagedMessage staged, byte[] signed, DateTimeOffset now)
{
    readonly List<(Effects.Row Row, Refusal Refusal)> refused = [];

    public DeliveryOrder Order => order;
    public Effects Effects => effects;
    public StagedMessage Staged => staged;
    /// <summary>The signatures under which it leaves, or empty.</summary>
    public byte[] Signed => signed;
    public DateTimeOffset Now => now;
    public ContentRef? Content { get; private set; }
    public int Next { get; private set; }
    /// <summary>Somebody whom the envelope names has it, or a room of the server.</summary>
    public bool IsTaken { get; private set; } = order.Recipients.Any(recipient => recipient.Targets.Contains(Target.Nobody));

    public void Advance(ContentRef content, int end, List<(Effects.Row Row, Refusal Refusal)> more, bool taken)
    {
        Content = content;
        Next = end;
        IsTaken |= taken;
        refused.AddRange(more);
    }

    /// <summary>The rows that were refused although their recipient is answered that the message is taken.</summary>
    /// <param name="last">What the last commit refuses.</param>
    public List<Effects.Row> RefusedLate(List<(Effects.Row Row, Refusal Refusal)> last, bool taken)
    {
        if (refused.Count + last.Count == 0) return [];
        List<(Effects.Row Row, Refusal Refusal)> all = [.. refused, .. last];
        return [.. all.Select(one => one.Row).Where(row => !order.Recipients[row.Recipient].IsCopy && RefusalOf(row.Recipient, all, IsTaken || taken) is null)];
    }

    /// <summary>Under which address the queue tries it again: the envelope's own, or where that leads to several, the one of them.</summary>
    public QueueRecipient Again(Effects.Row row)
    {
        var recipient = order.Recipients[row.Recipient];
        var own = row.Account.Address;
        var address = recipient.Targets.Count == 1 ? recipient.Address : row.Detail is { } detail ? own with { LocalPart = $"{own.LocalPart}+{detail}" } : own;
        return new QueueRecipient(address, recipient.Notify, recipient.OriginalRecipient);
    }

    public IReadOnlyList<Refusal?> Outcome()
    {
        var outcome = new Refusal?[order.Recipients.Count];
        if (refused.Count > 0)
            for (var i = 0; i < outcome.Length; i++) outcome[i] = RefusalOf(i, refused, IsTaken);
        return outcome;
    }

    // one answer for all where anybody has it; else each its own. A recipient with several targets is refused only where none of them took it,
    // and one that leads where another one leads already shares its fate
    Refusal? RefusalOf(int index, List<(Effects.Row Row, Refusal Refusal)> all, bool taken)
    {
        if (order.Recipients[index].IsCopy || !order.Separate && taken) return null;
        Refusal? why = null;
        foreach (var (recipient, row) in effects.Ways)
        {
            if (recipient != index) continue;
            var at = row < 0 ? -1 : all.FindIndex(one => one.Row.Equals(effects.Rows[row]));
            if (at < 0) return null;
            why ??= all[at].Refusal;
        }
        return why;
    }
}
