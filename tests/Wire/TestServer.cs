using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;

namespace CbaMail.Tests.Wire;

/// <summary>
/// The real program in a process of its own, on loopback ports of its own, with data in a temporary folder: what a hidden
/// client sees. It can be stopped, killed and started again over the same data.
/// </summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly StringBuilder log = new();
    private readonly string[] arguments;
    private Process? process;
    private TaskCompletionSource started = new();

    private readonly bool evaluation;

    private readonly Launch launch;

    private TestServer(string folder, int offset, string[] arguments, bool evaluation, Launch launch)
    {
        (Folder, Offset, this.arguments, this.evaluation, this.launch) = (folder, offset, arguments, evaluation, launch);
    }

    /// <summary>How the process is started: by another program, in an environment, with data that it sees elsewhere than we do.</summary>
    internal sealed record Launch
    {
        /// <summary>Program and arguments that start ours and become it (nsenter, prlimit).</summary>
        public IReadOnlyList<string> Prefix { get; init; } = [];
        public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();
        /// <summary>The folder to use instead of one of its own; whoever gave it removes it.</summary>
        public string? Folder { get; init; }
        /// <summary>Where we find what the server has under its folder.</summary>
        public Func<string, string> Seen { get; init; } = path => path;
    }

    /// <summary>A temporary folder; the data directory is <c>data</c> in it, so the command line finds it from here.</summary>
    public string Folder { get; }
    public string Data => launch.Seen(Path.Combine(Folder, "data"));
    public int Offset { get; }
    public int Smtp => Offset + 25;
    public int Submission => Offset + 587;
    public int Submissions => Offset + 465;
    public int Lmtp => Offset + 24;
    public int Imap => Offset + 143;
    public int Imaps => Offset + 993;
    public int Pop3 => Offset + 110;
    public int Pop3s => Offset + 995;
    public int Http => Offset + 80;
    public int Https => Offset + 443;
    public int ProcessId => process?.Id ?? throw new InvalidOperationException("the server does not run");
    public bool IsRunning => process is { HasExited: false };

    /// <summary>The built program that belongs to these tests.</summary>
    public static string Program
    {
        get
        {
            var output = new DirectoryInfo(AppContext.BaseDirectory);       // tests/bin/CONFIGURATION/net10.0
            return Path.Combine(House.Repository.Root, "src/Server/bin", output.Parent!.Name, output.Name, "cbamail");
        }
    }

    /// <summary>All that it has written so far.</summary>
    public string Log
    {
        get { lock (log) return log.ToString(); }
    }

    const string CheapPasswords = "sign-in: {password-cost: 1, scram-iterations: 4096}";

    /// <summary>Starts a server in the evaluation profile; <paramref name="configuration"/> becomes its settings file.</summary>
    public static async Task<TestServer> StartAsync(string? configuration = null, bool evaluation = true, Launch? launch = null)
    {
        string[] arguments = [];
        launch ??= new Launch();
        var folder = launch.Folder ?? System.IO.Directory.CreateTempSubdirectory("cbamail-test-").FullName;
        // hundreds of servers with some accounts each: at the standard price their passwords would take minutes
        if (configuration?.Contains("sign-in:", StringComparison.Ordinal) != true) configuration = $"{configuration}\n{CheapPasswords}\n";
        await File.WriteAllTextAsync(launch.Seen(Path.Combine(folder, "cbamail.yaml")), configuration);
        arguments = ["--config", Path.Combine(folder, "cbamail.yaml")];
        for (var attempt = 1; ; attempt++)
        {
            var server = new TestServer(folder, FreePorts.Offset(), arguments, evaluation, launch);
            try
            {
                await server.StartAgainAsync();
                return server;
            }
            catch (InvalidOperationException e) when (attempt < 3 && e.Message.Contains("in use", StringComparison.OrdinalIgnoreCase))
            {
                // somebody took a port between the look and the start: try others
            }
        }
    }

    /// <summary>Starts it over the data of before.</summary>
    public async Task StartAgainAsync()
    {
        started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var ready = started;
        string[] command = [.. launch.Prefix, Program,
            "serve", .. evaluation ? ["--evaluation"] : Array.Empty<string>(), "--data", Path.Combine(Folder, "data"), "--port-offset", Offset.ToString(null as IFormatProvider), .. arguments];
        var start = new ProcessStartInfo(Tool.Find(command[0]), command[1..])
        {
            WorkingDirectory = Folder,
            RedirectStandardInput = true, // not the terminal of whoever runs the tests: SIGHUP would be that it was closed
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in launch.Environment) start.Environment[name] = value;
        process = Process.Start(start)!;
        var mine = process;
        process.OutputDataReceived += (_, e) => Said(e.Data, ready);
        process.ErrorDataReceived += (_, e) => Said(e.Data, ready);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var ended = mine.WaitForExitAsync();
        if (await Task.WhenAny(ready.Task, ended).WaitAsync(Wait.Patience) == ended)
            throw new InvalidOperationException($"the server ended with {mine.ExitCode}:\n{Log}");
    }

    private void Said(string? line, TaskCompletionSource ready)
    {
        if (line is null) return;
        lock (log) log.AppendLine(line);
        if (line.StartsWith("CBA Mail ", StringComparison.Ordinal) && line.Contains(" serves ", StringComparison.Ordinal)) ready.TrySetResult();
    }

    /// <summary>Runs a verb of the command line against this server.</summary>
    public Task<Ran> CliAsync(params string[] verb) => CliAsync("", verb);

    public Task<Ran> CliAsync(string input, string[] verb, double seconds = 120) =>
        new Tool { Folder = Folder, Input = input, Limit = TimeSpan.FromSeconds(seconds) }.StartAsync(Program, [.. verb, "--data", Data]);

    /// <summary>Adds the domain (where it is missing) and accounts with the password "pass word".</summary>
    public async Task AddAccountsAsync(params string[] addresses)
    {
        using var control = Control();
        foreach (var domain in addresses.Select(a => a[(a.LastIndexOf('@') + 1)..]).Distinct())
        {
            using var made = await control.PostAsJsonAsync("/v1/domains", new { name = domain });
            if (made.StatusCode != HttpStatusCode.Conflict) await SucceededAsync(made);
        }
        foreach (var address in addresses)
        {
            using var made = await control.PostAsJsonAsync("/v1/accounts", new { address, password = Password });
            await SucceededAsync(made);
        }

        static async Task SucceededAsync(HttpResponseMessage answer)
        {
            if (!answer.IsSuccessStatusCode) throw new InvalidOperationException($"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
        }
    }

    /// <summary>The control socket itself, where a process of the command line for each request would take long.</summary>
    public HttpClient Control() => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancel) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(CbaMail.Http.ControlSocket.EndPoint(Data), cancel);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    { BaseAddress = new Uri("http://control") };

    public const string Password = "pass-word 1";

    /// <summary>As a power cut: SIGKILL to this process alone.</summary>
    public async Task KillAsync()
    {
        process!.Kill();
        await process.WaitForExitAsync();
    }

    /// <summary>As systemd does it: SIGTERM. Gives the exit code.</summary>
    public async Task<int> StopAsync()
    {
        var stopping = process!;
        (await Tool.RunAsync("/bin/kill", "-TERM", stopping.Id.ToString(null as IFormatProvider))).Succeeded();
        using var late = new CancellationTokenSource(Wait.Patience);
        await stopping.WaitForExitAsync(late.Token);
        return stopping.ExitCode;
    }

    /// <summary>Resident memory in bytes.</summary>
    public long ResidentMemory()
    {
        var line = File.ReadLines($"/proc/{ProcessId}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], null) * 1024;
    }

    public async ValueTask DisposeAsync()
    {
        if (IsRunning) await KillAsync();
        process?.Dispose();
        if (launch.Folder is not null) return;
        try
        {
            System.IO.Directory.Delete(Folder, recursive: true);
        }
        catch (IOException)
        {
            // the kernel may still hold a file of the killed process: the folder is temporary anyway
        }
    }
}
