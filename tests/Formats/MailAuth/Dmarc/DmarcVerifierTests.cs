using System.Text;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Dmarc;
using Xunit;

namespace CbaMail.Tests.Formats.MailAuth.Dmarc;

/// <summary>Discovery, alignment and results (RFC 7489 3.1, 6.6, B.1).</summary>
public class DmarcVerifierTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static async Task<DmarcResult> Check(FixedZone zone, string from, DmarcIdentity? spf = null, params DmarcIdentity[] dkim) =>
        await DmarcVerifier.CheckAsync(from, spf, dkim, zone, PublicSuffixList.Shipped, Cancel);

    private static DmarcIdentity Pass(string domain) => new(AuthResult.Pass, domain);

    [Theory]
    // RFC 7489 B.1.1
    [InlineData("example.com", "example.com", null, "r", "pass")]
    [InlineData("example.com", "child.example.com", null, "r", "pass")]
    [InlineData("example.com", "child.example.com", null, "s", "fail")]
    [InlineData("child.example.com", "example.net", null, "r", "fail")]
    // RFC 7489 B.1.2
    [InlineData("example.com", null, "example.com", "r", "pass")]
    [InlineData("child.example.com", null, "example.com", "r", "pass")]
    [InlineData("child.example.com", null, "example.com", "s", "fail")]
    [InlineData("child.example.com", null, "sample.net", "r", "fail")]
    // names
    [InlineData("Example.COM", "eXample.com", null, "s", "pass")]
    [InlineData("example.com", "notexample.com", null, "r", "fail")]
    [InlineData("example.com", "com", null, "r", "fail")]
    [InlineData("a.example.co.uk", "b.example.co.uk", null, "r", "pass")]
    [InlineData("a.co.uk", "b.co.uk", null, "r", "fail")]
    [InlineData("one.github.io", "two.github.io", null, "r", "fail")]
    [InlineData("пример.xn--p1ai", "xn--e1afmkfd.xn--p1ai", null, "s", "pass")]
    [InlineData("example.com", null, null, "r", "fail")]
    public async Task A_domain_that_is_proven_must_be_aligned(string from, string? spf, string? dkim, string mode, string word)
    {
        var record = $"v=DMARC1; p=reject; adkim={mode}; aspf={mode}";
        var zone = new FixedZone();
        foreach (var domain in (string[])["example.com", "example.co.uk", "a.co.uk", "one.github.io", "xn--e1afmkfd.xn--p1ai"]) zone.Txt("_dmarc." + domain, record);
        var result = await Check(zone, from, spf is null ? null : Pass(spf), dkim is null ? [] : [Pass(dkim)]);
        Assert.Equal(word, result.Result.Word());
        Assert.Equal(DmarcPolicy.Reject, result.Policy);
    }

    [Fact]
    public async Task One_signature_of_several_is_enough_and_nothing_but_pass_counts()
    {
        var zone = new FixedZone().Txt("_dmarc.example.com", "v=DMARC1; p=quarantine");
        var result = await Check(zone, "example.com", new(AuthResult.SoftFail, "example.com"), new(AuthResult.Fail, "example.com"), Pass("other.org"), Pass("mail.example.com"));
        Assert.Equal((AuthResult.Pass, false, true), (result.Result, result.SpfAligned, result.DkimAligned));
        foreach (var other in Enum.GetValues<AuthResult>().Except([AuthResult.Pass, AuthResult.TempError]))
            Assert.Equal(AuthResult.Fail, (await Check(zone, "example.com", new(other, "example.com"), new DmarcIdentity(other, "example.com"))).Result);
    }

    [Theory]
    [InlineData("example.com", "temperror")]
    [InlineData("mail.example.com", "temperror")]
    [InlineData("other.org", "fail")]
    public async Task A_temporary_error_leaves_open_what_might_have_passed(string domain, string word)
    {
        var zone = new FixedZone().Txt("_dmarc.example.com", "v=DMARC1; p=reject");
        var result = await Check(zone, "example.com", new(AuthResult.TempError, domain));
        Assert.Equal(word, result.Result.Word());
        Assert.Equal(word, (await Check(zone, "example.com", null, new DmarcIdentity(AuthResult.TempError, domain))).Result.Word());
        Assert.Equal(word == "fail" ? DmarcPolicy.Reject : DmarcPolicy.None, result.Disposition(0));
        Assert.Equal(AuthResult.Pass, (await Check(zone, "example.com", new(AuthResult.TempError, domain), Pass("example.com"))).Result);
    }

    [Theory]
    [InlineData("example.com", "reject")]
    [InlineData("a.example.com", "quarantine")]
    [InlineData("b.a.example.com", "quarantine")]
    [InlineData("own.example.com", "none")]
    [InlineData("x.own.example.com", "quarantine")]
    public async Task The_policy_is_the_domains_own_or_the_organizations_for_subdomains(string from, string policy)
    {
        var zone = new FixedZone().Txt("_dmarc.example.com", "unrelated", "v=DMARC1; p=reject; sp=quarantine").Txt("_dmarc.own.example.com", "v=DMARC1; p=none; sp=reject");
        var result = await Check(zone, from);
        Assert.Equal((AuthResult.Fail, policy), (result.Result, result.Policy!.Value.Word()));
        Assert.InRange(zone.Asked.Count, 1, 2);
    }

    [Fact]
    public async Task Without_sp_the_policy_is_for_subdomains_too() =>
        Assert.Equal(DmarcPolicy.Reject, (await Check(new FixedZone().Txt("_dmarc.example.com", "v=DMARC1; p=reject"), "a.example.com")).Policy);

    [Theory]
    [InlineData("none")]
    [InlineData("none", "v=spf1 -all", "text")]
    [InlineData("none", "v=DMARC1; p=reject", "v=DMARC1; p=none")]
    [InlineData("fail", "v=DMARC1; p=reject", "v=DMARC2; p=none")]
    [InlineData("permerror", "v=DMARC1; p=discard")]
    [InlineData("fail", "v=DMARC1; p=discard; rua=mailto:a@example.com")]
    public async Task What_is_found_must_be_one_record_with_a_policy(string word, params string[] records)
    {
        var result = await Check(new FixedZone().Txt("_dmarc.example.com", records), "example.com");
        Assert.Equal(word, result.Result.Word());
        Assert.Equal(word == "fail", result.Policy is not null);
    }

    [Fact]
    public async Task Several_records_are_not_mended_by_the_organizations()
    {
        var zone = new FixedZone().Txt("_dmarc.a.example.com", "v=DMARC1; p=none", "v=DMARC1; p=none").Txt("_dmarc.example.com", "v=DMARC1; p=reject");
        var result = await Check(zone, "a.example.com");
        Assert.Equal((AuthResult.None, null), (result.Result, result.Policy));
        Assert.Contains("several", result.Discovery.Problem);
    }

    [Theory]
    [InlineData("_dmarc.a.example.com")]
    [InlineData("_dmarc.example.com")]
    public async Task A_failure_of_dns_is_temperror(string name)
    {
        var result = await Check(new FixedZone().Timeout(name), "a.example.com", Pass("a.example.com"));
        Assert.Equal((AuthResult.TempError, null), (result.Result, result.Policy));
    }

    [Theory]
    [InlineData("")]
    [InlineData("localhost")]
    [InlineData("[192.0.2.1]")]
    [InlineData("a..example.com")]
    [InlineData("com")]
    public async Task What_is_no_domain_has_no_policy(string from)
    {
        var zone = new FixedZone();
        Assert.Equal(AuthResult.None, (await Check(zone, from)).Result);
        Assert.Empty(zone.Asked);
    }

    [Fact]
    public async Task Of_several_authors_the_strictest_failure_counts()
    {
        var zone = new FixedZone().Txt("_dmarc.a.org", "v=DMARC1; p=none").Txt("_dmarc.b.org", "v=DMARC1; p=reject").Txt("_dmarc.c.org", "v=DMARC1; p=reject");
        var results = new[] { await Check(zone, "a.org"), await Check(zone, "b.org"), await Check(zone, "c.org", Pass("c.org")) };
        Assert.Same(results[1], DmarcVerifier.Strictest(results));
        Assert.Same(results[2], DmarcVerifier.Strictest([results[2]]));
    }

    [Theory]
    [InlineData("From: A <a@Example.com>\r\n", AuthorDomainKind.One, "example.com")]
    [InlineData("from: a@example.com, \"B, C\" <b@EXAMPLE.COM>\r\n", AuthorDomainKind.One, "example.com")]
    [InlineData("From: \"ceo@example.com\" <x@evil.example>\r\n", AuthorDomainKind.One, "evil.example")]
    [InlineData("From: a@b\u00fccher.example\r\n", AuthorDomainKind.One, "xn--bcher-kva.example")]
    [InlineData("From: team: a@one.org, b@two.org;\r\n", AuthorDomainKind.SeveralDomains, "one.org two.org")]
    [InlineData("From: a@one.org, b@two.org\r\n", AuthorDomainKind.SeveralDomains, "one.org two.org")]
    [InlineData("From: undisclosed:;\r\n", AuthorDomainKind.NoDomain, "")]
    [InlineData("From: \r\n", AuthorDomainKind.NoDomain, "")]
    [InlineData("From: root\r\n", AuthorDomainKind.NoDomain, "")]
    [InlineData("From: a@[192.0.2.1]\r\n", AuthorDomainKind.NoDomain, "")]
    [InlineData("From: a@one.org\r\nTo: b@two.org\r\nFROM: c@one.org\r\n", AuthorDomainKind.SeveralFields, "one.org")]
    [InlineData("Subject: none\r\n", AuthorDomainKind.NoField, "")]
    [InlineData("From \t: (c@comment.org) A (b@x.org) <a @ one . org > (d@y.org)\r\n", AuthorDomainKind.One, "one.org")]
    [InlineData("From: =?utf-8?q?ceo=40bank=2Etest?= <a@one.org>\r\n", AuthorDomainKind.One, "one.org")]
    [InlineData("From: <@relay.org:a@one.org>\r\n", AuthorDomainKind.One, "one.org")]
    [InlineData("From:\r\n a@\r\n one.org\r\n", AuthorDomainKind.One, "one.org")]
    [InlineData("From: a@ONE.org., b@one.org\r\n", AuthorDomainKind.One, "one.org")]
    [InlineData("From: \"a@two.org\"@one.org\r\n", AuthorDomainKind.One, "one.org")]
    [InlineData("From: Почта <а@ПРИМЕР.рф>\r\n", AuthorDomainKind.One, "xn--e1afmkfd.xn--p1ai")]
    // what a reader is shown though no address can be read
    [InlineData("From: \"ceo@one.org\" <>\r\n", AuthorDomainKind.One, "one.org")]
    [InlineData("From: \"ceo@one.org\"\r\n", AuthorDomainKind.One, "one.org")]
    [InlineData("From: =?utf-8?q?ceo=40one.org?=\r\n", AuthorDomainKind.One, "one.org")]
    [InlineData("From: ceo@[one.org]\r\n", AuthorDomainKind.One, "one.org")]
    // fields behind a line that is none, as others show them
    [InlineData("From: a@one.org\r\nno field\r\nFrom: b@two.org\r\n", AuthorDomainKind.SeveralFields, "one.org two.org")]
    [InlineData("no field\r\nFrom\u00a0:\r\n b@two.org\r\n", AuthorDomainKind.One, "two.org")]
    [InlineData("X\u00fc: y\r\nFrom\u000b: b@two.org\r\n", AuthorDomainKind.One, "two.org")]
    [InlineData("From: a@1.org,a@2.org,a@3.org,a@4.org,a@5.org,a@6.org,a@7.org,a@8.org,a@9.org,a@10.org,a@11.org\r\n", AuthorDomainKind.TooManyDomains, "1.org 2.org 3.org 4.org 5.org 6.org 7.org 8.org 9.org 10.org")]
    public void The_authors_domain_is_that_of_the_from_field(string header, AuthorDomainKind kind, string domains)
    {
        var author = AuthorDomain.Of(Encoding.UTF8.GetBytes(header + "\r\nFrom: in@the.body\r\n"));
        Assert.Equal((kind, domains), (author.Kind, string.Join(' ', author.Domains)));
    }

    [Fact]
    public void An_author_is_found_behind_any_number_of_fields()
    {
        foreach (var filler in new[] { string.Concat(Enumerable.Repeat("a:\r\n", 30_000)), string.Concat(Enumerable.Repeat($"X: {new string('a', 900)}\r\n", 1300)) })
            Assert.Equal(["one.org"], AuthorDomain.Of(Encoding.UTF8.GetBytes(filler + "From: a@one.org\r\n\r\nText\r\n")).Domains);
    }

    [Fact]
    public async Task Another_organization_must_agree_to_be_sent_reports()
    {
        var record = DmarcRecord.Parse("v=DMARC1; p=none; rua=mailto:r@example.com,mailto:r@sub.example.com!1m,mailto:yes@red.example.net,mailto:no@blue.example.net,mailto:old@moved.example.net,mailto:x@trick.example.net,https://example.com/,mailto:many@a.org,mailto:slow@slow.example.net", out _)!;
        var zone = new FixedZone().Txt("blue.example.com._report._dmarc.red.example.net", "junk", "v=DMARC1")
            .Txt("blue.example.com._report._dmarc.blue.example.net", "v=spf1", "v=DMARC2")
            .Txt("blue.example.com._report._dmarc.moved.example.net", "v=DMARC1; rua=mailto:new@moved.example.net,mailto:two@moved.example.net")
            .Txt("blue.example.com._report._dmarc.trick.example.net", "v=DMARC1; rua=mailto:victim@elsewhere.example");
        var answer = await ReportDestinations.AggregateAsync(record, "blue.example.com", zone, PublicSuffixList.Shipped, Cancel);
        Assert.Equal(["r@example.com", "r@sub.example.com", "yes@red.example.net", "new@moved.example.net", "two@moved.example.net"], answer.Allowed.Select(u => u.Address).Concat(
            (await ReportDestinations.AggregateAsync(record with { AggregateUris = [.. record.AggregateUris.Skip(4)] }, "blue.example.com", zone, PublicSuffixList.Shipped, Cancel)).Allowed.Select(u => u.Address)).Distinct());
        Assert.False(answer.AskAgain);
        Assert.True((await ReportDestinations.AggregateAsync(record with { AggregateUris = [.. record.AggregateUris.TakeLast(1)] }, "blue.example.com",
            new FixedZone().Timeout("blue.example.com._report._dmarc.slow.example.net"), PublicSuffixList.Shipped, Cancel)).AskAgain);
    }
}
