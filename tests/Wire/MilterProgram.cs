using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace CbaMail.Tests.Wire;

/// <summary>A milter of somebody else in a process of its own, with a folder of its own, on a loopback port of its own.</summary>
internal sealed class MilterProgram : IAsyncDisposable
{
    private readonly Process process;

    private MilterProgram(Process process, string folder, int port) => (this.process, Folder, Port) = (process, folder, port);

    public string Folder { get; }
    public int Port { get; }
    public string Address => $"inet:{Port}@127.0.0.1";

    /// <summary>Whether Debian's package is there; <c>./test</c> installs it.</summary>
    public static bool IsInstalled(string program) => Path(program) is not null;

    private static string? Path(string program) =>
        new[] { "/usr/bin/", "/usr/sbin/" }.Select(folder => folder + program).FirstOrDefault(File.Exists);

    private static async Task<MilterProgram> StartAsync(string program, string folder, int port, params string[] arguments)
    {
        var log = new System.Text.StringBuilder();
        var process = Process.Start(new ProcessStartInfo(Path(program)!, arguments) { RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = folder })!;
        DataReceivedEventHandler keep = (_, e) => { lock (log) log.AppendLine(e.Data); };
        process.OutputDataReceived += keep;
        process.ErrorDataReceived += keep;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await Wait.UntilAsync(async () =>
        {
            if (process.HasExited) { lock (log) throw new InvalidOperationException($"{program} ended: {log}"); }
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, port);
                return true;
            }
            catch (SocketException)
            {
                return false;
            }
        }, program + " answers", 60);
        return new MilterProgram(process, folder, port);
    }

    /// <summary>
    /// Debian's Rspamd with its own rules, as a milter that scans by itself. What would ask a network, a Redis or a greylist is off, and it asks
    /// no DNS: the server that it is told of does not exist.
    /// </summary>
    public static async Task<MilterProgram> RspamdAsync()
    {
        var folder = System.IO.Directory.CreateTempSubdirectory("cbamail-rspamd-").FullName;
        var port = FreePorts.One();
        var rules = System.IO.Directory.CreateDirectory(System.IO.Path.Combine(folder, "override.d")).FullName;
        foreach (var data in new[] { "db", "run", "log", "local.d" }) System.IO.Directory.CreateDirectory(System.IO.Path.Combine(folder, data));
        async Task Write(string name, string text) => await File.WriteAllTextAsync(System.IO.Path.Combine(rules, name), text);
        await Write("worker-proxy.inc", $$"""
            bind_socket = "127.0.0.1:{{port}}";
            milter = yes;
            timeout = 20s;
            upstream "local" { default = yes; self_scan = yes; }
            count = 1;
            """);
        foreach (var worker in new[] { "normal", "controller" }) await Write($"worker-{worker}.inc", "enabled = false;");
        await Write("options.inc", $$"""
            dns { nameserver = ["127.0.0.1:{{FreePorts.One()}}"]; timeout = 0.1s; retransmits = 1; }
            disable_hyperscan = true;
            enable_test_patterns = true;
            gtube_patterns = "all";
            url_tld = "{{folder}}/suffixes";
            """);
        await File.WriteAllTextAsync(System.IO.Path.Combine(folder, "suffixes"), "com\norg\nnet\ntest\n");
        await Write("logging.inc", "type = \"console\"; level = \"warning\";");
        await Write("milter_headers.conf", "use = [\"x-spamd-bar\", \"x-spam-status\"]; skip_local = false; skip_authenticated = false; authenticated_headers = [\"x-spam-status\"];");
        foreach (var module in new[] { "greylist", "rbl", "surbl", "fuzzy_check", "dmarc", "dkim", "spf", "asn", "mx_check", "neural", "phishing", "ratelimit", "replies", "reputation", "rspamd_update", "url_redirector", "history_redis", "arc", "dkim_signing", "emails" })
            await Write(module + ".conf", "enabled = false;");
        return await StartAsync("rspamd", folder, port, "-f", "-i", "-c", "/etc/rspamd/rspamd.conf",
            $"--var=LOCAL_CONFDIR={folder}", $"--var=DBDIR={folder}/db", $"--var=RUNDIR={folder}/run", $"--var=LOGDIR={folder}/log");
    }

    /// <summary>OpenDKIM that signs mail of a domain; the key's record is <c>test.txt</c> in its folder.</summary>
    /// <param name="mode">s: it signs what this machine sends; sv: and verifies what others do.</param>
    /// <param name="more">Further lines of its configuration.</param>
    public static async Task<MilterProgram> OpenDkimAsync(string domain, string mode = "s", string more = "")
    {
        var folder = System.IO.Directory.CreateTempSubdirectory("cbamail-opendkim-").FullName;
        var port = FreePorts.One();
        using var key = System.Security.Cryptography.RSA.Create(2048);
        var file = System.IO.Path.Combine(folder, "key.pem");
        await File.WriteAllTextAsync(file, key.ExportRSAPrivateKeyPem());
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await File.WriteAllTextAsync(System.IO.Path.Combine(folder, "test.txt"), "v=DKIM1; k=rsa; p=" + Convert.ToBase64String(key.ExportSubjectPublicKeyInfo()));
        await File.WriteAllTextAsync(System.IO.Path.Combine(folder, "opendkim.conf"), $"""
            Socket inet:{port}@127.0.0.1
            Background no
            Mode {mode}
            Canonicalization relaxed/simple
            Domain {domain}
            Selector test
            KeyFile {file}
            RequireSafeKeys no
            Syslog no
            InternalHosts 127.0.0.1
            OversignHeaders From
            {more}

            """);
        return await StartAsync("opendkim", folder, port, "-f", "-x", System.IO.Path.Combine(folder, "opendkim.conf"));
    }

    /// <summary>tests/EndToEnd/python/changing_milter.py, by Debian's python3-milter; what it was told is in <c>told.txt</c> of its folder.</summary>
    public static async Task<MilterProgram> PythonAsync()
    {
        var folder = System.IO.Directory.CreateTempSubdirectory("cbamail-pymilter-").FullName;
        var port = FreePorts.One();
        return await StartAsync("python3", folder, port, System.IO.Path.Combine(House.Repository.Root, "tests/EndToEnd/python/changing_milter.py"), $"inet:{port}@127.0.0.1", System.IO.Path.Combine(folder, "told.txt"));
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
        System.IO.Directory.Delete(Folder, recursive: true);
    }
}
