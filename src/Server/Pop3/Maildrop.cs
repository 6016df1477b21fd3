using System.Collections;
using CbaMail.Mailboxes;

namespace CbaMail.Pop3;

/// <summary>
/// INBOX as it was at the sign-in: message numbers from 1, their UIDs and the octets that RETR sends, and what the client has marked as deleted.
/// Eight bytes and two bits a message.
/// </summary>
internal sealed class Maildrop
{
    readonly uint[] uids;
    readonly uint[] sizes;
    readonly BitArray deleted, retrieved;

    Maildrop(Mailbox mailbox, uint[] uids, uint[] sizes)
    {
        (MailboxId, UidValidity, this.uids, this.sizes) = (mailbox.Id, mailbox.UidValidity, uids, sizes);
        (deleted, retrieved) = (new BitArray(uids.Length), new BitArray(uids.Length));
        foreach (var size in sizes) Octets += size;
        Left = uids.Length;
    }

    /// <param name="ascii">The client has not asked for UTF-8: messages that need it are sent as their surrogates.</param>
    /// <returns>Null where there is no INBOX.</returns>
    public static Maildrop? Open(MailReader reader, long inbox, bool ascii)
    {
        if (reader.Mailbox(inbox) is not { } mailbox) return null;
        var (uids, sizes, count) = (new uint[mailbox.Messages], new uint[mailbox.Messages], 0);
        reader.WireSizes(inbox, ascii, (uid, size) =>
        {
            if (count == uids.Length)
            {
                Array.Resize(ref uids, count * 2 + 16);
                Array.Resize(ref sizes, count * 2 + 16);
            }
            (uids[count], sizes[count]) = (uid, (uint)Math.Min(size, uint.MaxValue));
            count++;
        });
        if (count < uids.Length) (uids, sizes) = (uids[..count], sizes[..count]);
        return new Maildrop(mailbox, uids, sizes);
    }

    public long MailboxId { get; }
    public uint UidValidity { get; }
    /// <summary>The highest message number.</summary>
    public int Count => uids.Length;
    /// <summary>Messages that are not marked as deleted, and their octets.</summary>
    public int Left { get; private set; }
    public long Octets { get; private set; }

    public uint Uid(int number) => uids[number - 1];
    public uint Size(int number) => sizes[number - 1];
    public bool IsDeleted(int number) => deleted[number - 1];

    public void Delete(int number)
    {
        deleted[number - 1] = true;
        Left--;
        Octets -= Size(number);
    }

    public void Retrieved(int number) => retrieved[number - 1] = true;

    /// <summary>No message is marked as deleted any more.</summary>
    public void Reset()
    {
        for (var i = 0; i < uids.Length; i++)
        {
            if (!deleted[i]) continue;
            Left++;
            Octets += sizes[i];
        }
        deleted.SetAll(false);
    }

    public List<uint> DeletedUids() => [.. Numbers(deleted)];

    /// <summary>Of those that are not deleted.</summary>
    public List<uint> RetrievedUids() => [.. Numbers(new BitArray(retrieved).And(new BitArray(deleted).Not()))];

    IEnumerable<uint> Numbers(BitArray marks)
    {
        for (var i = 0; i < uids.Length; i++)
            if (marks[i]) yield return uids[i];
    }
}
