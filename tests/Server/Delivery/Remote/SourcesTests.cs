using System.Net;
using CbaMail.Config;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Delivery.Remote;

/// <summary>Which of our addresses mail leaves from.</summary>
public sealed class SourcesTests : IAsyncDisposable
{
    readonly ScriptedPeer peer = new(IPAddress.Parse("127.0.0.2"));
    PostOffice office = null!;

    async Task OpenAsync(SendingSettings? sending = null, QueueSettings? queue = null)
    {
        office = await PostOffice.OpenAsync((queue ?? new QueueSettings()) with { Port = peer.Port, ConnectionsPerDestination = 1 }, sending: sending);
        office.Dns["a peer.test"] = "127.0.0.2";
    }

    public async ValueTask DisposeAsync()
    {
        if (office is not null) await office.DisposeAsync();
        await peer.DisposeAsync();
    }

    async Task<(string From, string Hello)> SendAsync(string sender)
    {
        await office.SendAsync("a@peer.test", from: sender);
        await office.EmptyAsync();
        return (peer.Froms[^1].ToString(), peer.Commands.Last(command => command.StartsWith("EHLO", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task The_senders_domain_chooses_the_address_and_its_name()
    {
        await OpenAsync(new SendingSettings
        {
            Sources =
            [
                new SourceSettings { Address = "127.0.0.11", Hostname = "courses.example.test", Domains = ["courses.test", "*.courses.test"] },
                new SourceSettings { Address = "127.0.0.12" },
                new SourceSettings { Address = "::1", Hostname = "six.example.test" },
            ],
        });
        Assert.Equal(("127.0.0.11", "EHLO courses.example.test"), await SendAsync("anna@courses.test"));
        Assert.Equal(("127.0.0.12", "EHLO mail.example.test"), await SendAsync("anna@example.test"));
        Assert.Equal(("127.0.0.11", "EHLO courses.example.test"), await SendAsync("anna@spring.courses.test"));
    }

    [Fact]
    public async Task A_list_of_addresses_is_enough()
    {
        await OpenAsync(queue: new QueueSettings { SourceAddress = ["127.0.0.13", "::1"] });
        Assert.Equal("127.0.0.13", (await SendAsync("anna@example.test")).From);
    }

    [Fact]
    public async Task An_address_that_is_not_ours_is_said()
    {
        await OpenAsync(queue: new QueueSettings { SourceAddress = ["192.0.2.77"] });
        await office.SendAsync("a@peer.test");
        await office.AttemptsAsync(1);
        Assert.Contains("192.0.2.77 is no address of this machine", office.Queue.List()[0].Recipients[0].LastReply);
    }

    [Fact]
    public async Task A_new_address_sends_its_share_and_the_rest_goes_from_another_or_waits()
    {
        var warming = new SourceSettings { Address = "127.0.0.14", WarmUpSince = "2026-03-01" }; // the tests' clock begins on the 2nd
        await OpenAsync(new SendingSettings { Sources = [warming], WarmUp = [1, 3, 100] });
        for (var i = 0; i < 3; i++) Assert.Equal("127.0.0.14", (await SendAsync("anna@example.test")).From);
        await office.SendAsync("a@peer.test");
        await Wait.UntilAsync(() => office.Queue.List() is [{ Recipients: [{ LastReply: not null }] }], "it is put off");
        Assert.Contains("while it warms up (3) have been sent", office.Queue.List()[0].Recipients[0].LastReply);
        await office.HurryAsync(TimeSpan.FromMinutes(20), () => office.Queue.Counts().Messages == 0, "the next day comes");
        Assert.Equal(3, office.Time.GetUtcNow().Day);
    }

    [Fact]
    public async Task Many_connections_do_not_send_more_than_the_share_and_what_waits_for_days_is_not_returned()
    {
        office = await PostOffice.OpenAsync(new QueueSettings { Port = peer.Port, Expire = TimeSpan.FromDays(1) }, sending: new SendingSettings
        {
            Sources = [new SourceSettings { Address = "127.0.0.17", WarmUpSince = "2026-03-02" }],
            WarmUp = [7, 0, 1000],
        });
        office.Dns["a peer.test"] = "127.0.0.2";
        office.Queue.IsHeld = true;
        for (var i = 0; i < 20; i++) await office.SendAsync($"a{i}@peer.test", bulk: true);
        office.Queue.IsHeld = false;
        await Wait.UntilAsync(() => office.Queue.List() is { Count: 13 } waiting && waiting.All(entry => entry.Recipients[0] is { LastReply: not null, State: not "active" }), "the others are put off");
        Assert.Equal(7, peer.Mails.Count);
        Assert.All(office.Queue.List(), entry => Assert.Equal(0, entry.Recipients[0].Attempts));
        await office.HurryAsync(TimeSpan.FromMinutes(30), () => office.Queue.Counts().Messages == 0, "the day of 1000 comes");
        Assert.Equal(20, peer.Mails.Count);
        Assert.Equal(4, office.Time.GetUtcNow().Day);
    }

    [Fact]
    public async Task What_one_may_not_send_another_may()
    {
        await OpenAsync(new SendingSettings
        {
            Sources = [new SourceSettings { Address = "127.0.0.15", Domains = ["example.test"], WarmUpSince = "2026-03-02" }, new SourceSettings { Address = "127.0.0.16" }],
            WarmUp = [2, 3],
        });
        List<string> from = [];
        for (var i = 0; i < 4; i++) from.Add((await SendAsync("anna@example.test")).From);
        Assert.Equal(["127.0.0.15", "127.0.0.15", "127.0.0.16", "127.0.0.16"], from);
    }
}
