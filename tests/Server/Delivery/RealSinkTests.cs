using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using CbaMail.Config;
using CbaMail.Net.Dns;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Delivery;

/// <summary>The whole way out against other people's programs: nsd for DNS, Postfix's smtp-sink for the peer.</summary>
public class RealSinkTests
{
    [Fact]
    public async Task A_mailing_leaves_by_real_DNS_to_a_real_sink()
    {
        var port = FreePorts.One();
        using var sink = Process.Start(new ProcessStartInfo("/usr/sbin/smtp-sink", ["-u", "nobody", $"127.0.0.1:{port}", "1000"]) { RedirectStandardError = true })!;
        try
        {
            await Wait.UntilAsync(() => IsUp(port), "smtp-sink listens");
            await using var nsd = await NsdServer.StartAsync("course.test", "@ IN MX 10 mx\nmx IN A 127.0.0.1\nnull IN MX 0 .\n");
            var dns = new DnsResolver(new Settings { Evaluation = true, Dns = new DnsSettings { Servers = [nsd.Address.ToString()] } }, TimeProvider.System);
            await using var office = await PostOffice.OpenAsync(new QueueSettings { Port = port }, TimeProvider.System, dns);
            var all = new List<Task>();
            for (var i = 0; i < 500; i++) all.Add(office.SendAsync($"student{i}@course.test", bulk: true).AsTask());
            await Task.WhenAll(all);
            await office.SendAsync("a@null.course.test");
            await office.EmptyAsync(60);
            Assert.Contains("5.1.10", Assert.Single(office.Inbox()));
        }
        finally
        {
            sink.Kill();
            await sink.WaitForExitAsync();
        }
    }

    static bool IsUp(int port)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
