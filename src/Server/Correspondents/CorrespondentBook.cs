using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Correspondents;

/// <summary>
/// Who wrote to whom. <see cref="IsKnown"/> is asked at RCPT for each stranger, so it costs a hash and a look into an array; where that
/// does not know, one row is read. The array remembers only "yes": a "no" may become "yes" with the next commit.
/// </summary>
public sealed class CorrespondentBook
{
    const int Slots = 1 << 16; // 512 KB: what was asked last of 65,536 pairs
    static readonly TimeSpan Kept = TimeSpan.FromDays(730);

    readonly Store store;
    readonly TimeProvider time;
    readonly ulong[] known = new ulong[Slots];

    public CorrespondentBook(Store store, UserDirectory directory, TimeProvider time)
    {
        (this.store, this.time) = (store, time);
        directory.AccountRemoving += (transaction, account) =>
        {
            CorrespondentTable.RemoveAccount(transaction, account.Id);
            transaction.OnCommitted(() => Array.Clear(known)); // ids of accounts are not kept from being used again
        };
    }

    /// <summary>Whether the account has written to this address: what comes from it is an answer, not a stranger's.</summary>
    public bool IsKnown(long accountId, MailAddress sender)
    {
        var address = Hash(sender);
        ref var slot = ref Slot(accountId, address, out var mark);
        if (Volatile.Read(ref slot) == mark) return true;
        using var read = store.Read();
        if (CorrespondentTable.Find(read, accountId, address) is not { Sent: > 0 }) return false;
        Volatile.Write(ref slot, mark);
        return true;
    }

    /// <summary>Whether mail of this address has come to the account before, as far as <see cref="RecordReceived"/> was told.</summary>
    public bool HasWritten(long accountId, MailAddress sender)
    {
        using var read = store.Read();
        return CorrespondentTable.Find(read, accountId, Hash(sender)) is { Received: > 0 };
    }

    /// <summary>How many of the addresses the account has never written to.</summary>
    public int CountNew(long accountId, IEnumerable<MailAddress> recipients) => recipients.Count(recipient => !IsKnown(accountId, recipient));

    /// <summary>As <see cref="CountNew(long, IEnumerable{MailAddress})"/>, as of the transaction.</summary>
    public static int CountNew(WriteTransaction transaction, long accountId, IEnumerable<MailAddress> recipients) =>
        recipients.Count(recipient => !CorrespondentTable.IsWrittenTo(transaction, accountId, Hash(recipient)));

    /// <summary>The account has written to the address; in the commit that sends it.</summary>
    public void RecordSent(WriteTransaction transaction, long accountId, MailAddress recipient)
    {
        var address = Hash(recipient);
        CorrespondentTable.Add(transaction, accountId, address, sent: 1, received: 0, time.GetUtcNow());
        transaction.OnCommitted(() => Volatile.Write(ref Slot(accountId, address, out var mark), mark));
    }

    /// <summary>The address has written to the account. Nothing calls it by itself: it costs a row a message.</summary>
    public void RecordReceived(WriteTransaction transaction, long accountId, MailAddress sender) =>
        CorrespondentTable.Add(transaction, accountId, Hash(sender), sent: 0, received: 1, time.GetUtcNow());

    /// <summary>Forgets pairs that have not been heard of for two years, a piece of the table a commit.</summary>
    public async Task PruneAsync(CancellationToken cancel)
    {
        (long, long)? from = (long.MinValue, long.MinValue);
        while (from is { } begin)
            from = await store.CommitAsync(transaction => CorrespondentTable.Prune(transaction, begin, time.GetUtcNow() - Kept, 2000), cancel);
    }

    ref ulong Slot(long account, long address, out ulong mark)
    {
        // a mark of 0 is an empty slot; two pairs with the same 64 bits are as likely as two equal hashes
        mark = ((ulong)address ^ ((ulong)account * 0x9E3779B97F4A7C15)) | 1;
        return ref known[(int)((mark >> 40) % Slots)];
    }

    /// <summary>64 bits of the address in its form for comparison, without "+" detail.</summary>
    internal static long Hash(MailAddress address)
    {
        var local = Names.LocalKey(address.LocalPart);
        if (local.IndexOf('+') is > 0 and var plus) local = local[..plus];
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes(local + "@" + address.DomainKey), hash);
        return BinaryPrimitives.ReadInt64LittleEndian(hash);
    }
}
