using System.Buffers;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailboxes;
using CbaMail.Mailings;

namespace CbaMail.Delivery;

/// <summary>A copy that is ready to be committed, or the refusal that stands in its place.</summary>
sealed record PreparedCopy(LedgerWork Work, StagedMessage? Staged, MailAddress ReversePath, IReadOnlyList<Target> Targets, bool NeedsUtf8, Refusal? Refusal);

/// <summary>
/// Renders, encodes and compresses the copies of one mailing on a bounded number of workers, each with one buffer that it uses again:
/// memory does not grow with the mailing.
/// </summary>
sealed class RenderShop : IDisposable
{
    const int Probe = 8;

    readonly Composer composer;
    readonly MailStore mail;
    readonly UserDirectory directory;
    readonly long bytes;
    readonly TimeProvider time;
    readonly ArrayBufferWriter<byte>[] buffers;
    readonly MailAddress reversePath;
    readonly PartMemory parts = new(most: 64 << 20); // every file that a mailing may have, in base64
    HashSet<object> common = []; // large parts of the piece before: what is in this one too is no copy's own
    long footprint;

    public RenderShop(Composer composer, MailStore mail, UserDirectory directory, int workers, long bytes, TimeProvider time)
    {
        (this.composer, this.mail, this.directory, this.bytes, this.time) = (composer, mail, directory, bytes, time);
        buffers = [.. Enumerable.Range(0, workers).Select(_ => new ArrayBufferWriter<byte>(32 * 1024))];
        if (!MailAddress.TryParse(composer.Mailing.FromAddress, out var from)) throw new InvalidOperationException($"{composer.Mailing.FromAddress} is not an address");
        reversePath = from;
    }

    /// <summary>The next copies behind a ledger row; fewer where they are large, none at the end.</summary>
    public async Task<IReadOnlyList<PreparedCopy>> PrepareAsync(long mailing, long after, int count, long? like, CancellationToken cancel)
    {
        count = footprint > 0 ? (int)Math.Clamp(bytes / footprint, 1, count) : Math.Min(count, Probe); // after a restart nobody knows yet how large they are
        List<LedgerWork> work;
        using (var read = mail.Store.Read()) work = LedgerTable.Waiting(read, mailing, after, count, time.GetUtcNow());
        if (work.Count == 0) return [];
        var copies = new PreparedCopy[work.Count];
        var next = -1;
        try
        {
            await Task.WhenAll(buffers.Take(work.Count).Select(buffer => Task.Run(async () =>
            {
                for (int i; (i = Interlocked.Increment(ref next)) < work.Count;)
                {
                    cancel.ThrowIfCancellationRequested();
                    copies[i] = Prepare(work[i], buffer, like);
                    await Task.Yield(); // whoever waits for a thread goes first
                }
            }, cancel)));
        }
        catch
        {
            Release(copies.Where(copy => copy is not null));
            throw;
        }
        footprint = Footprint(copies);
        return copies;
    }

    PreparedCopy Prepare(LedgerWork work, ArrayBufferWriter<byte> buffer, long? like)
    {
        if (!MailAddress.TryParse(work.Address, out var address)) return new(work, null, reversePath, [], false, Refusal.BadAddress);
        IReadOnlyList<Target> targets = [new(null, null, address)];
        if (directory.IsLocal(address))
        {
            var resolved = directory.Resolve(address);
            if (!resolved.Ok) return new(work, null, reversePath, [], false, resolved.Refusal);
            targets = resolved.Value;
        }
        buffer.ResetWrittenCount();
        composer.Compose(work, buffer, eightBit: targets.All(target => target.Remote is null));
        var utf8 = !address.IsAscii || !reversePath.IsAscii || targets.Any(target => target.Remote is { IsAscii: false });
        return new(work, mail.Stage(buffer.WrittenMemory, like, parts), reversePath, targets, utf8, null);
    }

    /// <summary>What a staged copy holds in memory. A large part that the copies share is held once, whatever their number.</summary>
    long Footprint(PreparedCopy[] copies)
    {
        var shared = new HashSet<object>(ReferenceEqualityComparer.Instance);
        long sum = 0;
        foreach (var copy in copies)
        {
            if (copy.Staged is not { } staged) continue;
            sum += staged.Size;
            foreach (var (_, part) in staged.Cut)
                if (!shared.Add(part) || common.Contains(part)) sum -= part.Length;
        }
        common = shared;
        return Math.Max(1, sum / copies.Length);
    }

    public static void Release(IEnumerable<PreparedCopy> copies)
    {
        foreach (var copy in copies) copy.Staged?.Dispose();
    }

    public void Dispose()
    {
        foreach (var buffer in buffers) buffer.ResetWrittenCount();
    }
}
