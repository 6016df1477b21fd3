using CbaMail.Storage;

namespace CbaMail.Mailings;

/// <summary>What became of one participant's copy.</summary>
public enum LedgerState
{
    /// <summary>Checked and waiting for its turn.</summary>
    Rendered,
    /// <summary>Handed to the queue, for another server.</summary>
    Queued,
    /// <summary>Local: stands in the mailbox. Remote: the peer has taken it.</summary>
    Delivered,
    /// <summary>The peer asked to come again; it stays in the queue.</summary>
    Deferred,
    /// <summary>Refused for good.</summary>
    Bounced,
    /// <summary>Never sent, and the reply says why.</summary>
    Skipped,
}

/// <summary>A ledger's line.</summary>
/// <param name="MessageId">Without angle brackets.</param>
/// <param name="Reply">The peer's reply, our own, or why it was skipped.</param>
/// <param name="Host">The peer that replied, or null for local mail.</param>
/// <param name="Class">Of one that did not get through: dead, full, policy, content, temporary, unknown; or null.</param>
/// <param name="Opened">When first, as far as is known; with what programs fetch left out.</param>
/// <param name="Clicked">When he first followed a link.</param>
/// <param name="Replied">When he first answered.</param>
public sealed record LedgerRow(
    long Id, long PersonId, string Address, string Name, int Line, LedgerState State,
    string MessageId, string Reply, string? Host, string? Tls, int Attempts, DateTimeOffset At, string? Class = null,
    DateTimeOffset? Opened = null, DateTimeOffset? Clicked = null, DateTimeOffset? Replied = null);

/// <summary>Whose copy a ledger row is, and who sent it.</summary>
public sealed record LedgerOwner(long Mailing, string Address, string Sender);

/// <summary>How many rows are in each state; they add up to <paramref name="Total"/>.</summary>
public sealed record LedgerCounts(int Total, int Rendered, int Queued, int Delivered, int Deferred, int Bounced, int Skipped);

/// <summary>
/// One row a (mailing, participant), unique, with a deterministic Message-ID: who got it and who did not.
/// Every change is made in the transaction that makes it true.
/// </summary>
public static class Ledger
{
    /// <summary>
    /// What a remote peer said, in the transaction that takes the recipient out of the queue (or puts it back).
    /// A row that says delivered is taken back by a bounce only (<see cref="RecordLate"/>); one that is gone is passed over.
    /// </summary>
    /// <param name="state">Delivered, Deferred or Bounced.</param>
    /// <param name="reply">The peer's reply, or what failed, in one line.</param>
    /// <param name="host">Name and address of the peer, or null when none was reached.</param>
    /// <param name="tls">Protocol and cipher, or null in clear text.</param>
    public static void RecordRemote(WriteTransaction transaction, long ledgerId, LedgerState state, string reply, string? host, string? tls, DateTimeOffset at, string? cause = null)
        => LedgerTable.RecordRemote(transaction, ledgerId, state, reply, host, tls, at, cause);

    /// <summary>A bounce of a copy that its server had taken: the row says bounced after all.</summary>
    /// <returns>Whether it was so.</returns>
    public static bool RecordLate(WriteTransaction transaction, long ledgerId, string reply, string cause, DateTimeOffset at)
        => LedgerTable.RecordLate(transaction, ledgerId, reply, cause, at);

    /// <summary>Whose copy it is; null when the mailing is gone.</summary>
    public static LedgerOwner? Owner(ReadTransaction transaction, long ledgerId) => LedgerTable.Owner(transaction, ledgerId);
}
