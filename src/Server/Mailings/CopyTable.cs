using System.Globalization;
using CbaMail.Mailings.Tracking;
using CbaMail.Storage;

namespace CbaMail.Mailings;

/// <summary>A copy of a mailing, found again by somebody who has seen it.</summary>
public sealed record FoundCopy(long LedgerId, long Mailing, string Address, string Sender);

/// <summary>Finds rows of the ledger by what a copy bears, and marks them.</summary>
public static class CopyTable
{
    const string Columns = "SELECT l.id, l.mailing_id, l.address, m.from_address FROM ledger l JOIN mailing m ON m.id = l.mailing_id";

    public static FoundCopy? Find(ReadTransaction read, long ledgerId)
    {
        using var row = read.Prepare(Columns + " WHERE l.id = ?").Bind(1, ledgerId);
        return row.Step() ? new FoundCopy(row.Int64(0), row.Int64(1), row.String(2), row.String(3)) : null;
    }

    /// <summary>By its Message-ID, which says where to look (<c>mMAILING.PERSON.…@</c>) and cannot be guessed.</summary>
    public static FoundCopy? Find(ReadTransaction read, string messageId)
    {
        var parts = messageId.Split('.', 3);
        if (parts.Length < 3 || !parts[0].StartsWith('m') || !long.TryParse(parts[0].AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var mailing)
            || !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var person)) return null;
        using var row = read.Prepare(Columns + " WHERE l.mailing_id = ?1 AND l.person_id = coalesce((SELECT person_id FROM former_participant WHERE id = ?2), ?2) AND l.message_id = ?3").Bind(1, mailing).Bind(2, person).Bind(3, messageId);
        return row.Step() ? new FoundCopy(row.Int64(0), row.Int64(1), row.String(2), row.String(3)) : null;
    }

    /// <summary>Whoever got the copy has complained about it; how it was delivered stays.</summary>
    public static void MarkComplaint(WriteTransaction write, long ledgerId, string told, DateTimeOffset at)
    {
        LedgerEventTable.KeepDelivered(write, ledgerId);
        LedgerEventTable.Add(write, ledgerId, "complained", told, "", null, at);
        write.Prepare("UPDATE ledger SET class = 'complaint', reply = ? WHERE id = ?").Bind(1, told).Bind(2, ledgerId).Run();
    }
}
