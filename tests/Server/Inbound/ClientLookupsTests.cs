using System.Net;
using CbaMail.Config;
using CbaMail.Inbound;
using CbaMail.Net;
using CbaMail.Tests.Wire;
using Microsoft.Extensions.Logging;
using Xunit;

namespace CbaMail.Tests.Server.Inbound;

/// <summary>What is asked of DNS about a client, and what counts of the answers.</summary>
public class ClientLookupsTests
{
    readonly TestZone zone = new();
    readonly ManualTime time = new();
    readonly Lines log = new();

    sealed class Lines : ILogger<ClientLookups>
    {
        public List<string> All { get; } = [];
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => true;
        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (All) All.Add(formatter(state, exception));
        }
    }

    ClientLookups Lookups(InboundSettings inbound) { var settings = new Settings { Inbound = inbound }; return new(settings, zone, new AllowList(settings, time), time, log); }

    static readonly WeightSettings Nothing = new() { NoReverseName = 0, HelloNoName = 0, HelloUnknown = 0, HelloWrongLiteral = 0 };

    async Task<Standing> MeetAsync(InboundSettings inbound, string address = "192.0.2.7", string hello = "mail.example.org")
    {
        var lookups = Lookups(inbound);
        var standing = new Standing("1", IPAddress.Parse(address), time.GetTimestamp());
        lookups.Begin(standing);
        lookups.Greeted(standing, hello);
        await lookups.SettleAsync(standing);
        return standing;
    }

    InboundSettings List(ListedThing of = ListedThing.Address, double weight = 10, params string[] answers) =>
        new() { Weights = Nothing, ReverseLookup = of == ListedThing.ReverseName, DnsLists = [new() { Zone = "bl.test", Of = of, Weight = weight, Answers = answers }] };

    [Fact] // RFC 5782 2.1
    public async Task An_address_is_looked_up_reversed()
    {
        zone.Add("7.2.0.192.bl.test", "127.0.0.2");
        var finding = Assert.Single((await MeetAsync(List())).Findings);
        Assert.Equal((10, "bl.test", "192.0.2.7 is listed by bl.test (127.0.0.2)"), (finding.Weight, finding.Zone, finding.What));
        Assert.Empty((await MeetAsync(List(), "192.0.2.8")).Findings);
    }

    [Fact] // RFC 5782 2.4
    public async Task An_address_of_ipv6_is_looked_up_by_nibbles()
    {
        zone.Add("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.test", "127.0.0.2");
        Assert.Single((await MeetAsync(List(), "2001:db8::1")).Findings);
    }

    [Theory]
    [InlineData("127.0.0.2", true)]
    [InlineData("127.0.0.5", true)]
    [InlineData("127.0.0.8", false)]
    [InlineData("127.0.9.1", true)]
    [InlineData("127.0.9.2", false)]
    public async Task Only_the_answers_that_are_named_count(string answer, bool counts)
    {
        zone.Add("7.2.0.192.bl.test", answer);
        Assert.Equal(counts ? 1 : 0, (await MeetAsync(List(answers: ["127.0.0.2", "127.0.0.4-7", "127.0.*.1"]))).Findings.Count);
    }

    [Theory]
    [InlineData("127.0.0")]
    [InlineData("127.0.0.256")]
    [InlineData("127.0.0.7-4")]
    [InlineData("x")]
    public void An_answer_that_is_none_is_refused_at_the_start(string answer) => Assert.Contains(answer, Assert.Throws<InvalidOperationException>(() => Lookups(List(answers: [answer]))).Message);

    [Fact]
    public async Task Good_ones_weigh_below_zero_and_all_is_added_up()
    {
        zone.Add("7.2.0.192.bl.test", "127.0.0.2").Add("7.2.0.192.wl.test", "127.0.0.3");
        var standing = await MeetAsync(new InboundSettings { Weights = Nothing, ReverseLookup = false, DnsLists = [new() { Zone = "bl.test", Weight = 6 }, new() { Zone = "wl.test", Weight = -8 }] });
        Assert.Equal(-2, standing.Sum);
    }

    [Fact]
    public async Task A_list_that_does_not_answer_us_is_not_believed_and_the_log_says_so()
    {
        zone.Add("7.2.0.192.bl.test", "127.255.255.254");
        Assert.Empty((await MeetAsync(List())).Findings);
        Assert.Contains(log.All, line => line.Contains("127.255.255.254"));
    }

    [Fact]
    public async Task An_answer_outside_127_is_that_of_a_parked_domain()
    {
        zone.Add("7.2.0.192.bl.test", "198.51.100.1");
        Assert.Empty((await MeetAsync(List())).Findings);
        Assert.Contains(log.All, line => line.Contains("198.51.100.1"));
    }

    [Theory] // RFC 5782 5
    [InlineData(ListedThing.Address, "1.0.0.127.bl.test", "7.2.0.192.bl.test")]
    [InlineData(ListedThing.Hello, "invalid.bl.test", "mail.example.org.bl.test")]
    public async Task A_list_that_lists_everything_is_left_out(ListedThing of, string testPoint, string query)
    {
        zone.Add(testPoint, "127.0.0.2").Add(query, "127.0.0.2");
        Assert.Empty((await MeetAsync(List(of))).Findings);
        Assert.Contains(log.All, line => line.Contains("lists everything"));
    }

    [Fact]
    public async Task Names_are_looked_up_as_they_are()
    {
        zone.Add("mail.example.org.bl.test", "127.0.0.2");
        Assert.Single((await MeetAsync(List(ListedThing.Hello))).Findings);
        Assert.Empty((await MeetAsync(List(ListedThing.Hello), hello: "[192.0.2.7]")).Findings);

        zone.AddHost("host.example.org", "192.0.2.7").Add("host.example.org.bl.test", "127.0.0.2");
        Assert.Single((await MeetAsync(List(ListedThing.ReverseName))).Findings);

        zone.Add("spam.example.bl.test", "127.0.0.2");
        var lookups = Lookups(List(ListedThing.Sender));
        var standing = new Standing("1", IPAddress.Parse("192.0.2.7"), time.GetTimestamp());
        Assert.Single((await lookups.OfSender(standing, "spam.example")!).OfType<Finding>());
        Assert.Empty((await lookups.OfSender(standing, "[192.0.2.7]")!).OfType<Finding>());
        Assert.Null(lookups.OfSender(standing, ""));
    }

    [Fact]
    public async Task Silence_counts_nothing_and_does_not_hold_anybody_up_for_longer_than_is_set()
    {
        zone.Silent.UnionWith(["7.2.0.192.slow.test", "7.2.0.192.in-addr.arpa", "mail.example.org"]);
        zone.Add("7.2.0.192.bl.test", "127.0.0.2");
        var meeting = MeetAsync(new InboundSettings { DnsLists = [new() { Zone = "slow.test" }, new() { Zone = "bl.test", Weight = 4 }] });
        await Wait.UntilAsync(() => zone.Asked.Contains("7.2.0.192.slow.test") && zone.Asked.Contains("mail.example.org"), "the questions are put");
        Assert.False(meeting.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(8));
        var standing = await meeting.WaitAsync(Wait.Patience);
        Assert.Equal(4, standing.Sum);
        Assert.Equal(Iprev.TempError, standing.Reverse.Result);
    }

    [Fact] // RFC 8601 2.7.3
    public async Task Name_and_address_must_agree()
    {
        var inbound = new InboundSettings { Weights = new WeightSettings { NoReverseName = 2, HelloUnknown = 0, HelloNoName = 0, HelloWrongLiteral = 0 } };
        zone.AddHost("good.example.org", "192.0.2.7").Add("8.2.0.192.in-addr.arpa", new TestZone.Ptr("forged.example.org")).Add("forged.example.org", "198.51.100.1");
        zone.Failing.Add("10.2.0.192.in-addr.arpa");
        zone.Add("11.2.0.192.in-addr.arpa", new TestZone.Ptr("bad name\r\n.example"), new TestZone.Ptr("second.example.org")).Add("second.example.org", "192.0.2.11");

        var good = await MeetAsync(inbound, "192.0.2.7");
        Assert.Equal((Iprev.Pass, "good.example.org", 0), (good.Reverse.Result, good.Reverse.Name, good.Sum));
        var forged = await MeetAsync(inbound, "192.0.2.8");
        Assert.Equal((Iprev.Fail, null, 2), (forged.Reverse.Result, forged.Reverse.Name, forged.Sum));
        var none = await MeetAsync(inbound, "192.0.2.9");
        Assert.Equal((Iprev.PermError, 2), (none.Reverse.Result, none.Sum));
        var broken = await MeetAsync(inbound, "192.0.2.10");
        Assert.Equal((Iprev.TempError, 0), (broken.Reverse.Result, broken.Sum));
        Assert.Equal("second.example.org", (await MeetAsync(inbound, "192.0.2.11")).Reverse.Name);
    }

    [Theory]
    [InlineData("mail.example.org", 0)]
    [InlineData("mx-only.example.org", 0)]
    [InlineData("nowhere.example.org", 2)]
    [InlineData("localhost", 2)]
    [InlineData("[192.0.2.7]", 0)]
    [InlineData("[192.0.2.8]", 3)]
    [InlineData("192.0.2.7", 2)]
    public async Task What_the_client_calls_itself_only_weighs(string hello, double weight)
    {
        zone.Add("mail.example.org", "2001:db8::1").Add("mx-only.example.org", new CbaMail.Dns.MxRecord(1, "mx.example.org"));
        Assert.Equal(weight, (await MeetAsync(new InboundSettings { Weights = new WeightSettings { NoReverseName = 0 } }, hello: hello)).Sum);
    }

    [Fact]
    public async Task All_that_is_not_a_list_together_refuses_nobody()
    {
        var standing = await MeetAsync(new InboundSettings(), hello: "[192.0.2.8]");
        Assert.Equal(5, standing.Sum);
        Assert.True(new InboundSettings().RefuseAt > standing.Sum + new WeightSettings().HelloUnknown);
    }

    [Fact]
    public async Task A_client_that_is_allowed_is_not_looked_up_and_one_may_be_allowed_by_its_name()
    {
        zone.AddHost("scanner.ours.example", "192.0.2.7").Add("7.2.0.192.bl.test", "127.0.0.2");
        var inbound = List() with { Allow = ["*.ours.example"] };
        Assert.True((await MeetAsync(inbound)).IsAllowed);

        var lookups = Lookups(inbound);
        var allowed = new Standing("1", IPAddress.Parse("192.0.2.9"), time.GetTimestamp()) { IsAllowed = true };
        lookups.Begin(allowed);
        await lookups.SettleAsync(allowed);
        Assert.Empty(allowed.Findings);
        Assert.DoesNotContain("9.2.0.192.bl.test", zone.Asked);
    }
}
