using System.Collections.Concurrent;
using System.Security.Cryptography;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.MailAuth.Dkim;
using CbaMail.MailAuth.Dmarc;

namespace CbaMail.Delivery;

/// <summary>
/// Signatures of our own people's mail (RFC 6376). What has to wait is signed when it is accepted, and the signatures wait in memory for its
/// turn: an RSA signature costs more than all else of a message, and what has piled up then leaves as quickly as if it were not signed. What
/// does not stand here (since it could leave at once, after a restart, or when much is waiting) is signed as it leaves: signed before the
/// commit, messages come to it one by one and not together, a fifth more CPU each.
/// </summary>
public sealed class OwnSignatures(SigningKeys keys, Settings settings, TimeProvider time)
{
    /// <summary>Messages whose signatures wait at most, some 1.5 KB each.</summary>
    internal const int Most = 16_384;

    /// <summary>A signature of an earlier hour is as good, but its key may be about to go.</summary>
    internal static readonly TimeSpan Fresh = TimeSpan.FromHours(1);

    readonly ConcurrentDictionary<long, (byte[] Fields, DateTimeOffset Made)> waiting = new();
    int count;
    long swept;

    internal int Count => Volatile.Read(ref count);

    /// <summary>Whole fields for a message that one of our accounts sends; empty where it is to be signed as it leaves, if at all.</summary>
    public byte[] Ahead(ReadOnlyMemory<byte> message)
    {
        if (!settings.Dkim.Sign || !HasRoom()) return [];
        try
        {
            return SignerOf(message.Span)?.Sign(message, time.GetUtcNow()) ?? [];
        }
        catch (Exception error) when (error is CryptographicException or FormatException)
        {
            return []; // tried again as it leaves, and told then
        }
    }

    /// <summary>Signs for the domain of the only author, with all its keys; null where he is not ours.</summary>
    internal DkimSigner? SignerOf(ReadOnlySpan<byte> header)
    {
        if (AuthorDomain.Of(header) is not { Kind: AuthorDomainKind.One, Domains: [var domain] }) return null;
        if (keys.Active(domain) is not { Count: > 0 } active) return null;
        return new DkimSigner([.. active.Select(key => new SigningIdentity(domain, key.Selector, key.Key))], new SigningRules());
    }

    /// <summary>Keeps them for a queued message.</summary>
    public void Keep(long id, byte[] fields)
    {
        if (waiting.TryAdd(id, (fields, time.GetUtcNow()))) Interlocked.Increment(ref count);
    }

    /// <summary>Those that were kept, if they are young enough; they are not kept any longer.</summary>
    public byte[]? Take(long id)
    {
        if (count == 0 || !waiting.TryRemove(id, out var kept)) return null;
        Interlocked.Decrement(ref count);
        return IsFresh(kept.Made) ? kept.Fields : null;
    }

    bool IsFresh(DateTimeOffset made) => time.GetUtcNow() - made < Fresh;

    // what was dropped from the queue never came for its signatures
    bool HasRoom()
    {
        if (Count < Most) return true;
        var (last, now) = (Volatile.Read(ref swept), time.GetTimestamp());
        if (last != 0 && time.GetElapsedTime(last, now) < TimeSpan.FromMinutes(1)) return false;
        if (Interlocked.CompareExchange(ref swept, now, last) != last) return false;
        foreach (var (id, (_, made)) in waiting)
            if (!IsFresh(made)) Take(id);
        return Count < Most;
    }
}
