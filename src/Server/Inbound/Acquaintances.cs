using CbaMail.Config;
using CbaMail.Net;

namespace CbaMail.Inbound;

/// <summary>
/// Whom we have met: clients that waited for the greeting, first attempts that were told to come again, those who came again, senders whose mail was
/// taken. All of it in memory, bounded, and written now and then (<see cref="EdgeKeeper"/>).
/// </summary>
public sealed class Acquaintances
{
    readonly InboundSettings settings;

    public Acquaintances(Settings settings, TimeProvider time)
    {
        this.settings = settings.Inbound;
        var greylist = this.settings.Greylist;
        Greeted = new Remembered("greeted", 50_000, this.settings.GreetingMemory + TimeSpan.FromDays(1), time);
        Attempts = new Remembered("greylist", Math.Max(16, greylist.Entries), greylist.Memory + greylist.Window + TimeSpan.FromDays(1), time);
        Pools = new Remembered("pool", 20_000, greylist.Memory + TimeSpan.FromDays(1), time);
        Senders = new Remembered("sender", 50_000, greylist.Memory + TimeSpan.FromDays(1), time);
    }

    /// <summary>Households that waited for the greeting.</summary>
    public Remembered Greeted { get; }

    /// <summary>Of greylisting, by client, sender's domain and recipient: Since is the first attempt, Count 1 who has passed.</summary>
    public Remembered Attempts { get; }

    /// <summary>Clients that have passed greylisting, Count times.</summary>
    public Remembered Pools { get; }

    /// <summary>Senders' domains by client whose mail was taken.</summary>
    public Remembered Senders { get; }

    public IEnumerable<Remembered> All => [Greeted, Attempts, Pools, Senders];

    // strangers choose the sender's domain: a long one must not take the room of four
    const int LongestName = 80;

    public static string Attempt(string pool, string domain, string recipient) => Name(pool) + " " + Name(domain) + " " + Name(recipient);

    // the end of a name tells people whose it is, the digest keeps two apart
    static string Name(string name) => name.Length <= LongestName ? name
        : Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(name)), 0, 8) + "..." + name[^40..];

    /// <summary>Whether the client has passed so often that it is asked no more.</summary>
    public bool IsTrusted(string pool) => Pools.TryFind(pool, out var memo) && memo.Count >= settings.Greylist.AllowAfter;

    /// <summary>An attempt of somebody who is not spared.</summary>
    /// <returns>Zero when it may pass, or how long it has to wait.</returns>
    public TimeSpan Try(string pool, string domain, string recipient)
    {
        var greylist = settings.Greylist;
        var left = TimeSpan.Zero;
        var first = false;
        Attempts.Change(Attempt(pool, domain, recipient), (before, now) =>
        {
            if (before is not { } known || (known.Count == 0 && now - known.Since > greylist.Window) || known.Since > now)
            {
                left = greylist.Delay;
                return left <= TimeSpan.Zero ? null : new Memo(now, now, now + greylist.Window);
            }
            left = known.Count > 0 ? TimeSpan.Zero : known.Since + greylist.Delay - now;
            if (left > TimeSpan.Zero) return known;
            left = TimeSpan.Zero;
            first = known.Count == 0;
            return Renewed(known, now, greylist.Memory, count: 1);
        });
        if (first) Pools.Change(pool, (before, now) => new Memo(before?.Since ?? now, now, now + greylist.Memory, Math.Min((before?.Count ?? 0) + 1, 1_000_000)));
        return left;
    }

    // a row a day at most
    static Memo Renewed(in Memo memo, DateTimeOffset now, TimeSpan memory, int count) =>
        memo.Count == count && now - memo.Last < TimeSpan.FromDays(1) ? memo : memo with { Last = now, Until = now + memory, Count = count };

    /// <summary>Mail was taken of this sender.</summary>
    public void Took(string pool, string domain)
    {
        Senders.Change(Name(pool) + " " + Name(domain), (before, now) =>
            before is { } known ? Renewed(known, now, settings.Greylist.Memory, known.Count) : new Memo(now, now, now + settings.Greylist.Memory, 1));
        if (IsTrusted(pool)) Pools.Change(pool, (before, now) => before is { } known ? Renewed(known, now, settings.Greylist.Memory, known.Count) : null);
    }

    public bool IsKnown(string pool, string domain) => Senders.TryFind(Name(pool) + " " + Name(domain), out _);
}
