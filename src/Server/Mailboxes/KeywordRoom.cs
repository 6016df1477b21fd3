using CbaMail.Storage;

namespace CbaMail.Mailboxes;

/// <summary>
/// Keywords are inventions of clients, and every session that has a mailbox open keeps each different set of them that its messages have. So those of a
/// mailbox have a common bound: above it a message keeps the keywords it had (RFC 9051 7.1, PERMANENTFLAGS: what cannot be kept is ignored), and FETCH tells.
/// What a mailbox has is known from its first new set on, and not always less when sets go; before anything is refused it is looked up again now and then.
/// Only the committer asks, one commit at a time.
/// </summary>
sealed class KeywordRoom
{
    /// <summary>Of the sets of one mailbox, with what each costs beside its text: 2,600 of 36 letters.</summary>
    public const int MostBytes = 256 << 10;
    const int BytesASet = 64;
    /// <summary>Of all mailboxes that are known.</summary>
    const long MostBytesInAll = 32 << 20;
    /// <summary>Refusals before the mailbox is looked up again.</summary>
    const int Patience = 10_000;

    sealed class Known
    {
        public HashSet<string> Sets { get; } = new(StringComparer.Ordinal);
        public long Bytes { get; set; }
        public int Refused { get; set; }

        public void Add(string set)
        {
            if (Sets.Add(set)) Bytes += set.Length + BytesASet;
        }
    }

    readonly Dictionary<long, Known> mailboxes = [];
    long bytes;

    /// <summary>The keywords that a message of the mailbox gets: the new ones where there is room for them, else those it has.</summary>
    public string? Fit(WriteTransaction transaction, long mailboxId, string? keywords, string? now)
    {
        if (keywords is null || keywords == now) return keywords;
        var known = Of(transaction, mailboxId);
        if (known.Sets.Contains(keywords)) return keywords;
        if (known.Bytes + keywords.Length + BytesASet > MostBytes)
        {
            if (++known.Refused >= Patience) Forget(mailboxId);
            return now;
        }
        var before = known.Bytes;
        known.Add(keywords);
        bytes += known.Bytes - before;
        return keywords;
    }

    Known Of(WriteTransaction transaction, long mailboxId)
    {
        if (mailboxes.TryGetValue(mailboxId, out var known)) return known;
        if (bytes > MostBytesInAll)
        {
            mailboxes.Clear();
            bytes = 0;
        }
        known = new Known();
        foreach (var set in MessageTable.KeywordSets(transaction, mailboxId))
        {
            known.Add(set);
            if (known.Bytes > MostBytes) break;
        }
        bytes += known.Bytes + BytesASet;
        return mailboxes[mailboxId] = known;
    }

    void Forget(long mailboxId)
    {
        if (mailboxes.Remove(mailboxId, out var known)) bytes -= known.Bytes + BytesASet;
    }
}
