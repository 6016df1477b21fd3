namespace CbaMail.Imap;

/// <summary>\Recent (RFC 3501 2.3.2): the messages of which this session is the first to hear.</summary>
internal sealed partial class SelectedMailbox
{
    (uint From, uint To) recent;
    int toldRecent;

    /// <summary>Messages from this UID on are shown as \Recent (RFC 3501 2.3.2); it stays with the next session that selects.</summary>
    public void MarkRecent(uint from)
    {
        var index = IndexOf(from);
        for (index = index < 0 ? ~index : index; index < Count; index++) flags[index] |= ImapFlags.Recent;
    }

    /// <summary>The messages of this range are \Recent to this session and to no other, those too that are not in the view yet.</summary>
    public void TakeRecent((uint From, uint To) claimed)
    {
        recent = claimed;
        var index = IndexOf(claimed.From);
        for (index = index < 0 ? ~index : index; index < Count && uids[index] < claimed.To; index++) flags[index] |= ImapFlags.Recent;
    }

    public int RecentCount
    {
        get
        {
            var count = 0;
            foreach (var bits in flags.AsSpan(0, Count))
                if ((bits & ImapFlags.Recent) != 0) count++;
            return count;
        }
    }

    /// <summary>The client has asked for a mailbox that is told as it is: expunges may have taken \Recent messages away (RFC 3501 6.4.1, 7.3.2).</summary>
    public bool IsChecked { get; set; }

    public void WriteRecent(ImapWriter writer)
    {
        if (writer.Dialect.Rev2) return; // RFC 9051 appendix E 12
        toldRecent = RecentCount;
        writer.Write("* "u8).Write(toldRecent).Write(" RECENT\r\n"u8);
    }

    /// <summary>RFC 9051 appendix E 12: there is no \Recent.</summary>
    public void ForgetRecent()
    {
        recent = default;
        for (var i = 0; i < Count; i++) flags[i] &= unchecked((byte)~ImapFlags.Recent);
    }
}
