using System.Collections.Concurrent;
using CbaMail.Config;
using CbaMail.Correspondents;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Queue;

/// <summary>An address that mailings leave out.</summary>
/// <param name="Address">In the form for comparison.</param>
/// <param name="Reason">dead, complaint, unsubscribed or manual.</param>
/// <param name="Detail">The reply, or what the administrator wrote.</param>
/// <param name="Source">The message or mailing that told it; or empty.</param>
/// <param name="Expires">Null: never.</param>
public sealed record Suppression(string Address, string Reason, string Detail, string Source, DateTimeOffset Since, DateTimeOffset? Expires)
{
    /// <summary>Why somebody was left out, as the ledger says it.</summary>
    public string Sentence => $"suppressed ({Reason}{(Detail.Length > 0 ? ": " + Detail : "")})";
}

/// <summary>
/// Who is left out of mailings: addresses that are dead, whose owner has complained, or whom an administrator has put here. Personal mail is
/// always tried.
///
/// One bounce makes nothing dead: a directory that is down for an afternoon says "no such user" to everybody, and a new student's account
/// is made a day late. It takes two messages that were told so, a day apart and within thirty; three days where the domain is at fault. What
/// gets through to the address meanwhile wipes that out. An entry for a dead address ends by itself.
/// </summary>
public sealed class Suppressions
{
    /// <summary>The reasons that there are.</summary>
    public static readonly IReadOnlyList<string> Reasons = ["dead", "complaint", "unsubscribed", "manual"];

    readonly Store store;
    readonly TimeProvider time;
    readonly BounceSettings settings;
    readonly ConcurrentDictionary<long, byte> noted = new(); // of addresses with a row in either table: most have none, and are not looked up

    public Suppressions(Store store, TimeProvider time, BounceSettings settings)
    {
        (this.store, this.time, this.settings) = (store, time, settings);
        using var read = store.Read();
        SuppressionTable.ForEachAddress(read, address => noted[Mark(address)] = 0);
    }

    static string Key(MailAddress address) => address.Key;

    static long Mark(string address) => MailAddress.TryParse(address, out var parsed) ? CorrespondentBook.Hash(parsed) : 0;

    /// <summary>Why the address is left out now, or null.</summary>
    public Suppression? Find(MailAddress address)
    {
        if (!noted.ContainsKey(CorrespondentBook.Hash(address))) return null;
        using var read = store.Read();
        return Valid(SuppressionTable.Find(read.Prepare, Key(address)));
    }

    /// <inheritdoc cref="Find(MailAddress)"/>
    internal Suppression? Find(WriteTransaction transaction, MailAddress address) =>
        noted.ContainsKey(CorrespondentBook.Hash(address)) ? Valid(SuppressionTable.Find(transaction.Prepare, Key(address))) : null;

    Suppression? Valid(Suppression? found) => found?.Expires is { } end && end <= time.GetUtcNow() ? null : found;

    /// <summary>A message was told that the address is dead; in the commit that records it. A message counts once.</summary>
    /// <param name="source">The message or mailing.</param>
    public void RecordDead(WriteTransaction transaction, MailAddress address, string source, bool ofDomain, string reply)
    {
        if (settings.DeadAfter <= 0) return;
        var (key, now) = (Key(address), time.GetUtcNow());
        SuppressionTable.AddBounce(transaction, key, source, now);
        Note(transaction, address);
        var apart = ofDomain ? settings.DeadDomainApart : settings.DeadApart;
        var (count, first) = SuppressionTable.Bounces(transaction, key, now - settings.DeadWithin);
        if (count < settings.DeadAfter || now - first < apart) return;
        Put(transaction, address, new Suppression(key, "dead", reply.Length > 300 ? reply[..300] : reply, source, now, now + settings.SuppressFor));
    }

    /// <summary>Mail has got through to the address: what bounces said of it is out of date.</summary>
    public void RecordAlive(WriteTransaction transaction, MailAddress address)
    {
        if (!noted.ContainsKey(CorrespondentBook.Hash(address))) return;
        SuppressionTable.ForgetBounces(transaction, Key(address));
        SuppressionTable.Remove(transaction, Key(address), "dead");
    }

    /// <summary>Puts an address on the list, in the caller's transaction (complaints come so); an entry that an administrator made stays as it is.</summary>
    public void Put(WriteTransaction transaction, MailAddress address, Suppression entry)
    {
        SuppressionTable.Put(transaction, entry);
        Note(transaction, address);
    }

    void Note(WriteTransaction transaction, MailAddress address)
    {
        var mark = CorrespondentBook.Hash(address);
        if (!noted.ContainsKey(mark)) transaction.OnCommitted(() => noted[mark] = 0);
    }

    // ---- for people

    public IReadOnlyList<Suppression> List(string? after, int limit, string? reason = null)
    {
        using var read = store.Read();
        return SuppressionTable.List(read, after ?? "", limit, reason, time.GetUtcNow());
    }

    /// <summary>By an administrator: replaces what stands there.</summary>
    public async ValueTask<Result<Suppression>> AddAsync(string text, string reason, string detail, DateTimeOffset? expires, CancellationToken cancel = default)
    {
        if (!MailAddress.TryParse(text.AsSpan().Trim(), out var address)) return Refusal.BadAddress.Because($"\"{text}\" is not a valid address");
        if (!Reasons.Contains(reason)) return Refusal.Invalid.Because($"\"{reason}\" is no reason; there are {string.Join(", ", Reasons)}");
        var entry = new Suppression(Key(address), reason, detail, "", time.GetUtcNow(), expires);
        await store.CommitAsync(transaction =>
        {
            SuppressionTable.Remove(transaction, entry.Address, null);
            Put(transaction, address, entry);
            return true;
        }, cancel);
        return entry;
    }

    /// <summary>Takes an address off; its bounces are forgotten as well, so that the next one does not put it back.</summary>
    public async ValueTask<Refusal?> RemoveAsync(string text, CancellationToken cancel = default)
    {
        if (!MailAddress.TryParse(text.AsSpan().Trim(), out var address)) return Refusal.BadAddress.Because($"\"{text}\" is not a valid address");
        return await store.CommitAsync(transaction =>
        {
            SuppressionTable.ForgetBounces(transaction, Key(address));
            return SuppressionTable.Remove(transaction, Key(address), null) ? null : Refusal.NoSuchThing.Because($"{address} is not on the list");
        }, cancel);
    }

    /// <summary>Removes what has ended, some rows a commit.</summary>
    internal async Task PruneAsync(CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        while (await store.CommitAsync(transaction => SuppressionTable.Prune(transaction, now, now - settings.DeadWithin, 1000), cancel) > 0) { }
    }
}
