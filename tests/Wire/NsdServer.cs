using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace CbaMail.Tests.Wire;

/// <summary>Debian's nsd as the authority of one zone on loopback: DNS by somebody else's code.</summary>
internal sealed class NsdServer : IAsyncDisposable
{
    private readonly Process process;
    private readonly string directory;

    private NsdServer(Process process, string directory, IPEndPoint address) => (this.process, this.directory, Address) = (process, directory, address);

    public IPEndPoint Address { get; }

    /// <param name="zone">Lines of a zone file below <paramref name="origin"/>; SOA and NS are added.</param>
    /// <param name="others">Further zones that it is the authority of; what is in none of them it refuses.</param>
    public static async Task<NsdServer> StartAsync(string origin, string zone, params (string Origin, string Zone)[] others)
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("cba-nsd").FullName;
        var port = FreePorts.One();
        (string Origin, string Zone)[] all = [(origin, zone), .. others];
        foreach (var one in all)
            await File.WriteAllTextAsync(Path.Combine(directory, "zone." + one.Origin), $"""
                $ORIGIN {one.Origin}.
                $TTL 300
                @ IN SOA ns.{one.Origin}. hostmaster.{one.Origin}. 1 3600 600 86400 60
                @ IN NS ns.{one.Origin}.
                ns IN A 127.0.0.1
                {one.Zone}

                """);
        await File.WriteAllTextAsync(Path.Combine(directory, "nsd.conf"), $"""
            server:
              ip-address: 127.0.0.1@{port}
              username: ""
              chroot: ""
              zonesdir: "{directory}"
              pidfile: "{directory}/nsd.pid"
              xfrdfile: "{directory}/xfrd.state"
              zonelistfile: "{directory}/zone.list"
              xfrdir: "{directory}"
              logfile: "{directory}/log"
              database: ""
              server-count: 1
            remote-control:
              control-enable: no
            {string.Concat(all.Select(one => $"zone:\n  name: \"{one.Origin}\"\n  zonefile: \"zone.{one.Origin}\"\n"))}
            """);
        var process = Process.Start(new ProcessStartInfo("/usr/sbin/nsd", ["-d", "-c", Path.Combine(directory, "nsd.conf")]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var address = new IPEndPoint(IPAddress.Loopback, port);
        await Wait.UntilAsync(async () =>
        {
            if (process.HasExited) throw new InvalidOperationException($"nsd: {await process.StandardError.ReadToEndAsync()} {await LogAsync(directory)}");
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(address);
                return true;
            }
            catch (SocketException)
            {
                return false;
            }
        }, "nsd answers");
        return new NsdServer(process, directory, address);
    }

    private static async Task<string> LogAsync(string directory)
    {
        var log = Path.Combine(directory, "log");
        return File.Exists(log) ? await File.ReadAllTextAsync(log) : "";
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
        System.IO.Directory.Delete(directory, recursive: true);
    }
}
