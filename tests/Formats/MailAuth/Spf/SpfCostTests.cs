using CbaMail.MailAuth;
using CbaMail.MailAuth.Spf;
using Xunit;

namespace CbaMail.Tests.Formats.MailAuth.Spf;

/// <summary>What a whole SPF record costs (RFC 7208 4.6.4).</summary>
public class SpfCostTests
{
    static async Task<SpfCost> MeasureAsync(string text, FixedZone? zone = null) =>
        (await SpfCost.MeasureAsync(text, "example.test", zone ?? new FixedZone(), TestContext.Current.CancellationToken))!;

    [Fact]
    public async Task Terms_that_ask_count_those_of_included_records_too()
    {
        var zone = new FixedZone().A("example.test", "192.0.2.1").Mx("example.test", "example.test").Txt("a.test", "v=spf1 a:b.test redirect=c.test").Txt("c.test", "v=spf1 ip4:192.0.2.0/24 ~all").A("b.test", "192.0.2.2");
        var cost = await MeasureAsync("v=spf1 ip4:192.0.2.7 a mx/24 include:a.test exists:%{i}.test -all", zone);
        Assert.Equal((6, AuthResult.Fail, false), (cost.Lookups, cost.All, cost.UsesPtr));
        Assert.Empty(cost.Missing);
    }

    [Fact]
    public async Task What_is_missing_is_named_and_what_stands_behind_all_is_not_read()
    {
        var cost = await MeasureAsync("v=spf1 include:gone.test ptr ?all a:never.test");
        Assert.Equal((2, AuthResult.Neutral, true), (cost.Lookups, cost.All, cost.UsesPtr));
        Assert.Equal(["gone.test"], cost.Missing);
    }

    [Fact]
    public async Task The_end_may_stand_where_it_redirects_to_and_circles_end()
    {
        Assert.Equal(AuthResult.SoftFail, (await MeasureAsync("v=spf1 redirect=c.test", new FixedZone().Txt("c.test", "v=spf1 ~all"))).All);
        Assert.Null((await MeasureAsync("v=spf1 ip4:192.0.2.1")).All);
        Assert.InRange((await MeasureAsync("v=spf1 include:a.test include:a.test", new FixedZone().Txt("a.test", "v=spf1 include:a.test include:a.test include:example.test -all"))).Lookups, 11, SpfCost.Most);
    }
}
