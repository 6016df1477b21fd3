using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Backup;

/// <summary>A snapshot, for lists.</summary>
/// <param name="Size">Bytes that restoring it takes.</param>
/// <param name="Damage">Sentences on what is missing in it.</param>
public sealed record SnapshotInfo(
    string Snapshot, DateTimeOffset Time, long Accounts, long Messages, long MessageBytes, long Size, string Program, string Host, bool WithKeys, IReadOnlyList<string> Damage);

/// <summary>What a backup holds.</summary>
public static class Listing
{
    /// <summary>The complete snapshots, oldest first.</summary>
    public static Result<IReadOnlyList<SnapshotInfo>> Of(string directory)
    {
        using var disk = new RealDisk();
        try
        {
            using var repository = Repository.OpenToRead(disk, directory);
            var all = repository.Complete();
            return new([
                .. all.Select(manifest => new SnapshotInfo(manifest.Name, manifest.Began, manifest.Accounts, manifest.Messages, manifest.Bytes,
                    manifest.DatabaseSize + manifest.Packs.Sum(pack => pack.Length) + manifest.Files.Sum(file => file.Size),
                    manifest.Program, manifest.Host, manifest.WithKeys, manifest.Damage)),
                .. repository.Unreadable.Select(name => new SnapshotInfo(name, default, 0, 0, 0, 0, "", "", false, [repository.SentenceOnUnreadable(name)])),
            ], null);
        }
        catch (BackupProblem problem)
        {
            return Refusal.NotPossible.Because(problem.Message);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return Refusal.Unavailable.Because($"The backup {directory} cannot be read: {error.Message.ReplaceLineEndings(" ")}");
        }
    }
}
