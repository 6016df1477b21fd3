using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace CbaMail.Tests.Wire;

/// <summary>Debian's pebble, the small authority of Let's Encrypt for tests, on loopback: ACME by somebody else's code, made to be difficult.</summary>
internal sealed class PebbleServer : IAsyncDisposable
{
    private readonly string directory = System.IO.Directory.CreateTempSubdirectory("cba-pebble").FullName;
    private readonly int port = FreePorts.One();
    private readonly int management = FreePorts.One();
    private readonly StringBuilder log = new();
    private Process? process;

    public PebbleServer()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var made = request.CreateSelfSigned(DateTimeOffset.Now.AddDays(-1), DateTimeOffset.Now.AddDays(30));
        File.WriteAllText(Root, made.ExportCertificatePem());
        File.WriteAllText(Root + ".key", key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>For <c>tls.acme.directory</c>; known before it is started.</summary>
    public string Directory => $"https://127.0.0.1:{port}/dir";

    /// <summary>For <c>tls.acme.trust-root</c>.</summary>
    public string Root => Path.Combine(directory, "root.pem");

    /// <summary>The life of its certificates; null is its own five years.</summary>
    public int? ValidSeconds { get; set; }

    /// <summary>All that it has written so far.</summary>
    public string Log
    {
        get { lock (log) return log.ToString(); }
    }

    /// <param name="dns">Whom it asks where the names lead.</param>
    /// <param name="accounts">Accounts that have to be bound (external account binding), by id; null where anybody may come.</param>
    /// <param name="environment">PEBBLE_... variables.</param>
    public async Task StartAsync(TestServer server, IPEndPoint dns, IReadOnlyDictionary<string, string>? accounts = null, params (string Name, string Value)[] environment)
    {
        var settings = new
        {
            listenAddress = $"127.0.0.1:{port}",
            managementListenAddress = $"127.0.0.1:{management}",
            certificate = Root,
            privateKey = Root + ".key",
            httpPort = server.Http,
            tlsPort = server.Https,
            ocspResponderURL = "",
            certificateValidityPeriod = ValidSeconds ?? 157_766_400,
            externalAccountBindingRequired = accounts is not null,
            externalAccountMACKeys = accounts ?? new Dictionary<string, string>(),
        };
        await File.WriteAllTextAsync(Path.Combine(directory, "config.json"), JsonSerializer.Serialize(new { pebble = settings }));
        var start = new ProcessStartInfo(Tool.Find("pebble"), ["-config", Path.Combine(directory, "config.json"), "-strict", "-dnsserver", dns.ToString()]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["PEBBLE_VA_NOSLEEP"] = "1";
        foreach (var (name, value) in environment) start.Environment[name] = value;
        if (environment.Any(one => one.Name == "PEBBLE_VA_SLEEPTIME")) start.Environment.Remove("PEBBLE_VA_NOSLEEP");
        process = Process.Start(start)!;
        process.OutputDataReceived += (_, e) => Said(e.Data);
        process.ErrorDataReceived += (_, e) => Said(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await Wait.UntilAsync(async () =>
        {
            if (process.HasExited) throw new InvalidOperationException("pebble: " + Log);
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
        }, "pebble answers");
    }

    private void Said(string? line)
    {
        if (line is null) return;
        lock (log) log.AppendLine(line);
    }

    /// <summary>How often a text stands in its log.</summary>
    public int Count(string text) => Log.Split('\n').Count(line => line.Contains(text, StringComparison.Ordinal));

    public async ValueTask DisposeAsync()
    {
        if (process is not null)
        {
            if (!process.HasExited) process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
        System.IO.Directory.Delete(directory, recursive: true);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"pebble at {port}");
}
