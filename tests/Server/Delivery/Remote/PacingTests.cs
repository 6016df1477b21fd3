using System.Net;
using CbaMail.Config;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Delivery.Remote;

/// <summary>How fast mail goes where: by operator of mail servers, as he lets us.</summary>
public sealed class PacingTests : IAsyncDisposable
{
    readonly ScriptedPeer peer = new(IPAddress.Parse("127.0.0.2"));
    PostOffice office = null!;

    async Task OpenAsync(QueueSettings? settings = null)
    {
        office = await PostOffice.OpenAsync((settings ?? new QueueSettings()) with { Port = peer.Port });
        office.Dns["a mx.operator.test"] = "127.0.0.2";
        foreach (var domain in (string[])["one.test", "two.test", "three.test"]) office.Dns[$"mx {domain}"] = "10 mx.operator.test";
    }

    public async ValueTask DisposeAsync()
    {
        if (office is not null) await office.DisposeAsync();
        await peer.DisposeAsync();
    }

    [Fact]
    public async Task Domains_with_the_same_servers_share_one_connection()
    {
        await OpenAsync(new QueueSettings { ConnectionsPerDestination = 1 });
        office.Queue.IsHeld = true;
        for (var i = 0; i < 9; i++) await office.SendAsync($"a@{(i % 3 == 0 ? "one" : i % 3 == 1 ? "two" : "three")}.test");
        await office.SendAsync("a@one.test b@two.test");
        office.Queue.IsHeld = false;
        await office.EmptyAsync();
        Assert.Equal(11, peer.Mails.Count);
        Assert.Equal(1, peer.Connections);
        Assert.All(peer.Mails, mail => Assert.Single(mail.To)); // never two domains in one transaction
        var destination = Assert.Single(office.Queue.Destinations(), one => one.Name == "operator.test");
        Assert.Equal(["one.test", "three.test", "two.test"], destination.Domains);
    }

    [Fact]
    public async Task One_that_limits_our_rate_is_left_alone_for_a_while()
    {
        await OpenAsync();
        var limited = true;
        peer.Script = line => limited && line.StartsWith("MAIL", StringComparison.Ordinal) ? "450 4.7.28 unusual rate of mail from you" : null;
        await office.SendAsync("a@one.test");
        await office.AttemptsAsync(1);
        var asked = peer.Commands.Count(command => command.StartsWith("MAIL", StringComparison.Ordinal));
        for (var i = 0; i < 20; i++) await office.SendAsync($"b{i}@two.test");
        await using var other = new ScriptedPeer(IPAddress.Parse("127.0.0.3"), peer.Port);
        office.Dns["a other.test"] = "127.0.0.3";
        await office.SendAsync("c@other.test");
        await Wait.UntilAsync(() => other.Mails.Count == 1, "others are served");
        Assert.Equal(asked, peer.Commands.Count(command => command.StartsWith("MAIL", StringComparison.Ordinal)));
        var destination = Assert.Single(office.Queue.Destinations(), one => one.Name == "operator.test");
        Assert.Equal((20, 2), (destination.Waiting, destination.Connections));
        Assert.Contains("unusual rate", destination.Reason);
        Assert.Equal(office.Time.GetUtcNow().AddSeconds(30), destination.RestsUntil);
        limited = false;
        await Wait.UntilAsync(() =>
        {
            if (office.Queue.Counts().Active == 0) office.Time.Advance(TimeSpan.FromSeconds(10)); // else a busy machine's attempts would run out of time
            return office.Queue.Counts().Messages == 0;
        }, "everything has gone");
        Assert.Equal(21, peer.Mails.Count(mail => mail.Data.Length > 0)); // but for the empty one that a peer gets who refuses MAIL and says 354
    }

    [Fact]
    public async Task A_server_that_wants_fewer_messages_a_connection_gets_fewer()
    {
        await OpenAsync(new QueueSettings { ConnectionsPerDestination = 1, RetryAfter = [TimeSpan.FromSeconds(1)] });
        var count = 0;
        peer.Script = line => line == "connect" ? (count = 0) is var _ ? null : null
            : line.StartsWith("MAIL", StringComparison.Ordinal) && ++count > 3 ? "421 4.7.0 too many messages in this connection" + ScriptedPeer.Drop : null;
        office.Queue.IsHeld = true;
        for (var i = 0; i < 12; i++) await office.SendAsync($"a{i}@one.test");
        office.Queue.IsHeld = false;
        await Wait.UntilAsync(() =>
        {
            if (office.Queue.Counts().Active == 0) office.Time.Advance(TimeSpan.FromMilliseconds(100));
            return office.Queue.Counts().Messages == 0;
        }, "everything has gone");
        Assert.Equal(3, Assert.Single(office.Queue.Destinations()).PerConnection);
    }

    [Fact]
    public async Task A_domain_that_the_settings_name_is_paced_by_itself()
    {
        await OpenAsync(new QueueSettings { Pace = [new PaceSettings { Destination = "two.test", Connections = 1, MessagesPerHour = 60 }, new PaceSettings { Destination = "operator.test", MessagesPerConnection = 2 }] });
        for (var i = 0; i < 4; i++) await office.SendAsync($"a{i}@two.test");
        await office.SendAsync("a@one.test");
        await Wait.UntilAsync(() => peer.Mails.Count == 2, "one of each");
        Assert.Equal(60, office.Queue.Destinations().Single(one => one.Name == "two.test").PerHour);
        for (var sent = 2; sent < 5; sent++)
        {
            await Wait.UntilAsync(() => peer.Mails.Count == sent && office.Queue.Counts().Active == 0, "a minute's share");
            office.Time.Advance(TimeSpan.FromMinutes(1));
        }
        await office.EmptyAsync();
    }

    [Fact]
    public async Task One_slow_destination_holds_nobody_up()
    {
        await OpenAsync();
        await using var slow = new ScriptedPeer(IPAddress.Parse("127.0.0.3"), peer.Port) { Script = line => line == "connect" ? ScriptedPeer.Hang : null };
        office.Dns["a slow.test"] = "127.0.0.3";
        for (var i = 0; i < 50; i++) office.Dns[$"a fast{i}.test"] = "127.0.0.2";
        for (var i = 0; i < 300; i++) await office.SendAsync($"a{i}@slow.test", bulk: i % 2 == 0);
        for (var i = 0; i < 50; i++) await office.SendAsync($"a@fast{i}.test", bulk: true);
        await Wait.UntilAsync(() => peer.Mails.Count == 50, "the others are served");
        Assert.InRange(slow.Connections, 1, 5);
    }
}
