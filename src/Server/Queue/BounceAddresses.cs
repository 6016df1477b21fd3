using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Queue;

/// <summary>What a return address stands for.</summary>
public enum BounceKind : byte
{
    /// <summary>A row of the mailing ledger.</summary>
    Ledger = 1,
    /// <summary>A member of a list.</summary>
    ListMember = 2,

    /// <summary>The reader of a row of the ledger wants no more of its kind. Good for ever.</summary>
    Unsubscribe = 3,
    /// <summary>A letter that asks a member of a list, whose mail came back, whether he can be reached.</summary>
    ListProbe = 4,

    /// <summary>In links alone: the picture of a copy that its reader's program fetches.</summary>
    Picture = 5,
    /// <summary>In links alone: a link of a copy, with where it leads.</summary>
    Followed = 6,
    /// <summary>In links alone: one of a copy that no person sees.</summary>
    Unseen = 7,
}

/// <summary>What is left of a return address once its seal is found whole.</summary>
public sealed record BounceTicket(BounceKind Kind, long Id, DateTimeOffset Made);

/// <summary>
/// Return addresses that name what they return (VERP): <c>bounce+ID.SEAL@domain</c>, letters and digits of base32 without regard to case, some 36
/// octets; <c>unsubscribe+ID.SEAL@domain</c>, to which a reader writes to leave, and the same ID.SEAL in links. The seal is an HMAC over kind, day, id and domain under a key of the store, so nobody can make a bounce for a message that
/// he has not seen, and none after its time. The key stands encrypted in the database (Storage/Secrets).
/// </summary>
/// <remarks>The domain is that of the sender the reader sees, so that SPF and DMARC go by it (RFC 7489 3.1.2).</remarks>
public sealed class BounceAddresses
{
    /// <summary>What the local parts begin with.</summary>
    public const string Prefix = "bounce+";
    /// <summary>The same of those that a reader writes to.</summary>
    public const string LeavingPrefix = "unsubscribe+";

    // what stands in a link is sealed for this in place of a domain
    const string Link = "link";

    const int SealBytes = 10;
    static readonly DateTimeOffset Epoch = new(2024, 1, 1, 0, 0, 0, TimeSpan.Zero);

    readonly TimeProvider time;
    readonly BounceSettings settings;
    const int KeyBytes = 32;
    const string Purpose = "bounce address key";

    readonly Store store;
    readonly Secrets? secrets;
    readonly List<byte[]> keys = [];
    readonly List<long> clear = []; // rows of a time before keys were encrypted
    bool kept;

    /// <param name="secrets">Encrypts the keys in the database; null: they stand there in clear, as in a test's.</param>
    public BounceAddresses(Store store, TimeProvider time, BounceSettings settings, Secrets? secrets = null)
    {
        (this.store, this.time, this.settings, this.secrets) = (store, time, settings, secrets);
        using (var read = store.Read())
            foreach (var (id, value) in BounceKeyTable.All(read))
            {
                if (value.Length == KeyBytes)
                {
                    keys.Add(value);
                    if (secrets is not null) clear.Add(id);
                }
                // one that a lost key file encrypted opens nothing any more: bounces of mail before that are not told apart
                else if (secrets?.Open(Purpose, value) is { Ok: true, Value: var key }) keys.Add(key);
            }
        kept = keys.Count > 0;
        if (!kept) keys.Add(RandomNumberGenerator.GetBytes(KeyBytes)); // stored with the first address that is made of it
    }

    /// <summary>Encrypts the keys that an earlier release kept in clear.</summary>
    internal async Task SealAsync(CancellationToken cancel)
    {
        if (clear.Count == 0 || secrets is not { Problem: null }) return;
        await store.CommitAsync(transaction =>
        {
            using var read = store.Read();
            foreach (var (id, value) in BounceKeyTable.All(read))
                if (value.Length == KeyBytes) BounceKeyTable.Replace(transaction, id, secrets.Seal(transaction, Purpose, value));
            transaction.OnCommitted(clear.Clear);
            return true;
        }, cancel);
    }

    public bool IsOn => settings.Verp;

    /// <summary>The return address for something, in the transaction that sends it.</summary>
    public MailAddress Make(WriteTransaction transaction, BounceKind kind, long id, string domain)
    {
        Keep(transaction);
        return Make(kind, id, domain, time.GetUtcNow());
    }

    /// <summary>Stores the key, where that has not been done: before anything that is made of it goes out.</summary>
    public void Keep(WriteTransaction transaction)
    {
        // without its key file the server goes on with a key in memory: bounces find back until it ends, and clear text is kept by nobody
        if (!kept && secrets is null or { Problem: null })
        {
            BounceKeyTable.Add(transaction, secrets is null ? keys[0] : secrets.Seal(transaction, Purpose, keys[0]), time.GetUtcNow());
            transaction.OnCommitted(() => kept = true);
        }
    }

    internal MailAddress Make(BounceKind kind, long id, string domain, DateTimeOffset now) => new(PrefixOf(kind) + Token(kind, id, domain, now), domain);

    static string PrefixOf(BounceKind kind) => kind == BounceKind.Unsubscribe ? LeavingPrefix : Prefix;

    /// <summary>The same for a link: what stands in its path. The key must have been stored (<see cref="Keep"/>).</summary>
    /// <param name="target">What the seal covers besides, such as where the link leads.</param>
    public string LinkToken(BounceKind kind, long id, DateTimeOffset made, string? target = null) => Token(kind, id, Sealed(target), made);

    // 128 bits of a hash stand for it
    static string Sealed(string? target) => target is null ? Link : $"{Link}-{Base32(SHA256.HashData(Encoding.UTF8.GetBytes(target)).AsSpan(0, 16))}";

    string Token(BounceKind kind, long id, string domain, DateTimeOffset now)
    {
        Span<byte> payload = stackalloc byte[13];
        payload[0] = (byte)kind;
        BinaryPrimitives.WriteUInt16BigEndian(payload[1..], (ushort)(now - Epoch).TotalDays);
        var length = 3;
        for (var rest = (ulong)id; ; rest >>= 8)
        {
            payload[length++] = (byte)rest;
            if (rest < 256) break;
        }
        Span<byte> seal = stackalloc byte[32];
        Seal(keys[0], payload[..length], domain, seal);
        return $"{Base32(payload[..length])}.{Base32(seal[..SealBytes])}";
    }

    static void Seal(byte[] key, ReadOnlySpan<byte> payload, string domain, Span<byte> seal) =>
        HMACSHA256.HashData(key, [.. payload, .. Encoding.UTF8.GetBytes(new MailAddress("x", domain).DomainKey)], seal);

    /// <summary>Whether the address has the form of one, be it ours, forged or old.</summary>
    public static bool LooksLikeOne(MailAddress address) =>
        PrefixOf(address) is not null && IsToken(address.LocalPart);

    static string? PrefixOf(MailAddress address) =>
        address.LocalPart.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) ? Prefix : address.LocalPart.StartsWith(LeavingPrefix, StringComparison.OrdinalIgnoreCase) ? LeavingPrefix : null;

    static bool IsToken(string text) => text.IndexOf('.') is > 0 and var dot && text.Length - dot - 1 == 16;

    /// <summary>What the address stands for; null where it is forged or its time is over.</summary>
    public BounceTicket? Read(MailAddress address)
    {
        if (PrefixOf(address) is not { } prefix || Read(address.LocalPart[prefix.Length..], address.Domain) is not { } ticket || PrefixOf(ticket.Kind) != prefix) return null;
        var now = time.GetUtcNow();
        return ticket.Kind != BounceKind.Unsubscribe && (now - ticket.Made > settings.Valid + TimeSpan.FromDays(1) || ticket.Made > now + TimeSpan.FromDays(2)) ? null : ticket;
    }

    /// <summary>What the token of a link stands for; null where it is forged.</summary>
    public BounceTicket? ReadLink(string token, string? target = null) => Read(token, Sealed(target));

    BounceTicket? Read(string token, string domain)
    {
        if (!IsToken(token)) return null;
        var dot = token.IndexOf('.');
        Span<byte> payload = stackalloc byte[16];
        Span<byte> seal = stackalloc byte[SealBytes];
        var length = FromBase32(token.AsSpan(0, dot), payload);
        if (length is < 4 or > 11 || FromBase32(token.AsSpan(dot + 1), seal) != SealBytes) return null;
        var mine = false;
        Span<byte> expected = stackalloc byte[32];
        foreach (var key in keys)
        {
            Seal(key, payload[..length], domain, expected);
            mine |= CryptographicOperations.FixedTimeEquals(expected[..SealBytes], seal);
        }
        if (!mine) return null;
        var made = Epoch.AddDays(BinaryPrimitives.ReadUInt16BigEndian(payload[1..]));
        var id = 0L;
        for (var i = length - 1; i >= 3; i--) id = (id << 8) | payload[i];
        return new BounceTicket((BounceKind)payload[0], id, made);
    }

    const string Digits = "abcdefghijklmnopqrstuvwxyz234567";

    internal static string Base32(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length * 2);
        int bits = 0, left = 0;
        foreach (var value in bytes)
        {
            bits = (bits << 8) | value;
            left += 8;
            for (; left >= 5; left -= 5) text.Append(Digits[(bits >> (left - 5)) & 31]);
            bits &= (1 << left) - 1;
        }
        if (left > 0) text.Append(Digits[(bits << (5 - left)) & 31]);
        return text.ToString();
    }

    /// <returns>How many bytes, or -1 where it is no base32 or too long.</returns>
    internal static int FromBase32(ReadOnlySpan<char> text, Span<byte> bytes)
    {
        int bits = 0, left = 0, length = 0;
        foreach (var c in text)
        {
            var digit = Digits.IndexOf(char.ToLowerInvariant(c));
            if (digit < 0) return -1;
            bits = (bits << 5) | digit;
            if ((left += 5) < 8) continue;
            left -= 8;
            if (length == bytes.Length) return -1;
            bytes[length++] = (byte)(bits >> left);
            bits &= (1 << left) - 1;
        }
        return length;
    }
}
