using System.Net;
using CbaMail.MailAuth.Spf;
using Xunit;

namespace CbaMail.Tests.Formats.MailAuth.Spf;

/// <summary>RFC 7208 7: macros, with its own examples (7.4).</summary>
public class MacroStringTests
{
    private static MacroValues Values(string client = "192.0.2.3") =>
        new("strong-bad", "email.example.com", "mail.example.org", new SpfAddress(IPAddress.Parse(client)), "mx.here.example", 1_700_000_000);

    private static string? Expand(string text, MacroValues? values = null, bool explanation = true) =>
        MacroString.Parse(text, explanation)?.Expand(values ?? Values());

    [Theory]
    [InlineData("%{s}", "strong-bad@email.example.com")]
    [InlineData("%{o}", "email.example.com")]
    [InlineData("%{d}", "email.example.com")]
    [InlineData("%{d4}", "email.example.com")]
    [InlineData("%{d3}", "email.example.com")]
    [InlineData("%{d2}", "example.com")]
    [InlineData("%{d1}", "com")]
    [InlineData("%{dr}", "com.example.email")]
    [InlineData("%{d2r}", "example.email")]
    [InlineData("%{l}", "strong-bad")]
    [InlineData("%{l-}", "strong.bad")]
    [InlineData("%{lr}", "strong-bad")]
    [InlineData("%{lr-}", "bad.strong")]
    [InlineData("%{l1r-}", "strong")]
    [InlineData("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com")]
    [InlineData("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com")]
    [InlineData("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com")]
    [InlineData("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com")]
    [InlineData("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net")]
    public void The_examples_of_the_rfc(string text, string expanded) => Assert.Equal(expanded, Expand(text, explanation: false));

    [Theory]
    [InlineData("%{h} %{r} %{t} %{c} %{p}", "mail.example.org mx.here.example 1700000000 192.0.2.3 unknown")]
    [InlineData("%%%_%-", "% %20")]
    [InlineData("%{D2R}", "example.email")]
    [InlineData("%{l-}%{L-}%{l+,/_=-}", "strong.badstrong.badstrong.bad")]
    [InlineData("%{s@}", null)]
    [InlineData("%{S}", "strong-bad%40email.example.com")]
    [InlineData("%{d127}%{d00002}", "email.example.comexample.com")]
    [InlineData("plain text, (as it is).", "plain text, (as it is).")]
    [InlineData("", "")]
    [InlineData("line\r\nbreak", null)]
    [InlineData("ünicode", null)]
    public void The_rest_of_the_language(string text, string? expanded) => Assert.Equal(expanded, Expand(text));

    [Fact]
    public void An_ipv6_address_is_nibbles_for_names_and_colons_for_people()
    {
        var values = Values("2001:db8::cb01");
        Assert.Equal("1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com", Expand("%{ir}.%{v}._spf.%{d2}", values), ignoreCase: true);
        Assert.Equal("2001:db8::cb01", Expand("%{c}", values));
        Assert.Equal("192.0.2.3 in-addr", Expand("%{c} %{v}", Values("::ffff:192.0.2.3")));
    }

    [Fact]
    public void Empty_parts_are_parts() => Assert.Equal(".a c.b..a ..", Expand("%{l2r-} %{lr-} %{o-}", Values() with { LocalPart = "a--b-c", SenderDomain = ".." }));

    [Fact]
    public void What_is_not_unreserved_is_escaped_in_upper_case_macros() =>
        Assert.Equal("~jack%26jill%3Dup-a_b3.c", Expand("%{L}", Values() with { LocalPart = "~jack&jill=up-a_b3.c" }));

    [Fact]
    public void A_local_part_beyond_ascii_expands_to_nothing()
    {
        var values = Values() with { LocalPart = "žluťoučký" };
        Assert.Null(Expand("%{l}.x.com", values));
        Assert.Null(Expand("%{S}.x.com", values));
        Assert.Equal("email.example.com", Expand("%{d}", values));
    }

    [Fact]
    public void What_would_grow_without_bound_is_nothing() =>
        Assert.Null(Expand(string.Concat(Enumerable.Repeat("%{s}", 1000))));
}
