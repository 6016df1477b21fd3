using System.Runtime.InteropServices;
using CbaMail.Config;
using CbaMail.MailAuth.Dmarc;

namespace CbaMail.Net.Dns;

/// <summary>Which public suffix list counts.</summary>
/// <param name="Source">"shipped" or "data".</param>
/// <param name="Problem">Why the file in the data directory does not count; null where it does, or there is none.</param>
public sealed record SuffixReport(string Source, DateOnly? Date, int Rules, string File, string? Problem);

/// <summary>
/// The public suffix list of the data directory, <c>DATA/public-suffix-list.dat</c>: where it is whole and not older, it counts in the place of the
/// one that the program came with. The file is looked at when the server starts, each minute, and at once with SIGHUP.
/// </summary>
public sealed class SuffixFile(Settings settings, TimeProvider time, ILogger<SuffixFile> log) : IHostedService, IDisposable
{
    public const string Name = "public-suffix-list.dat";
    /// <summary>Larger files are none; the real one has 300 KB.</summary>
    public const int MaxBytes = 16 << 20;

    static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    readonly Lock gate = new();
    readonly string file = Path.Combine(settings.Data, Name);
    (DateTime Written, long Length)? seen;
    string? problem;
    ITimer? timer;
    PosixSignalRegistration? signal;

    public SuffixReport Report()
    {
        lock (gate) return new(ReferenceEquals(PublicSuffixList.InUse, PublicSuffixList.Shipped) ? "shipped" : "data", PublicSuffixList.InUse.Date, PublicSuffixList.InUse.Rules, file, problem);
    }

    /// <summary>Reads the file again if it is another one.</summary>
    /// <param name="always">Also where its time and length are the same.</param>
    public SuffixReport Reload(bool always = false)
    {
        lock (gate)
        {
            var info = new FileInfo(file);
            (DateTime, long)? now = info.Exists ? (info.LastWriteTimeUtc, info.Length) : null;
            if (always || now != seen)
            {
                Read(now is not null);
                seen = now;
            }
        }
        return Report();
    }

    void Read(bool exists)
    {
        var before = PublicSuffixList.InUse;
        PublicSuffixList? list = null;
        problem = null;
        if (exists)
        {
            try
            {
                if (new FileInfo(file).Length > MaxBytes) problem = "it is too large for a public suffix list";
                else if (!PublicSuffixList.TryReplacement(File.ReadAllBytes(file), out list, out var why)) (list, problem) = (null, why);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                problem = e.Message;
            }
        }
        PublicSuffixList.Use(list);
        if (problem is not null) NetTelemetry.SuffixesRefused(log, file, problem, PublicSuffixList.Shipped.Date);
        else if (!ReferenceEquals(before, PublicSuffixList.InUse)) NetTelemetry.SuffixesInUse(log, list is null ? "the one of this release" : file, PublicSuffixList.InUse.Date, PublicSuffixList.InUse.Rules);
    }

    /// <summary>Puts a list into the data directory and goes by it.</summary>
    /// <returns>A sentence that says why not, or null. What was there before stays then.</returns>
    public string? Install(ReadOnlySpan<byte> bytes)
    {
        if (!PublicSuffixList.TryReplacement(bytes, out _, out var why)) return why;
        var draft = file + ".new";
        try
        {
            using (var output = new FileStream(draft, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                output.Write(bytes);
                output.Flush(flushToDisk: true); // half of it after a crash would be refused, and the shipped one used
            }
            File.Move(draft, file, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{file} cannot be written: {e.Message}";
        }
        Reload(always: true);
        return null;
    }

    /// <summary>Takes the file away: the shipped list counts again.</summary>
    /// <returns>Whether there was one.</returns>
    public bool Remove()
    {
        if (!File.Exists(file)) return false;
        File.Delete(file);
        Reload(always: true);
        return true;
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        Reload();
        timer = time.CreateTimer(_ => Reload(), null, Interval, Interval);
        // on a terminal SIGHUP says that it was closed, and ends the server as ever
        if (!OperatingSystem.IsWindows() && Console.IsInputRedirected) signal = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true; // it means "look again" here, not "end"
            Reload(always: true);
        });
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        timer?.Dispose();
        signal?.Dispose();
    }
}
