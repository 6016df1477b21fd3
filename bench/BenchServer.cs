using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace CbaMail.Bench;

/// <summary>The Release build of the program in a process of its own over a temporary folder.</summary>
internal sealed class BenchServer : IAsyncDisposable
{
    private readonly StringBuilder log = new();
    private readonly List<string> options = [];
    private Process process = null!;

    private BenchServer(string folder) => Folder = folder;

    public string Folder { get; }
    public string Data => Path.Combine(Folder, "data");
    public int Offset { get; } = FreeOffset();
    public int Smtp => Offset + 25;

    /// <summary>Settings by which mail for *.sink.test goes to port 10026, where smtp-sink listens.</summary>
    public const string ToSink = "queue: {routes: [{domain: \"*.sink.test\", host: 127.0.0.1, port: 10026, tls: none}]}\n";

    public static string Program => Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../../cbamail"));

    /// <summary>Starts over a new folder, or over a copy of a prepared data directory.</summary>
    /// <param name="settings">The settings file's text, or null for none.</param>
    /// <param name="sql">What is done to the prepared database before, or null for nothing.</param>
    public static async Task<BenchServer> StartAsync(string? prepared = null, string? settings = null, string? sql = null)
    {
        var server = new BenchServer(System.IO.Directory.CreateTempSubdirectory("cbamail-bench-").FullName);
        if (prepared is not null) await RunAsync("cp", ["-a", prepared, server.Data], server.Folder);
        if (sql is not null) await RunAsync("sqlite3", [Path.Combine(server.Data, "cbamail.db"), sql], server.Folder);
        if (settings is not null) server.options.AddRange(["--config", await server.WriteAsync("cbamail.yaml", settings)]);
        await server.StartAgainAsync();
        return server;
    }

    /// <summary>Starts it over its data.</summary>
    public async Task StartAgainAsync()
    {
        var start = new ProcessStartInfo(Program, ["serve", "--evaluation", "--data", Data, "--port-offset", Offset.ToString(CultureInfo.InvariantCulture), .. options])
        {
            WorkingDirectory = Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        process = Process.Start(start)!;
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Said(string? line)
        {
            if (line is null) return;
            if (line.Contains(" serves ", StringComparison.Ordinal)) ready.TrySetResult();
            else if (!ready.Task.IsCompleted) lock (log) log.AppendLine(line);
        }
        process.OutputDataReceived += (_, e) => Said(e.Data);
        process.ErrorDataReceived += (_, e) => Said(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (await Task.WhenAny(ready.Task, process.WaitForExitAsync()).WaitAsync(TimeSpan.FromSeconds(60)) != ready.Task)
            throw new InvalidOperationException("the server did not start: " + log);
    }

    /// <summary>Stops and starts it over the same data.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        process.Dispose();
        await StartAgainAsync();
        WritePid();
    }

    /// <summary>A file with the process id in it.</summary>
    public string WritePid()
    {
        var file = Path.Combine(Folder, "pid");
        File.WriteAllText(file, process.Id.ToString(CultureInfo.InvariantCulture));
        return file;
    }

    public async Task<string> CliAsync(params string[] verb) => await RunAsync(Program, [.. verb, "--data", Data], Folder);

    /// <summary>A verb that says itself which directory it is for.</summary>
    public async Task<string> ElsewhereAsync(params string[] verb) => await RunAsync(Program, verb, Folder);

    private static async Task<string> RunAsync(string program, string[] arguments, string folder)
    {
        using var run = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (run.StandardOutput.ReadToEndAsync(), run.StandardError.ReadToEndAsync());
        await run.WaitForExitAsync();
        return run.ExitCode == 0 ? await output : throw new InvalidOperationException($"{string.Join(' ', arguments)}: {await error}{await output}");
    }

    public async Task<string> WriteAsync(string name, string text)
    {
        var file = Path.Combine(Folder, name);
        await File.WriteAllTextAsync(file, text);
        return file;
    }

    /// <summary>Resident memory in MB: now, and the highest since <see cref="ResetPeak"/>.</summary>
    public double Resident() => Status("VmRSS:");
    public double ResidentPeak() => Status("VmHWM:");
    public void ResetPeak() => File.WriteAllText($"/proc/{process.Id}/clear_refs", "5");

    private double Status(string field) =>
        double.Parse(File.ReadLines($"/proc/{process.Id}/status").First(l => l.StartsWith(field, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;

    public double CpuSeconds()
    {
        process.Refresh();
        return process.TotalProcessorTime.TotalSeconds;
    }

    /// <summary>MB that the data directory takes on the disk.</summary>
    public async Task<double> DiskAsync() =>
        double.Parse((await RunAsync("du", ["-sk", Data], Folder)).Split('\t')[0], CultureInfo.InvariantCulture) / 1024;

    /// <summary>Ends the server but leaves its data; for preparing.</summary>
    public async Task StopAsync()
    {
        await RunAsync("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)], Folder);
        await process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
        process.Dispose();
        System.IO.Directory.Delete(Folder, recursive: true);
    }

    private static int FreeOffset()
    {
        for (var attempt = 0; attempt < 100; attempt++)
        {
            var offset = Random.Shared.Next(200, 275) * 100;
            try
            {
                foreach (var port in new[] { 24, 25, 80, 143, 443, 465, 587, 993 })
                {
                    using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                    socket.Bind(new IPEndPoint(IPAddress.Loopback, port + offset));
                }
                return offset;
            }
            catch (SocketException)
            {
                // taken: another
            }
        }
        throw new InvalidOperationException("no free ports");
    }
}
