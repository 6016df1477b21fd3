using System.Net;
using CbaMail.MailAuth.Spf;
using Xunit;

namespace CbaMail.Tests.Formats.MailAuth.Spf;

/// <summary>The grammar of RFC 7208 12, term by term.</summary>
public class SpfRecordTests
{
    private static bool IsValid(string terms) => SpfRecord.Parse("v=spf1 " + terms, out _) is not null;

    [Theory]
    [InlineData("v=spf1", true)]
    [InlineData("v=spf1 ", true)]
    [InlineData("V=SPF1 -all", true)]
    [InlineData("v=spf10", false)]
    [InlineData("v=spf1-all", false)]
    [InlineData("v=spf1\t-all", false)]
    [InlineData(" v=spf1", false)]
    [InlineData("v = spf1", false)]
    [InlineData("spf2.0/pra -all", false)]
    [InlineData("", false)]
    public void The_version_is_exactly_that_and_ends_at_a_space_or_the_end(string text, bool is1) => Assert.Equal(is1, SpfRecord.IsSpf(text));

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("+all ")]
    [InlineData("-ALL")]
    [InlineData("~aLL ?All")]
    [InlineData("a")]
    [InlineData("a:example.com")]
    [InlineData("a:example.com.")]
    [InlineData("a:_x.example-1.xn--p1ai")]
    [InlineData("a:foo:bar/baz.example.com")]
    [InlineData("a:x/1.example.com/24//64")]
    [InlineData("a/0//0")]
    [InlineData("a/32//128")]
    [InlineData("A/9")]
    [InlineData("a//33")]
    [InlineData("a:%{d}/24")]
    [InlineData("a:%%")]
    [InlineData("a:x%_")]
    [InlineData("a:.com")]
    [InlineData("a:a..b.com")]
    [InlineData("a:example.1-2")]
    [InlineData("a:example.1a")]
    [InlineData("mx mx:example.com/30 MX//64")]
    [InlineData("ptr ptr:example.com")]
    [InlineData("ip4:0.0.0.0 ip4:255.255.255.255/32 IP4:1.2.3.4/0")]
    [InlineData("ip6::: ip6:::/0 ip6:::1 ip6:1:: ip6:2001:db8::cd30/64 ip6:1:2:3:4:5:6:7:8/128 ip6:::ffff:1.2.3.4 ip6:1:2:3:4:5:6:1.2.3.4 ip6:1:2:3:4:5:6:7:: IP6:ABCD::")]
    [InlineData("include:example.com")]
    [InlineData("exists:%{ir}.%{l1r+-}._spf.%{d}")]
    [InlineData("exists:%{L127R.-+,/_=}.x.com")]
    [InlineData("exists:%{d99999999999999999999}.x.com")]
    [InlineData("redirect=_spf.example.com")]
    [InlineData("REDIRECT=%{d} EXP=exp.%{d}")]
    [InlineData("exp=a.b all")]
    [InlineData("unknown=")]
    [InlineData("x.y-z_9=%{d}:/=! x.y-z_9=again")]
    [InlineData("a=this-is-a-modifier all=too ip4=1.2.3")]
    public void These_are_records(string terms) => Assert.True(IsValid(terms));

    [Theory]
    [InlineData("all:")]
    [InlineData("all.")]
    [InlineData("all/8")]
    [InlineData("+-all")]
    [InlineData("-")]
    [InlineData("- all")]
    [InlineData("\tall")]
    [InlineData("all\r\n")]
    [InlineData("a:")]
    [InlineData("a:com")]
    [InlineData("a:com.")]
    [InlineData("a:example.com..")]
    [InlineData("a:example.-com")]
    [InlineData("a:example.com-")]
    [InlineData("a:example.123")]
    [InlineData("a:1.2.3.4")]
    [InlineData("a:example.com:8080")]
    [InlineData("a:example.com/")]
    [InlineData("a:example.com//")]
    [InlineData("a:example.com///64")]
    [InlineData("a/33")]
    [InlineData("a//129")]
    [InlineData("a/024")]
    [InlineData("a/00")]
    [InlineData("a/24/64")]
    [InlineData("a//64/24")]
    [InlineData("a/4294967328")]
    [InlineData("a24")]
    [InlineData("a:%{x}.com")]
    [InlineData("a:%{d")]
    [InlineData("a:%{}")]
    [InlineData("a:%{d0}.com")]
    [InlineData("a:%{d2rr}.com")]
    [InlineData("a:%{dr2}.com")]
    [InlineData("a:%{d!}.com")]
    [InlineData("a:%(d).com")]
    [InlineData("a:100%.com")]
    [InlineData("a:x.com%")]
    [InlineData("a:%{d}com")]
    [InlineData("a:exämple.com")]
    [InlineData("exists:%{c}.example.com")]
    [InlineData("include:%{r}.example.com")]
    [InlineData("exp=%{t}.example.com")]
    [InlineData("mx:")]
    [InlineData("ptr/24")]
    [InlineData("ptr:")]
    [InlineData("exists")]
    [InlineData("exists:")]
    [InlineData("exists:a.com/24")]
    [InlineData("include")]
    [InlineData("include:")]
    [InlineData("include:a.com/24")]
    [InlineData("include=a.com include")]
    [InlineData("ip4")]
    [InlineData("ip4:")]
    [InlineData("ip4:1.2.3")]
    [InlineData("ip4:1.2.3.")]
    [InlineData("ip4:1.2.3.4.5")]
    [InlineData("ip4:1.2.3.256")]
    [InlineData("ip4:1.2.3.04")]
    [InlineData("ip4:1.2.3.4:25")]
    [InlineData("ip4:1.2.3.4/33")]
    [InlineData("ip4:1.2.3.4/032")]
    [InlineData("ip4:1.2.3.4//32")]
    [InlineData("ip4:1.2.3.4/")]
    [InlineData("ip4/24")]
    [InlineData("ip4:::1")]
    [InlineData("ip6")]
    [InlineData("ip6::")]
    [InlineData("ip6:1.2.3.4")]
    [InlineData("ip6::CAFE::BABE")]
    [InlineData("ip6:1::2::3")]
    [InlineData("ip6::::")]
    [InlineData("ip6:12345::")]
    [InlineData("ip6:g::")]
    [InlineData("ip6:1:2:3:4:5:6:7")]
    [InlineData("ip6:1:2:3:4:5:6:7:8:9")]
    [InlineData("ip6:1:2:3:4::5:6:7:8")]
    [InlineData("ip6:1:2:3:4:5:6:7:1.2.3.4")]
    [InlineData("ip6:1.2.3.4::")]
    [InlineData("ip6:::1.2.3.04")]
    [InlineData("ip6:::1%eth0")]
    [InlineData("ip6:[::1]")]
    [InlineData("ip6:::1/129")]
    [InlineData("ip6:::1//64")]
    [InlineData("redirect:a.com")]
    [InlineData("redirect=")]
    [InlineData("redirect=-all")]
    [InlineData("redirect=a.com redirect=a.com")]
    [InlineData("-redirect=a.com")]
    [InlineData("exp=")]
    [InlineData("exp=a.com EXP=b.com")]
    [InlineData("1up=foo")]
    [InlineData("=all")]
    [InlineData("x/y=z")]
    [InlineData("unknown=%abc")]
    [InlineData("moo")]
    [InlineData("\uFEFFall")]
    public void These_are_syntax_errors_wherever_they_stand(string terms)
    {
        Assert.False(IsValid(terms));
        Assert.False(IsValid("ip4:192.0.2.1 -all " + terms));
    }

    [Fact]
    public void What_is_wrong_is_said()
    {
        Assert.Null(SpfRecord.Parse("v=spf1 a mx:nothing\u0007 -all", out var problem));
        Assert.Equal("\"mx:nothing?\" is no term of SPF", problem);
        Assert.Null(SpfRecord.Parse("v=spf1 redirect=a.b redirect=c.d", out problem));
        Assert.Equal("redirect= stands twice", problem);
    }

    [Fact]
    public void Addresses_of_ip6_are_those_that_the_framework_reads_too()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var i = 0; i < 20_000; i++)
        {
            var text = new string([.. Enumerable.Range(0, random.Next(1, 22)).Select(_ => "0123a:::..ff"[random.Next(12)])]);
            if (SpfAddress.ParseV6(text) is { } read)
                Assert.True(IPAddress.TryParse(text, out var theirs) && read.Equals(theirs), $"seed {seed}: {text}");
            var bytes = new byte[16];
            random.NextBytes(bytes);
            if (random.Next(2) == 0) bytes.AsSpan(random.Next(16)).Clear();
            var address = new IPAddress(bytes);
            Assert.True(address.Equals(SpfAddress.ParseV6(address.ToString())), $"seed {seed}: {address}");
        }
    }
}
