using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace CbaMail.Bench;

/// <summary>Debian's nsd on loopback, for what both servers of a comparison look up.</summary>
internal sealed class NameServer : IAsyncDisposable
{
    /// <summary>Where the peer's scripts expect one.</summary>
    public const int Port = 10353;
    public const string Address = "127.0.0.1:10353";

    private readonly Process process;
    private readonly string folder;

    private NameServer(Process process, string folder) => (this.process, this.folder) = (process, folder);

    /// <param name="zones">For each zone its TXT records: a name below it, or @, and the text.</param>
    public static async Task<NameServer> StartAsync(params (string Zone, (string Name, string Text)[] Records)[] zones)
    {
        const string program = "/usr/sbin/nsd";
        if (!File.Exists(program)) throw new InvalidOperationException("nsd (Debian: nsd) is not installed: nobody could answer for the sender's domain");
        var folder = System.IO.Directory.CreateTempSubdirectory("cbamail-bench-dns-").FullName;
        var settings = new StringBuilder($"""
            server:
              ip-address: 127.0.0.1@{Port}
              username: ""
              chroot: ""
              zonesdir: "{folder}"
              pidfile: "{folder}/pid"
              xfrdfile: "{folder}/xfrd.state"
              zonelistfile: "{folder}/zone.list"
              xfrdir: "{folder}"
              logfile: "{folder}/log"
              database: ""
              server-count: 1
            remote-control:
              control-enable: no

            """);
        foreach (var (zone, records) in zones)
        {
            var text = new StringBuilder($"$ORIGIN {zone}.\n$TTL 3600\n@ IN SOA ns.{zone}. hostmaster.{zone}. 1 3600 600 86400 60\n@ IN NS ns.{zone}.\nns IN A 127.0.0.1\n@ IN MX 10 ns.{zone}.\n@ IN A 127.0.0.1\n");
            // RFC 1035 3.3: 255 octets a string
            foreach (var (name, value) in records) text.Append($"{name} IN TXT {string.Join(' ', value.Chunk(250).Select(part => $"\"{new string(part)}\""))}\n");
            await File.WriteAllTextAsync(Path.Combine(folder, zone), text.ToString());
            settings.Append($"zone:\n  name: \"{zone}\"\n  zonefile: \"{zone}\"\n");
        }
        var file = Path.Combine(folder, "nsd.conf");
        await File.WriteAllTextAsync(file, settings.ToString());
        var process = Process.Start(new ProcessStartInfo(program, ["-d", "-c", file]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        await ListensAsync(Port, "nsd", process);
        return new(process, folder);
    }

    /// <summary>Waits until somebody listens on a port of this machine.</summary>
    public static async Task ListensAsync(int port, string who, Process? process = null)
    {
        for (var clock = Stopwatch.StartNew(); ;)
        {
            if (process is { HasExited: true }) throw new InvalidOperationException($"{who} has ended: {await process.StandardError.ReadToEndAsync()}");
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, port);
                return;
            }
            catch (SocketException) when (clock.Elapsed < TimeSpan.FromSeconds(60))
            {
                await Task.Delay(50);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
        System.IO.Directory.Delete(folder, recursive: true);
    }
}
