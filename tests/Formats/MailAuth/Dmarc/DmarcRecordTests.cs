using CbaMail.MailAuth.Dmarc;
using Xunit;

namespace CbaMail.Tests.Formats.MailAuth.Dmarc;

/// <summary>Records of DMARC (RFC 7489 6.3, 6.4).</summary>
public class DmarcRecordTests
{
    private static DmarcRecord Read(string text) => DmarcRecord.Parse(text, out var problem) ?? throw new InvalidOperationException(problem);

    [Theory]
    [InlineData("v=DMARC1", true)]
    [InlineData("v=DMARC1;p=none", true)]
    [InlineData("v = DMARC1 ; p=none", true)]
    [InlineData("V=DMARC1; p=none", true)]
    [InlineData("v=dmarc1; p=none", false)]
    [InlineData("v=DMARC2; p=none", false)]
    [InlineData("v=DMARC10; p=none", false)]
    [InlineData("v=DMARC1 p=none", false)]
    [InlineData(" v=DMARC1; p=none", false)]
    [InlineData(";v=DMARC1; p=none", false)]
    [InlineData("p=none; v=DMARC1", false)]
    [InlineData("v=spf1 -all", false)]
    [InlineData("", false)]
    public void The_version_is_first_and_exact(string text, bool isDmarc) => Assert.Equal(isDmarc, DmarcRecord.IsDmarc(text));

    [Fact]
    public void Tags_that_are_missing_have_defaults()
    {
        var record = Read("v=DMARC1; p=reject");
        Assert.Equal(DmarcPolicy.Reject, record.Policy);
        Assert.Null(record.SubdomainPolicy);
        Assert.False(record.StrictDkim || record.StrictSpf || record.PolicyIsAssumed);
        Assert.Equal((100, 86400u, DmarcFailureOptions.AllFailed), (record.Percent, record.Interval, record.FailureOptions));
        Assert.Equal(["afrf"], record.FailureFormats);
        Assert.Empty(record.AggregateUris);
        Assert.Empty(record.FailureUris);
    }

    [Fact]
    public void All_tags_are_read_in_any_order_and_case()
    {
        var record = Read("v=DMARC1;rf=afrf:iodef;PCT=25;fo= 1 : d:x ; ri=3600;aspf=S;adkim = s;sp=NONE;np=reject;psd=n;t=y;p=Quarantine;rua=mailto:a@example.com,mailto:b@example.net!10m;ruf=mailto:c@example.com;");
        Assert.Equal((DmarcPolicy.Quarantine, DmarcPolicy.None, DmarcPolicy.Reject), (record.Policy, record.SubdomainPolicy, record.NonexistentPolicy));
        Assert.True(record.StrictDkim && record.StrictSpf);
        Assert.Equal((25, 3600u, DmarcFailureOptions.AnyFailed | DmarcFailureOptions.Dkim), (record.Percent, record.Interval, record.FailureOptions));
        Assert.Equal(["afrf", "iodef"], record.FailureFormats);
        Assert.Equal([("a@example.com", null), ("b@example.net", 10ul << 20)], record.AggregateUris.Select(u => (u.Address, u.MaxBytes)));
        Assert.Equal("c@example.com", Assert.Single(record.FailureUris).Address);
    }

    [Theory]
    [InlineData("pct=101")]
    [InlineData("pct=-1")]
    [InlineData("pct=half")]
    [InlineData("pct=")]
    [InlineData("ri=99999999999")]
    [InlineData("adkim=x; aspf=strict")]
    [InlineData("fo=z")]
    [InlineData("=;;;novalue; =x")]
    [InlineData("rua=nonsense, http:, mailto:, mailto:nobody, mailto:a@b@@")]
    public void What_is_wrong_beyond_the_policy_counts_as_not_written(string tags)
    {
        var record = Read("v=DMARC1; p=reject; " + tags);
        Assert.Equal(Read("v=DMARC1; p=reject"), record with { Text = "v=DMARC1; p=reject", FailureFormats = Read("v=DMARC1; p=reject").FailureFormats }, RecordComparer);
    }

    private static bool RecordComparer(DmarcRecord a, DmarcRecord b) =>
        (a.Policy, a.Percent, a.Interval, a.FailureOptions, a.StrictDkim, a.StrictSpf, a.AggregateUris.Count) == (b.Policy, b.Percent, b.Interval, b.FailureOptions, b.StrictDkim, b.StrictSpf, b.AggregateUris.Count);

    [Theory]
    [InlineData("v=DMARC1")]
    [InlineData("v=DMARC1; p=")]
    [InlineData("v=DMARC1; p=ignore")]
    [InlineData("v=DMARC1; sp=reject")]
    [InlineData("v=DMARC1; p=reject; sp=maybe")]
    public void Without_a_policy_it_is_none_if_reports_are_wanted_and_else_nothing(string text)
    {
        Assert.Null(DmarcRecord.Parse(text, out var problem));
        Assert.NotEmpty(problem);
        Assert.Null(DmarcRecord.Parse(text + "; rua=not-a-uri", out _));
        var record = Read(text + "; rua=mailto:a@example.com");
        Assert.Equal((DmarcPolicy.None, null, true), (record.Policy, record.SubdomainPolicy, record.PolicyIsAssumed));
    }

    [Theory]
    [InlineData("mailto:reports@example.com!50m", "reports@example.com", 50ul << 20)]
    [InlineData("mailto:reports@example.com!10", "reports@example.com", 10ul)]
    [InlineData("MAILTO:Reports@EXAMPLE.com!2K", "Reports@example.com", 2048ul)]
    [InlineData("mailto:a@example.com!1g", "a@example.com", 1ul << 30)]
    [InlineData("mailto:a@example.com!99999999t", "a@example.com", ulong.MaxValue)]
    [InlineData("mailto:a%2Cb%21@example.com?subject=x", null, null)]
    [InlineData("mailto:a%21b@example.com?subject=x", "a!b@example.com", null)]
    [InlineData("mailto:a@bücher.example", null, null)]
    [InlineData("mailto:a@b%C3%BCcher.example", "a@xn--bcher-kva.example", null)]
    [InlineData("mailto:a@example.com!", null, null)]
    [InlineData("mailto:a@example.com!10x", null, null)]
    [InlineData("mailto:a@example.com!10m!20m", null, null)]
    [InlineData("mailto:a@localhost", null, null)]
    [InlineData("mailto:@example.com", null, null)]
    [InlineData("mailto:a%0D%0ABcc:b@example.com", null, null)]
    public void Destinations_may_have_limits(string text, string? address, ulong? limit)
    {
        var uris = DmarcUri.ParseList(text);
        if (address is null) Assert.Empty(uris);
        else Assert.Equal((address, limit), (Assert.Single(uris).Address, uris[0].MaxBytes));
    }

    [Fact]
    public void Other_schemes_are_read_and_not_used()
    {
        var uri = Assert.Single(DmarcUri.ParseList("https://Example.com/reports"));
        Assert.Equal(("https", null, "example.com"), (uri.Scheme, uri.Address, uri.Host));
    }

    [Theory]
    [InlineData(DmarcPolicy.Reject, 25, 24, DmarcPolicy.Reject)]
    [InlineData(DmarcPolicy.Reject, 25, 25, DmarcPolicy.Quarantine)]
    [InlineData(DmarcPolicy.Reject, 0, 0, DmarcPolicy.Quarantine)]
    [InlineData(DmarcPolicy.Quarantine, 25, 99, DmarcPolicy.None)]
    [InlineData(DmarcPolicy.Quarantine, 100, 99, DmarcPolicy.Quarantine)]
    [InlineData(DmarcPolicy.None, 0, 0, DmarcPolicy.None)]
    public void Who_is_not_drawn_gets_the_next_weaker_policy(DmarcPolicy policy, int percent, int random, DmarcPolicy applied) =>
        Assert.Equal(applied, Read($"v=DMARC1; p=none; pct={percent}").Sampled(policy, random));

    [Fact]
    public void No_text_makes_it_throw()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        string[] parts = ["v=DMARC1", ";", "p", "=", "reject", "none", "rua", "mailto:", "a@b.c", "!", "10m", ",", ":", "pct", "99", " ", "\t", "ü", "%", "%2", "\0", "https://[", "sp", "fo", "1:d"];
        for (var i = 0; i < 50_000; i++)
        {
            var text = (random.Next(4) == 0 ? "" : "v=DMARC1;") + string.Concat(Enumerable.Range(0, random.Next(20)).Select(_ => parts[random.Next(parts.Length)]));
            var record = DmarcRecord.Parse(text, out var problem);
            Assert.True(record is null == problem.Length > 0, $"seed {seed}: {text}");
            Assert.All(record?.AggregateUris ?? [], u => Assert.DoesNotContain(u.Address ?? "", c => c is <= ' ' or '\x7f'));
        }
    }
}
