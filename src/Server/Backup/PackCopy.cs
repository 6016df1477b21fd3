using System.Buffers;
using System.Security.Cryptography;
using CbaMail.Storage;
using CbaMail.Storage.Blobs;

namespace CbaMail.Backup;

/// <summary>
/// Brings the copy of one pack to the length that a snapshot needs: appends what is missing, compares what is there with the data
/// directory and with the checksums of earlier snapshots, and never writes over what an earlier snapshot needs.
/// </summary>
sealed class PackCopy : IDisposable
{
    const int Piece = 1 << 20;
    const int FlushBytes = 4 << 20;

    readonly Disk disk;
    readonly int number;
    readonly string target, dataPack;
    readonly DiskFile? source;
    readonly DiskFile copy;
    readonly List<PackEntry> known;
    readonly Pace pace;
    readonly long before;
    long have;
    long unflushed;

    /// <param name="source">The pack in the data directory.</param>
    /// <param name="known">What earlier snapshots know of it.</param>
    public PackCopy(Disk disk, int number, string source, string target, IEnumerable<PackEntry> known, Pace pace)
    {
        (this.disk, this.number, this.target, this.pace, dataPack) = (disk, number, target, pace, source);
        this.known = [.. known.OrderBy(entry => entry.Length)];
        this.source = disk.OpenToRead(source);
        this.source?.ReadOnce();
        if (this.source is null && !disk.Exists(target)) throw new FileNotFoundException();
        copy = disk.Open(target, create: true)!;
        disk.SetMode(target, Repository.OwnersFile);
        before = have = copy.Length;
    }

    /// <summary>Bytes written.</summary>
    public long Copied { get; private set; }

    /// <summary>A sentence on damage in the data directory, found by comparing; the copy is whole.</summary>
    public string? Damage { get; private set; }

    long KnownEnd => known.Count == 0 ? 0 : known[^1].Length;

    /// <exception cref="BackupProblem">The copy is damaged, or is that of another pack.</exception>
    /// <exception cref="IOException">The disk is full or fails.</exception>
    public async Task<PackEntry> RunAsync(long length, DateTimeOffset now, Action<long> progress)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var (mine, theirs) = (ArrayPool<byte>.Shared.Rent(Piece), ArrayPool<byte>.Shared.Rent(Piece));
        try
        {
            for (long at = 0, rested = 0; at < length;)
            {
                var count = (int)Math.Min(Piece, NextBoundary(at, length) - at);
                Step(at, mine.AsSpan(0, count), theirs.AsSpan(0, count), hash);
                at += count;
                CheckBoundary(at, hash);
                progress(count);
                if (at - rested < FlushBytes && at < length) continue;
                Flush();
                copy.WillNotNeed(rested, at - rested);
                rested = at;
                await pace.RestAsync();
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(mine);
            ArrayPool<byte>.Shared.Return(theirs);
        }
        Flush();
        return new PackEntry(number, length, Convert.ToHexStringLower(hash.GetHashAndReset()), now);
    }

    // pieces end where the copy ends and where a checksum is known
    long NextBoundary(long at, long length)
    {
        foreach (var entry in known)
            if (entry.Length > at && entry.Length < length) length = entry.Length;
        return have > at && have < length ? have : length;
    }

    void Step(long at, Span<byte> mine, Span<byte> theirs, IncrementalHash hash)
    {
        var isRead = source is not null && TryRead(source, at, theirs);
        if (at < have)
        {
            if (!TryRead(copy, at, mine)) throw new IOException($"{target} cannot be read");
            if (isRead && !mine.SequenceEqual(theirs))
            {
                if (at >= KnownEnd) CutOff(at); // left by a run that was interrupted: no snapshot names it
                else if (Damage is null) Judge(at + mine.CommonPrefixLength(theirs));
            }
            if (at < have)
            {
                hash.AppendData(mine);
                // left by a run that was interrupted: it may have been killed before it had flushed this, or the disk may have refused to
                if (at >= KnownEnd && isRead)
                {
                    copy.Write(mine, at);
                    unflushed += mine.Length;
                }
                return;
            }
        }
        if (!isRead) throw new BackupProblem($"Pack {number} of the data directory ends at {(source is null ? 0 : source.Length)}, before messages that lie in it; run: cbamail verify");
        copy.Write(theirs, at);
        have = at + theirs.Length;
        Copied += theirs.Length;
        unflushed += theirs.Length;
        hash.AppendData(theirs);
    }

    // whether the data directory has whole records where it differs: then it is no damage but another pack
    bool IsWhole(long at)
    {
        using var file = disk.OpenToRead(dataPack);
        for (long position = 0; file is not null && PackRecovery.RecordAt(file, position) is { } record; position += record.Stored)
            if (position + record.Stored > at) return true;
        return false;
    }

    // the two differ within what a snapshot needs: which is right?
    void Judge(long at)
    {
        var entry = known.Find(one => one.Length > at)!;
        if (HashOf(copy, entry.Length) == entry.Sha256 && !IsWhole(at))
            Damage = $"Pack {number} of the data directory has changed near byte {at} since it was copied on {entry.Checked:yyyy-MM-dd}: it is damaged there, the backup has it whole; run \"cbamail verify\" to see what is affected";
        else if (HashOf(source!, entry.Length) == entry.Sha256)
            throw new BackupProblem($"The backup's {target} is damaged near byte {at}: move the file away, and the next backup copies it anew from the data directory, which has it whole. Until then the snapshots that need it cannot be restored completely");
        else
            throw new BackupProblem($"{target} is not the pack {number} of this data directory: either the backup is one of another server, then name another directory, or both are damaged near byte {at}. Nothing was overwritten");
    }

    void CheckBoundary(long at, IncrementalHash hash)
    {
        foreach (var entry in known)
        {
            if (entry.Length != at || Convert.ToHexStringLower(hash.GetCurrentHash()) == entry.Sha256) continue;
            if (have > before) CutOff(before);
            throw new BackupProblem($"{target} does not have the checksum that an earlier snapshot recorded: it is damaged. Move it away, and the next backup copies it anew if the data directory still has it whole; nothing was overwritten");
        }
    }

    /// <summary>Undoes what this run appended.</summary>
    public void GiveUp()
    {
        if (have > before) CutOff(before);
        if (before == 0) disk.Delete(target);
    }

    void CutOff(long length)
    {
        copy.Length = length;
        have = length;
    }

    void Flush()
    {
        if (unflushed == 0) return;
        copy.Flush();
        unflushed = 0;
    }

    internal static string? HashOf(DiskFile file, long length)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(Piece);
        try
        {
            for (long at = 0; at < length;)
            {
                var bytes = buffer.AsSpan(0, (int)Math.Min(Piece, length - at));
                if (!TryRead(file, at, bytes)) return null;
                hash.AppendData(bytes);
                at += bytes.Length;
            }
            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    internal static bool TryRead(DiskFile file, long at, Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var count = file.Read(bytes, at);
            if (count <= 0) return false;
            bytes = bytes[count..];
            at += count;
        }
        return true;
    }

    public void Dispose()
    {
        source?.Dispose();
        copy.Dispose();
    }
}
