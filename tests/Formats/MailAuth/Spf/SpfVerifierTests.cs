using System.Diagnostics;
using System.Net;
using CbaMail.Dns;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Spf;
using Xunit;

namespace CbaMail.Tests.Formats.MailAuth.Spf;

/// <summary>check_host() of RFC 7208 4 to 6. The openspf suite runs through <c>cbamail check mailauth</c>; here stands what it leaves out.</summary>
public class SpfVerifierTests
{
    private const string Client = "192.0.2.1";

    private static async Task<SpfResult> Check(FixedZone zone, string ip = Client, string from = "user@example.com", string helo = "mail.example.com") =>
        await SpfVerifier.CheckAsync(new SpfQuery(IPAddress.Parse(ip), helo, from) { DefaultExplanation = "no", Receiver = "mx.here.example", Now = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000) },
            zone, TestContext.Current.CancellationToken);

    private static async Task<string> Word(FixedZone zone, string ip = Client, string from = "user@example.com") => (await Check(zone, ip, from)).Result.Word();

    private static FixedZone Zone(string record) => new FixedZone().Txt("example.com", record).A("host.example.com", Client, "2001:db8::1");

    [Theory]
    [InlineData("+all", "pass")]
    [InlineData("-all", "fail")]
    [InlineData("~all", "softfail")]
    [InlineData("?all", "neutral")]
    [InlineData("", "neutral")]
    [InlineData("ip4:192.0.2.0/24 -all", "pass")]
    [InlineData("-ip4:192.0.2.0/24 all", "fail")]
    [InlineData("ip4:192.0.2.2/31 -all", "fail")]
    [InlineData("ip6:::/0 -all", "fail")]
    [InlineData("a:host.example.com ~all", "pass")]
    [InlineData("a:host.example.com//64 -all", "pass")]
    [InlineData("exists:host.example.com -all", "pass")]
    [InlineData("exists:gone.example.com -all", "fail")]
    [InlineData("-all redirect=nowhere.example.org", "fail")]
    [InlineData("redirect=nowhere.example.org", "permerror")]
    [InlineData("redirect=nowhere.example.org ?all", "neutral")]
    [InlineData("include:nowhere.example.org all", "permerror")]
    [InlineData("a:-.example.com. all typo", "permerror")]
    public async Task Mechanisms_decide_from_left_to_right(string terms, string word) => Assert.Equal(word, await Word(Zone("v=spf1 " + terms)));

    [Theory]
    [InlineData("user@[192.0.2.1]")]
    [InlineData("user@localhost")]
    [InlineData("user@192.0.2.1")]
    [InlineData("user@a..example.com")]
    [InlineData("user@.example.com")]
    [InlineData("user@exa mple.com")]
    [InlineData("user@a23456789012345678901234567890123456789012345678901234567890123x.example.com")]
    [InlineData("user@")]
    [InlineData("postmaster")]
    [InlineData("user@nowhere.example.org")]
    public async Task What_is_no_domain_or_does_not_exist_is_none(string from)
    {
        var zone = Zone("v=spf1 -all");
        Assert.Equal("none", await Word(zone, from: from));
        Assert.True(zone.Asked.Count == 0 || from.Contains("nowhere"));
    }

    [Fact]
    public async Task Without_a_reverse_path_the_host_is_asked_for_as_its_postmaster()
    {
        var zone = new FixedZone().Txt("mail.example.com", "v=spf1 exists:%{l}.%{o}.%{h}.x.org -all").A("postmaster.mail.example.com.mail.example.com.x.org", "127.0.0.2");
        var result = await Check(zone, from: "");
        Assert.Equal((AuthResult.Pass, SpfIdentity.Helo, "mail.example.com"), (result.Result, result.Identity, result.Domain));
    }

    [Theory]
    [InlineData("@example.com")]
    [InlineData("example.com")]
    public async Task Without_a_local_part_it_is_postmaster(string from) =>
        Assert.Equal("pass", await Word(Zone("v=spf1 exists:%{l}.x.org -all").A("postmaster.x.org", "127.0.0.2"), from: from));

    [Fact]
    public async Task The_domain_stands_behind_the_last_at() =>
        Assert.Equal("pass", await Word(Zone("v=spf1 exists:%{o}.x.org -all").A("example.com.x.org", "127.0.0.2"), from: "\"a@b\"@example.com."));

    [Fact]
    public async Task Internationalized_domains_are_asked_for_as_a_labels()
    {
        var result = await Check(new FixedZone().Txt("xn--bcher-kva.example", "v=spf1 exists:%{o}.x.org -all").A("xn--bcher-kva.example.x.org", "127.0.0.2"), from: "user@Bücher.example");
        Assert.Equal((AuthResult.Pass, "xn--bcher-kva.example"), (result.Result, result.Domain));
    }

    [Theory]
    [InlineData("exists:%{l}.x.org ~all")]
    [InlineData("include:%{l}.x.org ~all")]
    [InlineData("a:%{S}.x.org ~all")]
    public async Task Terms_with_a_local_part_beyond_ascii_match_nothing(string terms) => Assert.Equal("softfail", await Word(Zone("v=spf1 " + terms), from: "žluťoučký@example.com"));

    [Fact]
    public async Task A_mapped_address_is_ipv4() => Assert.Equal("pass", await Word(Zone("v=spf1 -ip6:::/0 ip4:192.0.2.1 a:host.example.com -all"), "::ffff:192.0.2.1"));

    [Fact]
    public async Task Of_ten_terms_that_ask_dns_none_may_be_more()
    {
        static string Terms(int count) => "v=spf1 " + string.Concat(Enumerable.Range(0, count).Select(i => $"a:h{i}.example.com "));
        var zone = new FixedZone();
        for (var i = 0; i < 11; i++) zone.A($"h{i}.example.com", "203.0.113.1");
        zone.Txt("ten.org", Terms(10) + "ip4:192.0.2.1 -all").Txt("eleven.org", Terms(11) + "ip4:192.0.2.1 -all")
            .Txt("nine.org", Terms(9) + "-all").Txt("over.org", "v=spf1 include:nine.org a:h1.example.com +all").Txt("at.org", "v=spf1 include:nine.org +all")
            .Txt("chain.org", Terms(5) + "redirect=four.org").Txt("four.org", Terms(4) + "+all").Txt("long.org", Terms(6) + "redirect=four.org");
        Assert.Equal("pass", await Word(zone, from: "a@ten.org"));
        Assert.Equal("permerror", await Word(zone, from: "a@eleven.org"));
        Assert.Equal("pass", await Word(zone, from: "a@at.org"));
        Assert.Equal("permerror", await Word(zone, from: "a@over.org"));
        Assert.Equal("pass", await Word(zone, from: "a@chain.org"));
        Assert.Equal("permerror", await Word(zone, from: "a@long.org"));
        Assert.Equal("the record needs more than 10 terms that ask DNS", (await Check(zone, from: "a@long.org")).Problem);
    }

    [Fact]
    public async Task Loops_end_at_the_limit()
    {
        var zone = new FixedZone().Txt("a.org", "v=spf1 include:b.org -all").Txt("b.org", "v=spf1 redirect=a.org");
        Assert.Equal("permerror", await Word(zone, from: "x@a.org"));
        Assert.Equal(11, zone.Asked.Count);
    }

    [Theory]
    [InlineData("a:v1.org a:v2.org -all", "fail")]
    [InlineData("a:v1.org a:v2.org mx:v3.org -all", "permerror")]
    [InlineData("exists:v1.org mx:v2.org ptr ip4:192.0.2.1", "permerror")]
    [InlineData("a:v1.org a:v1.org a:v1.org ip4:192.0.2.1", "permerror")]
    [InlineData("mx:dead.org -all", "fail")]
    public async Task Two_terms_may_find_nothing(string terms, string word)
    {
        var zone = new FixedZone().Txt("example.com", "v=spf1 " + terms).Empty("v2.org").Mx("dead.org", "d1.org", "d2.org", "d3.org", "d4.org");
        Assert.Equal(word, await Word(zone));
    }

    [Fact]
    public async Task Hosts_with_ipv4_alone_do_not_make_a_client_with_ipv6_fail()
    {
        // what administrators reported of several checkers: a record in order for IPv4 was permerror for IPv6
        var zone = new FixedZone().Txt("example.com", "v=spf1 a:h.org mx:h.org a:h.org a:h.org ip6:2001:db8::/32 -all").A("h.org", "203.0.113.1").Mx("h.org", "h.org", "i.org").A("i.org", "203.0.113.2");
        Assert.Equal("pass", await Word(zone, "2001:db8::25"));
    }

    [Theory]
    [InlineData(10, "pass")]
    [InlineData(11, "permerror")]
    public async Task Ten_mx_hosts_are_asked_for(int count, string word)
    {
        var zone = Zone("v=spf1 mx -all");
        for (var i = 1; i < count; i++) zone.Mx("example.com", $"m{i}.example.com").A($"m{i}.example.com", "203.0.113.1");
        Assert.Equal(word, await Word(zone.Mx("example.com", "host.example.com")));
    }

    [Fact]
    public async Task A_null_mx_and_no_mx_match_nothing()
    {
        Assert.Equal("fail", await Word(Zone("v=spf1 mx -all").Mx("example.com", ".")));
        Assert.Equal("fail", await Word(Zone("v=spf1 mx -all").A("example.com", Client)));
    }

    [Theory]
    [InlineData(10, "pass")]
    [InlineData(11, "fail")]
    public async Task Further_names_of_a_client_are_ignored(int count, string word)
    {
        var zone = Zone("v=spf1 ptr -all");
        for (var i = 1; i < count; i++) zone.Ptr(Client, $"p{i}.example.com");
        Assert.Equal(word, await Word(zone.Ptr(Client, "host.example.com")));
    }

    [Fact]
    public async Task Ptr_asks_only_for_names_within_the_domain_and_passes_over_errors()
    {
        var zone = Zone("v=spf1 ptr -all").Ptr(Client, "host.bad-example.com", "slow.example.com", "HOST.Example.Com").Timeout("slow.example.com");
        Assert.Equal("pass", await Word(zone));
        Assert.DoesNotContain("A host.bad-example.com", zone.Asked);
        Assert.Equal("fail", await Word(Zone("v=spf1 ptr -all").Timeout("1.2.0.192.in-addr.arpa")));
    }

    [Theory]
    [InlineData("a:slow.org")]
    [InlineData("mx:slow.org")]
    [InlineData("mx:m.org")]
    [InlineData("exists:slow.org")]
    [InlineData("include:slow.org")]
    [InlineData("redirect=slow.org")]
    public async Task A_failure_of_dns_is_temperror(string term)
    {
        var result = await Check(new FixedZone().Txt("example.com", $"v=spf1 {term}").Timeout("slow.org").Mx("m.org", "slow.org"));
        Assert.Equal((AuthResult.TempError, "DNS does not answer for slow.org"), (result.Result, result.Problem));
    }

    [Fact]
    public async Task An_evaluation_that_takes_too_long_is_temperror()
    {
        using var over = new CancellationTokenSource();
        await over.CancelAsync();
        var result = await SpfVerifier.CheckAsync(new SpfQuery(IPAddress.Loopback, "a.b", "x@example.com"), Zone("v=spf1 all"), over.Token);
        Assert.Equal(AuthResult.TempError, result.Result);
    }

    [Fact]
    public async Task A_name_that_grew_too_long_loses_labels_on_its_left()
    {
        var label = new string('a', 50);
        var zone = new FixedZone().Txt("example.com", $"v=spf1 exists:drop.{label}.%{{l}}.%{{l}}.%{{l}}.{label}.org -all").A($"{label}.{label}.{label}.{label}.org", "127.0.0.2");
        Assert.Equal("pass", await Word(zone, from: label + "@example.com"));
    }

    [Fact]
    public async Task A_backslash_is_no_escape_of_dns()
    {
        var zone = Zone("v=spf1 exists:%{l}.x.org -all");
        Assert.Equal("fail", await Word(zone, from: "a\\.b@example.com"));
        Assert.Equal("A a\\\\.b.x.org", zone.Asked[1]);
    }

    [Theory]
    [InlineData("-all", null, "no", false)]
    [InlineData("-all exp=e.org", "Not from %{i}, says %{r} at %{t}.", "Not from 192.0.2.1, says mx.here.example at 1700000000.", true)]
    [InlineData("-all exp=%{o}.e.org", "x", "no", false)]
    [InlineData("exp=e.org -all", "%{d} %{o} %{l}", "example.com example.com user", true)]
    [InlineData("exp=e.org include:deny.org -all", "mine", "mine", true)]
    [InlineData("exp=e.org redirect=deny.org", "mine", "deny.org explains", true)]
    [InlineData("exp=e.org -include:allow.org", "mine", "mine", true)]
    [InlineData("exp=e.org -all", "tab\there", "no", false)]
    [InlineData("exp=e.org -all", "", "no", false)]
    [InlineData("exp=e.org -all", "%{x}", "no", false)]
    [InlineData("exp=e.org -all", "ünicode", "no", false)]
    public async Task A_fail_explains_itself(string terms, string? text, string explanation, bool theirs)
    {
        var zone = Zone("v=spf1 " + terms).Txt("deny.org", "v=spf1 -all exp=d.org").Txt("d.org", "%{d} explains").Txt("allow.org", "v=spf1 all exp=d.org");
        if (text is not null) zone.Txt("e.org", text);
        var result = await Check(zone);
        Assert.Equal((AuthResult.Fail, explanation, theirs), (result.Result, result.Explanation, result.ExplainedByDomain));
    }

    [Fact]
    public async Task Only_a_fail_explains_and_asks_for_the_text()
    {
        var zone = Zone("v=spf1 exp=e.org ~all").Txt("e.org", "text");
        Assert.Equal("", (await Check(zone)).Explanation);
        Assert.Equal(["TXT example.com"], zone.Asked);
    }

    [Theory]
    [InlineData("ip4:203.0.113.1 include:inner.org -all", "include:inner.org")]
    [InlineData("-all", "all")]
    [InlineData("redirect=inner.org", "ip4:192.0.2.0/24")]
    [InlineData("ip4:203.0.113.1", null)]
    public async Task It_says_what_matched(string terms, string? mechanism) =>
        Assert.Equal(mechanism, (await Check(Zone("v=spf1 " + terms).Txt("inner.org", "v=spf1 ip4:192.0.2.0/24 -all"))).Mechanism);

    [Fact]
    public async Task No_record_makes_it_throw_or_ask_without_end()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        string[] parts = ["a", "mx", "ptr", "include", "exists", "ip4", "ip6", "all", "redirect", "exp", ":", "=", "/", "//", "%{", "}", "d", "l", "i", "r", "p", "2", "24", "33", ".", "example.com", "b.org", "1.2.3.4", "::1", "+", "-", "~", "?", " ", " ", "%%", "%_", "ü", "\0", "\\"];
        for (var i = 0; i < 20_000; i++)
        {
            string Any() => "v=spf1 " + string.Concat(Enumerable.Range(0, random.Next(25)).Select(_ => parts[random.Next(parts.Length)]));
            var zone = new FixedZone().Txt("example.com", Any()).Txt("b.org", Any()).A("b.org", "192.0.2.1").Mx("b.org", "b.org", "example.com").Ptr(Client, "b.org");
            var from = new string([.. Enumerable.Range(0, random.Next(80)).Select(_ => "ab.\\-é\"@ \r%"[random.Next(11)])]) + "@example.com";
            var result = await Check(zone, random.Next(2) == 0 ? Client : "2001:db8::5", from);
            Assert.True(zone.Asked.Count <= 50, $"seed {seed}: {zone.Asked.Count} look-ups");
            Assert.All(zone.Asked, asked => Assert.True(DnsName.TryEncode(asked.AsSpan(asked.IndexOf(' ') + 1), out _), $"seed {seed}: {asked}"));
            Assert.DoesNotContain(result.Explanation, c => c is < ' ' or > '~');
            Assert.Equal(result.Result is AuthResult.PermError or AuthResult.TempError, result.Problem is { Length: > 0 });
        }
    }

    [Fact]
    public async Task An_answer_out_of_the_cache_costs_little()
    {
        var zone = new FixedZone().Txt("example.com", "v=spf1 include:_spf.example.org ~all").Txt("_spf.example.org", "v=spf1 include:_n1.example.org include:_n2.example.org ~all")
            .Txt("_n1.example.org", "v=spf1 ip4:35.190.247.0/24 ip4:64.233.160.0/19 ip4:66.102.0.0/20 ip4:66.249.80.0/20 ip4:72.14.192.0/18 ip4:74.125.0.0/16 ip4:108.177.8.0/21 ~all")
            .Txt("_n2.example.org", "v=spf1 ip6:2001:4860:4000::/36 ip6:2404:6800:4000::/36 ip4:192.0.2.0/24 ~all");
        for (var i = 0; i < 2000; i++) await Check(zone);
        var best = long.MaxValue;
        for (var i = 0; i < 20; i++)
        {
            var start = Stopwatch.GetTimestamp();
            for (var j = 0; j < 100; j++) await Check(zone);
            best = Math.Min(best, Stopwatch.GetTimestamp() - start);
        }
        var micros = best * 1e6 / Stopwatch.Frequency / 100;
        TestContext.Current.TestOutputHelper?.WriteLine($"{micros:f1} µs");
        Assert.True(micros < 200, $"{micros:f1} µs a check");
    }
}
