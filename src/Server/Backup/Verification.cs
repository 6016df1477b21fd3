using CbaMail.Envelope;
using CbaMail.Mailboxes;

namespace CbaMail.Backup;

/// <summary><c>verify</c>: reads everything, says what is wrong, and mends it if asked. One run at a time.</summary>
public sealed class Verification(MailStore mail, IEnumerable<BodyHolder> holders, TimeProvider time)
{
    /// <summary>Inspections of one repair: what is mended may uncover more.</summary>
    const int MostRounds = 4;

    readonly IReadOnlyList<BodyHolder> holders = [.. holders];
    int running;

    /// <param name="report">Gets each finding as it is made; must not block.</param>
    /// <param name="progress">Rows looked at, and how many there are; the count begins anew when a repair is looked over.</param>
    public async Task<Result<VerifySummary>> RunAsync(VerifyOptions options, Action<Finding> report, Action<long, long> progress, CancellationToken cancel)
    {
        if (Interlocked.Exchange(ref running, 1) == 1) return Refusal.Conflict.Because("A verification is running already; wait for its end");
        try
        {
            if (options.From is { } from && !System.IO.Directory.Exists(Path.Combine(from, "packs")))
                return Refusal.Invalid.Because($"{from} is no backup: it has no directory \"packs\"");
            return options.Gentle ? await Aside.RunAsync(AllAsync) : await AllAsync();
        }
        finally
        {
            Volatile.Write(ref running, 0);
        }

        async Task<VerifySummary> AllAsync()
        {
            var begun = time.GetTimestamp();
            var repaired = 0L;
            for (var round = 1; ; round++)
            {
                // what a repair is about to mend is told as it is found, what is left then as a problem
                var inspection = new Inspection(mail, holders, time, options, report, progress, cancel);
                await inspection.RunAsync();
                var mended = 0L;
                if (options.Repair && round < MostRounds) mended = await new Mending(inspection, mail, round == 1 ? options : options with { Lost = new HashSet<Storage.Blobs.PackLocation>() }, report).RunAsync();
                repaired += mended;
                if (mended == 0)
                    return new VerifySummary("summary", inspection.Problems, repaired, inspection.Accounts, inspection.Mailboxes, inspection.Messages, inspection.Bodies,
                        inspection.Parts, inspection.Bytes, inspection.GarbageRecords, inspection.GarbageBytes, Math.Round(time.GetElapsedTime(begun).TotalSeconds, 1));
            }
        }
    }
}
