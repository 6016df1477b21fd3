using System.Globalization;
using System.Text;
using CbaMail.Config;
using CbaMail.Storage;

namespace CbaMail.Queue;

/// <summary>Something and how often it was.</summary>
public sealed record Tally(string What, long Count, long Bytes = 0);

/// <summary>What the mail of some time was, as far as the trail is kept.</summary>
/// <param name="Since">The later of what was asked for and what is kept.</param>
/// <param name="Arrived">Messages that were taken, with their bytes: from other servers, from those who signed in, of the server's own.</param>
/// <param name="Placed">Recipients: mailbox, junk, queued, refused, bounce and what else the trail says.</param>
/// <param name="Left">Recipients that left the queue: delivered, bounced, dropped. Copies of mailings stand in their ledgers.</param>
/// <param name="Refused">Sessions' messages that were refused.</param>
/// <param name="Refusals">Why, the most frequent first; numbers within are written as #.</param>
/// <param name="Bounces">Domains and classes of what came back.</param>
public sealed record MailSummary(
    DateTimeOffset Since, DateTimeOffset Until, IReadOnlyList<Tally> Arrived, IReadOnlyList<Tally> Placed, IReadOnlyList<Tally> Left, long Refused,
    IReadOnlyList<Tally> Refusals, IReadOnlyList<Tally> RefusedClients, IReadOnlyList<Tally> Senders, IReadOnlyList<Tally> Recipients, IReadOnlyList<Tally> Bounces);

/// <summary>A day's mail in numbers (what pflogsumm makes of a log): one walk over the trail, whatever was asked.</summary>
public sealed class TrailSummary(Store store, Trail trail, TimeProvider time, QueueSettings settings)
{
    const int Most = 10;

    /// <summary>Names that strangers choose: a walk keeps no more of them.</summary>
    const int MostNames = 100_000;

    public async Task<MailSummary> MakeAsync(DateTimeOffset since, DateTimeOffset until, CancellationToken cancel = default)
    {
        await trail.FlushAsync(cancel);
        var kept = time.GetUtcNow() - settings.KeepFinished;
        if (since < kept) since = kept;
        var (arrived, placed, refusals, clients, senders, recipients) = (new Sums(), new Sums(), new Sums(), new Sums(), new Sums(), new Sums());
        long refused = 0;
        using var read = store.Read();
        TrailTable.Walk(read, since, until, (_, entry) =>
        {
            cancel.ThrowIfCancellationRequested();
            var origin = entry.Origin.Split('\t');
            if (entry.Kind == TrailKind.Refused)
            {
                var (count, reason) = Refusal(entry);
                refused += count;
                refusals.Add(reason, count);
                if (origin[0].Length > 0) clients.Add(origin[0], 1);
                return;
            }
            arrived.Add(origin.Length > 2 && origin[2].Length > 0 ? "submitted" : origin.Length > 1 ? "servers" : "own", 1, entry.Size);
            senders.Add(entry.Sender.Length > 0 ? entry.Sender : "<>", 1, entry.Size);
            foreach (var line in entry.Recipients.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                var (address, deed) = Split(line, '\t');
                var (state, detail) = Split(deed, ' ');
                placed.Add(state.Length > 0 ? state : "other", 1, entry.Size);
                if (state == "refused") refusals.Add(Masked(detail), 1);
                else recipients.Add(address, 1, entry.Size);
            }
        });
        return new(since, until, arrived.Top(), placed.Top(), TrailTable.Outcomes(read, since, until), refused, refusals.Top(), clients.Top(), senders.Top(), recipients.Top(), TrailTable.Bounces(read, since, until, Most));
    }

    static (string, string) Split(string text, char at) => text.IndexOf(at) is >= 0 and var found ? (text[..found], text[(found + 1)..]) : (text, "");

    /// <summary>A line stands for one message, or for many that a flood had too many of.</summary>
    internal static (long Count, string Reason) Refusal(TrailEntry entry)
    {
        if (entry.Arrival.Length == 0 && entry.Verdict.Split(' ') is ["and", var number, ..] && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var many)) return (many, "not kept one by one: too many at once");
        return (1, Masked(entry.Verdict));
    }

    /// <summary>Behind the two codes a number is written as #, so that "in 20 seconds" and "in 60 seconds" are one reason.</summary>
    internal static string Masked(string reply)
    {
        var text = new StringBuilder();
        var words = 0;
        for (var i = 0; i < reply.Length && text.Length < 120; i++)
        {
            var c = reply[i];
            if (c == ' ') words++;
            if (words < 2 || !char.IsAsciiDigit(c)) text.Append(char.IsControl(c) ? ' ' : c);
            else if (text[^1] != '#') text.Append('#');
        }
        return text.ToString();
    }

    sealed class Sums
    {
        readonly Dictionary<string, (long Count, long Bytes)> all = new(StringComparer.OrdinalIgnoreCase);

        public void Add(string what, long count, long bytes = 0)
        {
            if (all.TryGetValue(what, out var sum)) all[what] = (sum.Count + count, sum.Bytes + bytes);
            else if (all.Count < MostNames) all[what] = (count, bytes);
        }

        public IReadOnlyList<Tally> Top() =>
            [.. all.OrderByDescending(pair => pair.Value.Count).ThenBy(pair => pair.Key, StringComparer.Ordinal).Take(Most).Select(pair => new Tally(pair.Key, pair.Value.Count, pair.Value.Bytes))];
    }
}
