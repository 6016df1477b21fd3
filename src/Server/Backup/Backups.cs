using System.Reflection;
using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Backup;

/// <param name="Keep">Snapshots that stay, the new one among them; null for all.</param>
/// <param name="CheckAll">Compare every pack with its checksum, not only some in turn.</param>
public sealed record BackupOrder(string Directory, int? Keep = null, bool WithoutKeys = false, bool CheckAll = false);

/// <summary>What a backup did.</summary>
/// <param name="CopiedBytes">Of packs: what was new.</param>
/// <param name="CheckedBytes">Of packs: what was there and was compared again.</param>
/// <param name="TotalBytes">What the snapshot needs in all.</param>
/// <param name="Removed">Snapshots that --keep let go.</param>
/// <param name="Damage">What was found damaged in the data directory; a sentence each.</param>
public sealed record BackupSummary(
    string Snapshot, string Directory, long Accounts, long Messages, long CopiedBytes, long CheckedBytes, long DatabaseBytes, long FileBytes, long TotalBytes,
    double Seconds, IReadOnlyList<string> Removed, IReadOnlyList<string> Damage);

/// <summary>Makes snapshots of the running store.</summary>
public sealed class Backups(Store store, Settings settings, TimeProvider time)
{
    internal static string Release { get; } =
        (typeof(Backups).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0").Split('+')[0];

    /// <param name="progress">Told how many bytes of how many are done.</param>
    public async Task<Result<BackupSummary>> RunAsync(BackupOrder order, Action<long, long>? progress, CancellationToken cancel)
    {
        try
        {
            using var repository = Repository.OpenToWrite(store.Disk, order.Directory, store.Path);
            using var run = new BackupRun(store, settings, time, repository, order, progress, cancel);
            return await Aside.RunAsync(run.RunAsync);
        }
        catch (BackupProblem problem)
        {
            return Refusal.NotPossible.Because(problem.Message);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or SqliteError)
        {
            return Refusal.Unavailable.Because($"The backup into {order.Directory} failed and left no snapshot: {error.Message.ReplaceLineEndings(" ")}");
        }
    }
}
