using System.Net;
using CbaMail.Config;
using CbaMail.Dns;
using CbaMail.Net.Dns;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Net.Dns;

public class DnsResolverTests
{
    static readonly AuthorityRecord Soa = new("test", 3600, "ns.test", "root.test", 1, 1, 1, 1, Minimum: 60);

    static DnsResolver Resolver(TimeProvider time, DnsSettings? settings = null, params DnsPeer[] peers) =>
        new(new Settings { Dns = (settings ?? new DnsSettings { Timeout = TimeSpan.FromMilliseconds(400) }) with { Servers = [.. peers.Select(peer => peer.Address.ToString())] } }, time);

    static DnsPeer Peer(Func<DnsMessage, bool, DnsMessage?> answer) => new(answer);

    [Fact]
    public async Task Asks_once_and_keeps_the_answer_for_its_time()
    {
        using var peer = Peer((q, _) => DnsPeer.Reply(q, new ExchangeRecord("example.test", 300, 10, "mx.example.test")));
        var time = new ManualTime();
        var resolver = Resolver(time, null, peer);
        for (var i = 0; i < 3; i++)
        {
            var answer = await resolver.MxAsync("Example.TEST.", default);
            Assert.Equal(new MxRecord(10, "mx.example.test"), Assert.Single(answer.Records));
        }
        Assert.Equal(1, peer.Questions);
        time.Advance(TimeSpan.FromSeconds(301));
        await resolver.MxAsync("example.test", default);
        Assert.Equal(2, peer.Questions);
    }

    [Fact]
    public async Task The_same_question_in_flight_is_asked_once()
    {
        using var gate = new ManualResetEventSlim();
        using var peer = Peer((q, _) => { gate.Wait(2000); return DnsPeer.Reply(q, new AddressRecord("a.test", 0, IPAddress.Loopback)); });
        var resolver = Resolver(TimeProvider.System, new DnsSettings { Timeout = TimeSpan.FromSeconds(5) }, peer);
        var all = Enumerable.Range(0, 20).Select(_ => resolver.AddressesAsync("a.test", v6: false, default).AsTask()).ToList();
        gate.Set();
        Assert.All(await Task.WhenAll(all), answer => Assert.Equal(DnsStatus.Found, answer.Status));
        Assert.Equal(1, peer.Questions);
    }

    [Fact]
    public async Task Denials_are_kept_for_the_time_of_the_SOA()
    {
        using var peer = Peer((q, _) => DnsPeer.Reply(q) with { Code = DnsCode.NoSuchName, Authority = [Soa] });
        var time = new ManualTime();
        var resolver = Resolver(time, null, peer);
        Assert.Equal(DnsStatus.NoSuchName, (await resolver.TxtAsync("no.test", default)).Status);
        time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(DnsStatus.NoSuchName, (await resolver.TxtAsync("no.test", default)).Status);
        Assert.Equal(1, peer.Questions);
        time.Advance(TimeSpan.FromSeconds(2));
        await resolver.TxtAsync("no.test", default);
        Assert.Equal(2, peer.Questions);
    }

    [Fact]
    public async Task A_denial_without_SOA_and_a_failure_are_not_kept()
    {
        var fail = true;
        using var peer = Peer((q, _) => DnsPeer.Reply(q) with { Code = fail ? DnsCode.ServerFailure : DnsCode.NoError });
        var resolver = Resolver(new ManualTime(), null, peer);
        Assert.Equal(DnsStatus.Failed, (await resolver.MxAsync("a.test", default)).Status);
        fail = false;
        Assert.Equal(DnsStatus.NoData, (await resolver.MxAsync("a.test", default)).Status);
        var before = peer.Questions;
        await resolver.MxAsync("a.test", default);
        Assert.Equal(before + 1, peer.Questions);
    }

    [Fact]
    public async Task Follows_aliases_within_an_answer_and_beyond_it()
    {
        using var peer = Peer((q, _) => q.Questions[0].Name switch
        {
            "www.test" => DnsPeer.Reply(q, new NameRecord("WWW.test", DnsType.Cname, 60, "a.test"), new NameRecord("a.test", DnsType.Cname, 60, "b.other")),
            "b.other" => DnsPeer.Reply(q, new AddressRecord("b.other", 60, IPAddress.Parse("192.0.2.7"))),
            _ => null,
        });
        var answer = await Resolver(new ManualTime(), null, peer).AddressesAsync("www.test", v6: false, default);
        Assert.Equal(IPAddress.Parse("192.0.2.7"), Assert.Single(answer.Records));
    }

    [Fact]
    public async Task Aliases_in_a_circle_end()
    {
        using var peer = Peer((q, _) => DnsPeer.Reply(q, new NameRecord("a.test", DnsType.Cname, 60, "b.test"), new NameRecord("b.test", DnsType.Cname, 60, "a.test")));
        Assert.Equal(DnsStatus.Failed, (await Resolver(new ManualTime(), null, peer).MxAsync("a.test", default)).Status);
    }

    [Fact]
    public async Task A_cut_answer_is_asked_for_over_TCP()
    {
        var text = new string('x', 250);
        using var peer = Peer((q, tcp) => tcp
            ? DnsPeer.Reply(q, [.. Enumerable.Range(0, 20).Select(i => new TextRecord("big.test", 60, [System.Text.Encoding.ASCII.GetBytes(text + i)]))])
            : DnsPeer.Reply(q) with { Truncated = true });
        var answer = await Resolver(new ManualTime(), new DnsSettings(), peer).TxtAsync("big.test", default);
        Assert.Equal(20, answer.Records.Count);
    }

    [Fact]
    public async Task The_next_server_is_asked_when_one_is_silent_or_fails()
    {
        using var silent = Peer((_, _) => null);
        using var failing = Peer((q, _) => DnsPeer.Reply(q) with { Code = DnsCode.Refused });
        using var good = Peer((q, _) => DnsPeer.Reply(q, new AddressRecord("a.test", 60, IPAddress.Loopback)));
        var resolver = Resolver(TimeProvider.System, new DnsSettings { Timeout = TimeSpan.FromMilliseconds(200) }, silent, failing, good);
        Assert.Equal(DnsStatus.Found, (await resolver.AddressesAsync("a.test", v6: false, default)).Status);
        Assert.Equal((1, 1, 1), (silent.Questions, failing.Questions, good.Questions));
    }

    [Fact]
    public async Task Answers_to_other_questions_are_not_believed()
    {
        var number = 0;
        byte[]? Forge(DnsMessage q, bool tcp)
        {
            var good = DnsPeer.Reply(q, new AddressRecord(q.Questions[0].Name, 60, IPAddress.Parse("203.0.113.66")));
            return DnsWriter.Write(number++ switch
            {
                0 => good with { Id = (ushort)(q.Id + 1) },
                1 => good with { Questions = [new DnsQuestion("evil.test", DnsType.A)] },
                2 => good with { IsResponse = false },
                _ => DnsPeer.Reply(q, new AddressRecord("other.test", 60, IPAddress.Parse("203.0.113.66")), new AddressRecord("a.test", 60, IPAddress.Parse("192.0.2.1"))),
            });
        }
        using var peer = new DnsPeer(Forge);
        var resolver = Resolver(TimeProvider.System, new DnsSettings { Timeout = TimeSpan.FromMilliseconds(100), Rounds = 4 }, peer);
        Assert.Equal(IPAddress.Parse("192.0.2.1"), Assert.Single((await resolver.AddressesAsync("a.test", v6: false, default)).Records));
    }

    [Fact]
    public async Task A_server_without_EDNS_is_asked_without_it()
    {
        using var peer = Peer((q, _) => q.Edns is null ? DnsPeer.Reply(q, new AddressRecord("a.test", 60, IPAddress.Loopback)) : DnsPeer.Reply(q) with { Code = DnsCode.FormatError });
        Assert.Equal(DnsStatus.Found, (await Resolver(new ManualTime(), null, peer).AddressesAsync("a.test", v6: false, default)).Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_AD_bit_counts_only_of_a_trusted_server(bool trusted)
    {
        using var peer = Peer((q, _) => DnsPeer.Reply(q, new AddressRecord("a.test", 60, IPAddress.Loopback)) with { AuthenticData = true });
        var resolver = Resolver(new ManualTime(), new DnsSettings { TrustAuthenticated = trusted }, peer);
        Assert.Equal(trusted, (await resolver.AddressesAsync("a.test", v6: false, default)).Authenticated);
    }

    [Fact]
    public async Task In_the_evaluation_profile_nobody_is_asked_unless_configured()
    {
        var resolver = new DnsResolver(new Settings { Evaluation = true }, TimeProvider.System);
        Assert.False(resolver.HasServers);
        Assert.Equal(DnsStatus.Failed, (await resolver.MxAsync("example.org", default)).Status);
    }

    [Fact]
    public async Task Noise_is_no_answer()
    {
        using var peer = new DnsPeer((q, _) => [(byte)(q.Id >> 8), (byte)q.Id, 0x80, 1, 2, 3]);
        Assert.Equal(DnsStatus.Failed, (await Resolver(TimeProvider.System, new DnsSettings { Timeout = TimeSpan.FromMilliseconds(50), Rounds = 1 }, peer).MxAsync("a.test", default)).Status);
    }

    [Fact]
    public void The_cache_is_bounded()
    {
        var cache = new DnsCache(10, new ManualTime());
        for (var i = 0; i < 100; i++) cache.Add($"{i}.test", DnsType.A, new DnsResult(DnsStatus.NoData, [], false, TimeSpan.FromHours(1)));
        Assert.Equal(10, cache.Count);
        Assert.NotNull(cache.Find("99.test", DnsType.A));
        Assert.Null(cache.Find("1.test", DnsType.A));
    }

    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1:53")]
    [InlineData("127.0.0.1:5353", "127.0.0.1:5353")]
    [InlineData("::1", "[::1]:53")]
    [InlineData("[::1]:5353", "[::1]:5353")]
    public void Servers_are_addresses_with_or_without_a_port(string text, string server) => Assert.Equal(server, DnsServers.Parse(text).ToString());

    [Fact]
    public void Reads_resolv_conf() => Assert.Equal(["192.0.2.1:53", "[2001:db8::1]:53"],
        DnsServers.Read(["# nameserver 1.1.1.1", "search test", "nameserver 192.0.2.1", "nameserver\t2001:db8::1", "nameserver none"]).Select(server => server.ToString()));

    [Fact]
    public async Task Real_zones_of_a_real_server()
    {
        var longText = string.Join(" ", Enumerable.Range(0, 12).Select(i => $"\"{new string((char)('a' + i), 200)}\""));
        await using var nsd = await NsdServer.StartAsync("example.test", $"""
            @ IN MX 10 mx1
            @ IN MX 20 mx2.example.test.
            mx1 IN A 127.0.0.1
            mx1 IN AAAA ::1
            www IN CNAME mx1
            null IN MX 0 .
            txt IN TXT "v=spf1 " "-all"
            big IN TXT {longText}
            """);
        var resolver = new DnsResolver(new Settings { Evaluation = true, Dns = new DnsSettings { Servers = [nsd.Address.ToString()] } }, TimeProvider.System);
        Assert.Equal([new MxRecord(10, "mx1.example.test"), new MxRecord(20, "mx2.example.test")], (await resolver.MxAsync("example.test", default)).Records.OrderBy(mx => mx.Preference));
        Assert.Equal([IPAddress.Loopback], (await resolver.AddressesAsync("www.example.test", v6: false, default)).Records);
        Assert.Equal([IPAddress.IPv6Loopback], (await resolver.AddressesAsync("mx1.example.test", v6: true, default)).Records);
        Assert.Equal(".", Assert.Single((await resolver.MxAsync("null.example.test", default)).Records).Exchange);
        Assert.Equal("v=spf1 -all", Assert.Single((await resolver.TxtAsync("txt.example.test", default)).Records));
        Assert.Equal(12 * 200, Assert.Single((await resolver.TxtAsync("big.example.test", default)).Records).Length);
        Assert.Equal(DnsStatus.NoData, (await resolver.MxAsync("mx1.example.test", default)).Status);
        Assert.Equal(DnsStatus.NoSuchName, (await resolver.MxAsync("nobody.example.test", default)).Status);
        Assert.Equal(DnsStatus.Failed, (await resolver.MxAsync("other.zone", default)).Status);
    }
}
