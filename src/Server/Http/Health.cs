using System.Diagnostics;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Queue;
using CbaMail.Storage;
using CbaMail.Tls;

namespace CbaMail.Http;

/// <summary>One part of the server.</summary>
public sealed record PartHealth(string Name, bool Healthy, string Detail);

/// <summary>How the server is, as <c>status</c>, /healthz and the status page tell it.</summary>
/// <param name="Uptime">Seconds.</param>
/// <param name="Memory">Resident bytes.</param>
public sealed record HealthReport(
    bool Healthy, string Version, string Hostname, bool Evaluation, long Uptime, long Memory, int Domains, int Accounts,
    QueueCounts Queue, DiskSpace Disk, IReadOnlyList<PartHealth> Parts);

/// <param name="Data">Bytes that the data directory takes.</param>
public sealed record DiskSpace(long Free, long Total, long Data);

/// <summary>Looks after every part: reads and writes the store, measures the disk, looks at the certificate.</summary>
public sealed class Health(Settings settings, Store store, UserDirectory directory, MailQueue queue, Certificates certificates, TimeProvider time)
{
    /// <summary>Below this a store that must go on writing is in danger.</summary>
    const long LeastFree = 256L << 20;
    readonly long since = time.GetTimestamp();

    public async Task<HealthReport> LookAsync(CancellationToken cancel)
    {
        var parts = new List<PartHealth> { await StoreAsync(cancel) };
        var counts = Attempt(parts, "queue", queue.Counts, Show) ?? new QueueCounts(0, 0, 0, 0, 0, null);
        var disk = Attempt(parts, "disk", Disk, Show, space => space.Free >= LeastFree) ?? new DiskSpace(0, 0, 0);
        parts.Add(Certificate());
        parts.Add(new("directory", true, $"{directory.DomainCount} domains, {directory.AccountCount} accounts"));
        foreach (var group in settings.Listeners.GroupBy(listener => listener.Protocol))
            parts.Add(new(SettingsFile.KeyName(group.Key.ToString()), true, "listens on " + string.Join(", ", group.Select(listener => listener.Address.Contains(':') ? $"[{listener.Address}]:{listener.Port}" : $"{listener.Address}:{listener.Port}"))));
        return new(parts.TrueForAll(part => part.Healthy), Release, settings.Hostname, settings.Evaluation,
            (long)time.GetElapsedTime(since).TotalSeconds, Environment.WorkingSet, directory.DomainCount, directory.AccountCount, counts, disk, parts);
    }

    /// <summary>Whether a commit still becomes durable.</summary>
    public async Task<PartHealth> StoreAsync(CancellationToken cancel)
    {
        var began = Stopwatch.GetTimestamp();
        try
        {
            using var late = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            late.CancelAfter(TimeSpan.FromSeconds(5));
            await store.CommitAsync(_ => true, late.Token).AsTask().WaitAsync(late.Token);
            return new("storage", true, $"commits in {Stopwatch.GetElapsedTime(began).TotalMilliseconds:0.0} ms");
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            return new("storage", false, e is OperationCanceledException ? "a commit takes more than 5 s" : e.Message);
        }
    }

    static T? Attempt<T>(List<PartHealth> parts, string name, Func<T> look, Func<T, string> show, Func<T, bool>? healthy = null) where T : class
    {
        try
        {
            var value = look();
            parts.Add(new(name, healthy?.Invoke(value) ?? true, show(value)));
            return value;
        }
        catch (Exception e)
        {
            parts.Add(new(name, false, e.Message));
            return null;
        }
    }

    static string Show(QueueCounts counts) => $"{counts.Messages} messages for {counts.Recipients} recipients, {counts.Deferred} deferred, {counts.Held} held";

    static string Show(DiskSpace disk) => $"{Sizes.Show(disk.Free)} of {Sizes.Show(disk.Total)} free, {Sizes.Show(disk.Data)} used by the data";

    DiskSpace Disk()
    {
        var drive = new DriveInfo(store.Path);
        return new(drive.AvailableFreeSpace, drive.TotalSize, new DirectoryInfo(store.Path).EnumerateFiles("*", SearchOption.AllDirectories).Sum(Length));
    }

    // a file may go away while it is being counted
    static long Length(FileInfo file)
    {
        try { return file.Length; }
        catch (IOException) { return 0; }
    }

    PartHealth Certificate()
    {
        var left = certificates.Expires - time.GetUtcNow();
        var detail = $"{certificates.Subject}{(certificates.IsSelfSigned ? ", self-signed" : "")}, expires {certificates.Expires:yyyy-MM-dd}";
        return new("certificate", left > TimeSpan.Zero, detail);
    }

    static string Release { get; } = typeof(Health).Assembly.GetName().Version?.ToString(3) ?? "0";
}
