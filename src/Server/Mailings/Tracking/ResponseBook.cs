using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Mailings.Tracking;

/// <summary>What readers did with their copies.</summary>
public sealed class ResponseBook(Store store)
{
    const int MostLinks = 500;

    /// <summary>Of all copies of a mailing.</summary>
    public Result<(ResponseCounts Counts, IReadOnlyList<FollowedLink> Links)> Of(long mailing)
    {
        using var read = store.Read();
        return MailingTable.Get(read, mailing) is null ? PressRoom.NoMailing(mailing) : (LedgerEventTable.Counts(read, mailing), LedgerEventTable.Links(read, mailing, MostLinks));
    }
}
