using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace CbaMail.Bench;

/// <summary>The workload scripts against one server; what they print as JSON is kept by name.</summary>
internal sealed partial class PeerScripts(string folder, string name, string environment, bool stop = false) : IAsyncDisposable
{
    private readonly Dictionary<string, Dictionary<string, double>> results = [];
    private readonly string json = Path.GetTempFileName();

    /// <summary>Where the scripts are looked for; they are no part of this repository.</summary>
    public static string Folder => Path.GetFullPath(
        Environment.GetEnvironmentVariable("CBAMAIL_PEER_BENCH") ?? Path.Combine(AppContext.BaseDirectory, "../../../../../shared/bench"));

    public static string? Find() => File.Exists(Path.Combine(Folder, "smtp-in")) ? Folder : null;

    /// <summary>The most that others took of the CPUs during a run, in percent.</summary>
    public double Noise { get; private set; }

    /// <summary>What the scripts read of a server of ours.</summary>
    public static string EnvironmentOf(BenchServer server) => $"""
        export BENCH_PIDS={server.WritePid()} BENCH_DATA={server.Data} BENCH_COUNT_CMD="sqlite3 {server.Data}/cbamail.db 'select sum(messages) from usage'"
        export BENCH_SMTP_PORT={server.Offset + 25} BENCH_SUBMIT_PORT={server.Offset + 587} BENCH_IMAP_PORT={server.Offset + 143} BENCH_IMAPS_PORT={server.Offset + 993}
        export BENCH_HOLD='{BenchServer.Program} queue hold --data {server.Data}' BENCH_RELEASE='{BenchServer.Program} queue release --data {server.Data}'
        """;

    /// <summary>Starts Postfix + Dovecot with a recipient a delivery, as mailcow sets it.</summary>
    /// <param name="variables">More for its script, in the shell's notation.</param>
    /// <param name="store">How Dovecot keeps mail: maildir, sdbox, mdbox, or mailcow (a maildir, compressed and encrypted).</param>
    public static async Task<PeerScripts> UpAsync(string folder, string variables = "", string store = "maildir")
    {
        Console.Error.WriteLine("  starting Postfix + Dovecot ...");
        // their daemons keep what they inherit open: not our pipes
        await ShellAsync(variables + " LMTP_RCPT=${LMTP_RCPT:-1} \"$0\" \"$1\" >/tmp/peer-up.log 2>&1 </dev/null", Path.Combine(folder, "peer-up"), store);
        return new(folder, "peer", "/tmp/peer/env", stop: true);
    }

    /// <summary>Runs a script; one that fails is said, and its figures are missing.</summary>
    public async Task RunAsync(string[] line)
    {
        Console.Error.WriteLine($"  {DateTimeOffset.Now:HH:mm:ss} {name}: {string.Join(' ', line)}");
        try
        {
            var output = await ShellAsync(". \"$0\"; export PYTHONDONTWRITEBYTECODE=1; exec \"$@\"", [environment, Path.Combine(folder, line[0]), .. line[1..], "--json", json]);
            if (First.Match(output) is { Success: true } first) Keep("first", "all_delivered_s", Number(first.Groups[1].Value));
        }
        catch (InvalidOperationException e)
        {
            Console.Error.WriteLine($"  {name}: {line[0]} failed: {e.Message}");
        }
        foreach (var result in await File.ReadAllLinesAsync(json))
        {
            var values = JsonDocument.Parse(result).RootElement;
            foreach (var value in values.EnumerateObject().Where(v => v.Value.ValueKind == JsonValueKind.Number))
                Keep(values.GetProperty("name").GetString()!, value.Name, value.Value.GetDouble());
        }
        Noise = results.Values.Select(r => r.GetValueOrDefault("noise_percent")).Append(0).Max();
    }

    public async Task MemoryAsync(string run)
    {
        await RunAsync(["memory"]);
        Copy("memory", Resident, run);
        results.Remove("memory");
        await File.WriteAllTextAsync(json, "");
    }

    // hundreds of processes share their code: counted once (PSS); of ours it is the whole that counts
    private string Resident => stop ? "pss_mb" : "rss_mb";

    /// <summary>The highest of all runs until now.</summary>
    public void Peak(string run) => Keep(run, "mb", results.Values.Select(r => r.GetValueOrDefault(Resident)).Max());

    public void Copy(string run, string key, string to)
    {
        if (Value(run, key) is { } value) Keep(to, "mb", value);
    }

    public double? Value(string run, string key) =>
        results.FirstOrDefault(r => (r.Key + " ").StartsWith(run, StringComparison.Ordinal)).Value is { } found && found.TryGetValue(key, out var value) ? value : null;

    public void Keep(string run, string key, double value)
    {
        if (!results.TryGetValue(run, out var values)) results[run] = values = [];
        values[key] = value;
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    internal static async Task<string> ShellAsync(string script, params string[] arguments)
    {
        using var run = Process.Start(new ProcessStartInfo("bash", ["-c", script, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (run.StandardOutput.ReadToEndAsync(), run.StandardError.ReadToEndAsync());
        await run.WaitForExitAsync();
        return run.ExitCode == 0 ? await output : throw new InvalidOperationException((await error).Trim().Split('\n')[^1]);
    }

    public async ValueTask DisposeAsync()
    {
        File.Delete(json);
        if (stop) await ShellAsync("\"$0\" >/dev/null 2>&1 </dev/null", Path.Combine(folder, "peer-down"));
    }

    [GeneratedRegex(@"first mail into every mailbox: ([\d.]+) s")]
    private static partial Regex First { get; }
}
