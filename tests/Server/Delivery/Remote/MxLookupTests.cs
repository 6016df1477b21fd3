using CbaMail.Config;
using CbaMail.Delivery.Remote;
using CbaMail.Queue;
using CbaMail.Tests.Formats.MailAuth;
using Xunit;

namespace CbaMail.Tests.Server.Delivery.Remote;

public sealed class MxLookupTests
{
    static readonly Settings settings = new()
    {
        Hostname = "mx.ours.test",
        Listeners = [new ListenerSettings { Protocol = Protocol.Smtp, Address = "0.0.0.0", Port = 25 }],
        Queue = new QueueSettings { Port = 25 },
    };

    static async Task<string> FindAsync(FixedZone zone, string domain)
    {
        var found = await new MxLookup(zone, settings).FindAsync(new Destination(domain, null), domain, TestContext.Current.CancellationToken);
        return found.Failure is { } failure ? failure.Status : string.Join(' ', found.List.Select(candidate => candidate.Target.Address));
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1")]
    [InlineData("127.0.0.1", "5.4.6")]
    [InlineData("127.8.9.10", "5.4.6")]
    [InlineData("0.0.0.0", "5.4.6")]             // the system takes it for this machine
    [InlineData("::", "5.4.6")]
    [InlineData("::1", "5.4.6")]
    [InlineData("::ffff:127.0.0.2", "5.4.6")]
    [InlineData("::ffff:0.0.0.0", "5.4.6")]
    [InlineData("::ffff:192.0.2.1", "::ffff:192.0.2.1")]
    public async Task A_domain_whose_server_is_this_machine_is_a_loop_however_it_is_written(string address, string found)
    {
        Assert.Equal(found, await FindAsync(new FixedZone().Mx("evil.test", "mx.evil.test").A("mx.evil.test", address), "evil.test"));
        Assert.Equal(found, await FindAsync(new FixedZone().A("evil.test", address), "evil.test"));
    }

    [Fact]
    public async Task A_backup_server_passes_mail_on_to_better_ones_only()
    {
        // RFC 5321 5.1; in the order of chance, so some times
        var zone = new FixedZone().Mx("shared.test", "best.test", 5).Mx("shared.test", "beside.test", 10).Mx("shared.test", "here.test", 10).Mx("shared.test", "behind.test", 20)
            .A("best.test", "192.0.2.1").A("beside.test", "192.0.2.2").A("here.test", "127.0.0.1").A("behind.test", "192.0.2.3");
        for (var i = 0; i < 20; i++) Assert.Equal("192.0.2.1", await FindAsync(zone, "shared.test"));
        var even = new FixedZone().Mx("even.test", "beside.test", 10).Mx("even.test", "here.test", 10).A("beside.test", "192.0.2.2").A("here.test", "127.0.0.1");
        for (var i = 0; i < 20; i++) Assert.Equal("5.4.6", await FindAsync(even, "even.test"));
    }

    [Fact]
    public async Task Of_thousands_of_servers_a_few_are_looked_up()
    {
        var zone = new FixedZone();
        for (var i = 0; i < 4000; i++) zone.Mx("evil.test", $"mx{i}.evil.test");
        Assert.Equal("5.4.4", await FindAsync(zone.A("evil.test", "192.0.2.1"), "evil.test"));
        Assert.InRange(zone.Asked.Count, 1, 50);
    }
}
