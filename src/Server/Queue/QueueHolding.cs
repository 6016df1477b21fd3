using CbaMail.Mailboxes;

namespace CbaMail.Queue;

/// <summary>What the queue holds of the vault's bodies, for whoever counts references.</summary>
static class QueueHolding
{
    public static readonly BodyHolder Holder = new("queue", QueueTable.Contents, QueueTable.Holding, QueueTable.Wrong);
}
