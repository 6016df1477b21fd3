using CbaMail.Courses;
using CbaMail.Envelope;
using CbaMail.Queue;
using CbaMail.Storage;

namespace CbaMail.Mailings.Tracking;

/// <summary>How many copies; each counts in the hour in which it happened.</summary>
/// <param name="Sent">Put into a mailbox here, or into the queue.</param>
/// <param name="Waiting">Not delivered yet, or deferred.</param>
public sealed record CopyTotals(int Sent, int Delivered, int Waiting, int Bounced, int Opened, int Clicked, int Replied, int Complained)
{
    public static readonly CopyTotals None = new(0, 0, 0, 0, 0, 0, 0, 0);
}

/// <summary>Those of an hour at a provider.</summary>
/// <param name="Hour">When it begins, in UTC; null: of all hours.</param>
/// <param name="Provider">Who runs the reader's mail servers, by their name; "local" for mailboxes here; null: of all.</param>
public sealed record TotalsRow(DateTimeOffset? Hour, string? Provider, CopyTotals Totals);

/// <summary>Totals of a mailing, or of all mailings of a course.</summary>
public sealed record TotalsSheet(IReadOnlyList<TotalsRow> Hours, IReadOnlyList<TotalsRow> Providers, IReadOnlyList<TotalsRow> Cells);

/// <summary>Counts what became of copies by hours and by who runs the readers' mail servers.</summary>
public sealed class TotalsBook(Store store)
{
    /// <summary>Providers that are told apart, the largest first; the rest are one.</summary>
    const int MostProviders = 40;

    const string Local = "local", Others = "others";

    sealed class Counter
    {
        public int Sent, Delivered, Waiting, Bounced, Opened, Clicked, Replied, Complained;
        public CopyTotals Sum => new(Sent, Delivered, Waiting, Bounced, Opened, Clicked, Replied, Complained);
    }

    public Result<TotalsSheet> OfMailing(long mailing)
    {
        using var read = store.Read();
        return MailingTable.Get(read, mailing) is null ? PressRoom.NoMailing(mailing) : Count(read, mailing, null);
    }

    public TotalsSheet OfCourse(Course course)
    {
        using var read = store.Read();
        return Count(read, null, course.Id);
    }

    static TotalsSheet Count(ReadTransaction read, long? mailing, long? course)
    {
        var (names, sizes) = (new Dictionary<string, string>(StringComparer.Ordinal), new Dictionary<string, int>(StringComparer.Ordinal));
        foreach (var copy in LedgerEventTable.Copies(read, mailing, course)) sizes[Provider(copy, names)] = sizes.GetValueOrDefault(Provider(copy, names)) + 1;
        var shown = sizes.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal).Take(MostProviders).Select(pair => pair.Key).ToHashSet(StringComparer.Ordinal);
        var cells = new Dictionary<(DateTimeOffset? Hour, string? Provider), Counter>();
        foreach (var copy in LedgerEventTable.Copies(read, mailing, course))
        {
            var provider = Provider(copy, names) is var name && shown.Contains(name) ? name : Others;
            Note(copy.Handed ?? (copy.State is "delivered" or "bounced" ? copy.At : null), counter => counter.Sent++);
            if (copy.State is "queued" or "deferred" or "rendered") Note(copy.Handed ?? copy.At, counter => counter.Waiting++);
            if (copy.State == "delivered") Note(copy.At, counter => counter.Delivered++);
            if (copy.State == "bounced") Note(copy.At, counter => counter.Bounced++);
            Note(copy.Opened is { } opened && !(copy.Clicked < opened) ? opened : copy.Clicked, counter => counter.Opened++);
            Note(copy.Clicked, counter => counter.Clicked++);
            Note(copy.Replied, counter => counter.Replied++);
            Note(copy.Complained, counter => counter.Complained++);

            void Note(DateTimeOffset? at, Action<Counter> count)
            {
                if (at is not { } time) return;
                DateTimeOffset hour = new(time.UtcDateTime.Date.AddHours(time.UtcDateTime.Hour), TimeSpan.Zero);
                foreach (var key in ((DateTimeOffset?, string?)[])[(hour, provider), (hour, null), (null, provider)])
                {
                    if (!cells.TryGetValue(key, out var counter)) cells[key] = counter = new();
                    count(counter);
                }
            }
        }
        List<TotalsRow> Rows(Func<DateTimeOffset?, string?, bool> which) => [.. cells.Where(pair => which(pair.Key.Hour, pair.Key.Provider)).OrderBy(pair => pair.Key.Hour).ThenByDescending(pair => pair.Value.Sent)
            .ThenBy(pair => pair.Key.Provider, StringComparer.Ordinal).Select(pair => new TotalsRow(pair.Key.Hour, pair.Key.Provider, pair.Value.Sum))];
        return new(Rows((hour, provider) => hour is not null && provider is null), Rows((hour, provider) => hour is null && provider is not null), Rows((hour, provider) => hour is not null && provider is not null));
    }

    /// <summary>By the server that took the copy; before there is one, by the reader's domain.</summary>
    static string Provider(CountedCopy copy, Dictionary<string, string> names)
    {
        if (copy.Host is null && copy.State == "delivered" && copy.Attempts == 0) return Local;
        var host = copy.Host is { } peer ? peer.Split(' ', 2)[0].ToLowerInvariant() : "";
        // an address literal says nothing of who it is
        if (host.Length == 0 || host[0] == '[' || char.IsAsciiDigit(host[^1])) host = MailAddress.TryParse(copy.Address, out var address) ? address.DomainKey : copy.Address;
        if (!names.TryGetValue(host, out var name)) names[host] = name = MxOperator.Of(host);
        return name;
    }
}
