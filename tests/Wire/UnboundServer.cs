using System.Diagnostics;
using System.Net;

namespace CbaMail.Tests.Wire;

/// <summary>Debian's Unbound as a validating resolver on loopback for one zone: whose authority it asks, and whose key it trusts.</summary>
internal sealed class UnboundServer : IAsyncDisposable
{
    private readonly Process process;
    private readonly string directory;

    private UnboundServer(Process process, string directory, IPEndPoint address) => (this.process, this.directory, Address) = (process, directory, address);

    public IPEndPoint Address { get; }

    /// <param name="at">Where it listens; resolvers of other programs know port 53 only. Default: a free port.</param>
    /// <param name="more">Further lines of its configuration.</param>
    public static async Task<UnboundServer> StartAsync(string zone, IPEndPoint authority, string anchor, IPEndPoint? at = null, string more = "")
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("cba-unbound").FullName;
        var address = at ?? new IPEndPoint(IPAddress.Loopback, FreePorts.One());
        var file = Path.Combine(directory, "unbound.conf");
        await File.WriteAllTextAsync(file, $"""
            server:
              interface: {address.Address}@{address.Port}
              username: ""
              chroot: ""
              directory: "{directory}"
              pidfile: "{directory}/unbound.pid"
              use-syslog: no
              logfile: "{directory}/log"
              do-not-query-localhost: no
              do-ip6: no
              num-threads: 1
              module-config: "validator iterator"
              trust-anchor: "{anchor}"
              local-zone: "test." transparent
            stub-zone:
              name: "{zone}"
              stub-addr: 127.0.0.1@{authority.Port}
            remote-control:
              control-enable: no
            {more}

            """);
        var process = Process.Start(new ProcessStartInfo(Tool.Find("unbound"), ["-d", "-c", file]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        await Wait.UntilAsync(async () =>
        {
            if (process.HasExited) throw new InvalidOperationException($"unbound: {await process.StandardError.ReadToEndAsync()}");
            return (await Tool.RunAsync("dig", "+short", "+time=1", "+tries=1", "-p", $"{address.Port}", $"@{address.Address}", zone, "SOA")).Output.Contains("hostmaster", StringComparison.Ordinal);
        }, "unbound answers");
        return new UnboundServer(process, directory, address);
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
        System.IO.Directory.Delete(directory, recursive: true);
    }
}
