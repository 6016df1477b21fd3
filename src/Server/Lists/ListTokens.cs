using System.Buffers.Binary;
using System.Security.Cryptography;
using CbaMail.Directory;
using CbaMail.Queue;
using CbaMail.Storage;

namespace CbaMail.Lists;

/// <summary>What a link or a reply address holds: a random word that stands in a row by its digest, or a member's number under a seal.</summary>
public sealed class ListTokens
{
    const int SealBytes = 12;

    readonly byte[] key;

    public ListTokens(Store store)
    {
        using var read = store.Read();
        key = DirectoryTable.ServerKey(read, "lists");
    }

    /// <summary>26 characters nobody guesses, in small letters and digits: addresses are written so.</summary>
    public static (string Token, byte[] Digest) Make()
    {
        var token = BounceAddresses.Base32(RandomNumberGenerator.GetBytes(16));
        return (token, Digest(token));
    }

    public static byte[] Digest(string token) => SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(token.ToLowerInvariant()));

    /// <summary>What unsubscribes a member at once; it does not end.</summary>
    public string OfMember(long member)
    {
        Span<byte> bytes = stackalloc byte[8 + SealBytes];
        BinaryPrimitives.WriteInt64BigEndian(bytes, member);
        Seal(bytes[..8], bytes[8..]);
        return BounceAddresses.Base32(bytes);
    }

    /// <summary>The member, or null where it is not one of ours.</summary>
    public long? MemberOf(string token)
    {
        Span<byte> bytes = stackalloc byte[8 + SealBytes + 1];
        Span<byte> seal = stackalloc byte[SealBytes];
        if (BounceAddresses.FromBase32(token, bytes) != 8 + SealBytes) return null;
        Seal(bytes[..8], seal);
        return CryptographicOperations.FixedTimeEquals(seal, bytes[8..(8 + SealBytes)]) ? BinaryPrimitives.ReadInt64BigEndian(bytes) : null;
    }

    /// <summary>How long a link into an archive holds.</summary>
    public static readonly TimeSpan ReaderLasts = TimeSpan.FromDays(180);

    // another purpose, another seal: what takes a member off is in every letter, and letters are passed on
    static ReadOnlySpan<byte> Reading => "archive"u8;

    /// <summary>What lets a member into the archive.</summary>
    public string OfReader(long member, DateTimeOffset now)
    {
        Span<byte> bytes = stackalloc byte[10 + SealBytes];
        BinaryPrimitives.WriteInt64BigEndian(bytes, member);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[8..], (ushort)(now.ToUnixTimeSeconds() / 86400));
        Seal([.. Reading, .. bytes[..10]], bytes[10..]);
        return BounceAddresses.Base32(bytes);
    }

    /// <summary>The member, or null where it is not one of ours or its time is over.</summary>
    public long? ReaderOf(string token, DateTimeOffset now)
    {
        Span<byte> bytes = stackalloc byte[10 + SealBytes + 1];
        Span<byte> seal = stackalloc byte[SealBytes];
        if (BounceAddresses.FromBase32(token, bytes) != 10 + SealBytes) return null;
        Seal([.. Reading, .. bytes[..10]], seal);
        if (!CryptographicOperations.FixedTimeEquals(seal, bytes[10..(10 + SealBytes)])) return null;
        var age = now.ToUnixTimeSeconds() / 86400 - BinaryPrimitives.ReadUInt16BigEndian(bytes[8..]);
        return age >= -1 && age <= ReaderLasts.TotalDays ? BinaryPrimitives.ReadInt64BigEndian(bytes) : null;
    }

    void Seal(ReadOnlySpan<byte> payload, Span<byte> into)
    {
        Span<byte> whole = stackalloc byte[32];
        HMACSHA256.HashData(key, payload, whole);
        whole[..SealBytes].CopyTo(into);
    }
}
