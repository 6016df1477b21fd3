using System.Text;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Mailboxes;

/// <summary>Setting annotations (RFC 5464 4.3): all of them or none.</summary>
public static class Annotations
{
    /// <summary>Octets of a value. RFC 5464 4.1 asks for 1024 at least.</summary>
    public const int MaxValue = 16 * 1024;

    /// <summary>Entries of a mailbox or the server, shared, and as many an account. RFC 5464 4.1 asks for 10.</summary>
    public const int MaxEntries = 100;

    /// <summary>What a mailbox is for, as an annotation (RFC 6154 4).</summary>
    public const string SpecialUse = "/private/specialuse";

    /// <summary>RFC 5464 4.3: TOOMANY.</summary>
    public static readonly Refusal TooMany = Refusal.TooMany with { ImapCode = "METADATA TOOMANY", Sentence = $"There are {MaxEntries} annotations already" };

    /// <summary>The name as it is kept, or null: it is none (RFC 5464 3.2).</summary>
    /// <param name="least">Components that it must have.</param>
    public static string? Normalize(string entry, int least = 2)
    {
        if (entry.Length is < 2 or > 256 || entry[0] != '/' || entry[^1] == '/' || entry.Contains("//", StringComparison.Ordinal)) return null;
        foreach (var c in entry)
            if (c is '*' or '%' or < ' ' or > '~') return null;
        var name = entry.ToLowerInvariant();
        var parts = name.Split('/');
        if (parts[1] is not ("private" or "shared")) return null;
        // vendors' entries begin below their name
        return parts.Length - 1 >= (least > 1 && parts.Length > 2 && parts[2] == "vendor" ? 4 : least) ? name : null;
    }

    /// <param name="relieved">Mailboxes that have lost their use to this one.</param>
    internal static Refusal? Set(WriteTransaction transaction, long mailboxId, long accountId, IReadOnlyList<(string Entry, byte[]? Value)> values, List<long> relieved)
    {
        var mailbox = mailboxId == 0 ? null : MailboxTable.Get(transaction, mailboxId);
        if (mailbox is null && mailboxId != 0) return Refusal.NoSuchMailbox;
        // look at all before the first is written (RFC 5464 4.3)
        foreach (var whose in (long[])[0, accountId])
        {
            var added = values.Where(one => one.Value is not null && Whose(one.Entry, accountId) == whose && !IsUse(one.Entry, mailbox)).Select(one => one.Entry).ToHashSet();
            if (added.Count > 0 && AnnotationTable.CountWith(transaction, mailboxId, whose, added) > MaxEntries) return TooMany;
        }
        foreach (var (entry, value) in values)
        {
            if (IsUse(entry, mailbox)) Use(transaction, mailbox!, UseOf(value), relieved);
            else if (value is null) AnnotationTable.Remove(transaction, mailboxId, Whose(entry, accountId), entry);
            else AnnotationTable.Put(transaction, mailboxId, Whose(entry, accountId), entry, value);
        }
        return null;
    }

    // a use belongs to one mailbox: whoever gives it to another takes it from the first (RFC 6154 4, 5.4)
    static void Use(WriteTransaction transaction, Mailbox mailbox, string? use, List<long> relieved)
    {
        if (use is not null)
            foreach (var other in MailboxTable.All(transaction, mailbox.AccountId).Where(other => other.Id != mailbox.Id && other.SpecialUse == use))
            {
                MailboxTable.SetSpecialUse(transaction, other.Id, null);
                relieved.Add(other.Id);
            }
        MailboxTable.SetSpecialUse(transaction, mailbox.Id, use);
    }

    /// <summary>Who sees an entry that this account sets; 0: everybody.</summary>
    internal static long Whose(string entry, long accountId) => entry.StartsWith("/private/", StringComparison.Ordinal) ? accountId : 0;

    static bool IsUse(string entry, Mailbox? mailbox) => mailbox is not null && entry == SpecialUse;

    static string? UseOf(byte[]? value) => value is { Length: > 0 } ? Encoding.ASCII.GetString(value) : null;
}
