using System.Text;
using CbaMail.MailAuth.Dmarc;
using Xunit;

namespace CbaMail.Tests.Formats.MailAuth.Dmarc;

/// <summary>Organizational domains (RFC 7489 3.2) by the public suffix list, with the cases that its maintainers publish.</summary>
public class PublicSuffixListTests
{
    private static readonly PublicSuffixList List = PublicSuffixList.Shipped;

    [Theory]
    // no rule: one label
    [InlineData("example", null)]
    [InlineData("example.example", "example.example")]
    [InlineData("b.example.example", "example.example")]
    [InlineData("a.b.example.example", "example.example")]
    [InlineData("mail.nowhere.unknown-tld", "nowhere.unknown-tld")]
    // one rule
    [InlineData("biz", null)]
    [InlineData("domain.biz", "domain.biz")]
    [InlineData("a.b.domain.biz", "domain.biz")]
    // two
    [InlineData("com", null)]
    [InlineData("EXAMPLE.com", "EXAMPLE.com")]
    [InlineData("WwW.example.COM", "example.COM")]
    [InlineData("uk.com", null)]
    [InlineData("example.uk.com", "example.uk.com")]
    [InlineData("a.b.example.uk.com", "example.uk.com")]
    [InlineData("test.ac", "test.ac")]
    [InlineData("co.uk", null)]
    [InlineData("a.b.example.co.uk", "example.co.uk")]
    // a wildcard
    [InlineData("mm", null)]
    [InlineData("c.mm", null)]
    [InlineData("b.c.mm", "b.c.mm")]
    [InlineData("a.b.c.mm", "b.c.mm")]
    // more
    [InlineData("jp", null)]
    [InlineData("test.jp", "test.jp")]
    [InlineData("www.test.jp", "test.jp")]
    [InlineData("ac.jp", null)]
    [InlineData("www.test.ac.jp", "test.ac.jp")]
    [InlineData("kyoto.jp", null)]
    [InlineData("test.kyoto.jp", "test.kyoto.jp")]
    [InlineData("ide.kyoto.jp", null)]
    [InlineData("a.b.ide.kyoto.jp", "b.ide.kyoto.jp")]
    [InlineData("c.kobe.jp", null)]
    [InlineData("b.c.kobe.jp", "b.c.kobe.jp")]
    [InlineData("a.b.c.kobe.jp", "b.c.kobe.jp")]
    // an exception
    [InlineData("city.kobe.jp", "city.kobe.jp")]
    [InlineData("www.city.kobe.jp", "city.kobe.jp")]
    [InlineData("ck", null)]
    [InlineData("test.ck", null)]
    [InlineData("a.b.test.ck", "b.test.ck")]
    [InlineData("www.ck", "www.ck")]
    [InlineData("www.www.ck", "www.ck")]
    [InlineData("k12.ak.us", null)]
    [InlineData("www.test.k12.ak.us", "test.k12.ak.us")]
    // names that are not ASCII
    [InlineData("xn--85x722f.com.cn", "xn--85x722f.com.cn")]
    [InlineData("www.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn")]
    [InlineData("xn--55qx5d.cn", null)]
    [InlineData("shishi.xn--55qx5d.cn", "shishi.xn--55qx5d.cn")]
    [InlineData("xn--fiqs8s", null)]
    [InlineData("www.xn--85x722f.xn--fiqs8s", "xn--85x722f.xn--fiqs8s")]
    [InlineData("mail.example.xn--p1ai", "example.xn--p1ai")]
    // the private section
    [InlineData("github.io", null)]
    [InlineData("somebody.github.io", "somebody.github.io")]
    [InlineData("a.somebody.github.io", "somebody.github.io")]
    [InlineData("s3.dualstack.eu-west-1.amazonaws.com", null)]
    public void The_organizational_domain_is_the_suffix_and_one_label(string domain, string? organizational)
    {
        // a name that is a suffix itself stays as it is: there is no other to ask for
        Assert.Equal(organizational ?? domain, List.OrganizationalDomain(domain));
        Assert.Equal(organizational is null, List.Suffix(domain).Length == domain.Length);
    }

    [Fact]
    public void It_is_small_and_a_look_up_allocates_nothing()
    {
        Assert.True(List.Rules > 9000);
        Assert.InRange(List.Size, 100_000, 400_000);
        var length = 0;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) length += List.OrganizationalDomain("a.very.long.name.of.somebody.co.uk".AsSpan()).Length;
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(1000 * "somebody.co.uk".Length, length);
    }

    [Fact]
    public void It_agrees_with_a_slow_reading_of_the_rules()
    {
        using var stream = typeof(PublicSuffixList).Assembly.GetManifestResourceStream("public-suffixes.txt")!;
        var idn = new System.Globalization.IdnMapping();
        var rules = new StreamReader(stream).ReadToEnd().Split('\n').Where(l => l.Length > 0 && !l.StartsWith("//")).Select(r => Encoding.UTF8.GetByteCount(r) == r.Length ? r : idn.GetAscii(r)).ToList();
        var set = rules.ToHashSet();
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var i = 0; i < 20_000; i++)
        {
            var rule = rules[random.Next(rules.Count)].TrimStart('!').Replace("*", "w");
            var domain = string.Concat(Enumerable.Range(0, random.Next(4)).Select(_ => "ab"[random.Next(2)] + ".")) + (random.Next(3) == 0 && rule.Contains('.') ? rule[(rule.IndexOf('.') + 1)..] : rule);
            Assert.True(Slow(domain) == List.OrganizationalDomain(domain), $"seed {seed}: {domain}: {List.OrganizationalDomain(domain)}");
        }

        string Slow(string domain)
        {
            var labels = domain.Split('.');
            var suffix = 1;
            for (var n = 1; n <= labels.Length; n++)
            {
                var name = string.Join('.', labels[^n..]);
                if (set.Contains("!" + name)) { suffix = n - 1; break; }
                if (set.Contains(name) || n > 1 && set.Contains("*." + string.Join('.', labels[^(n - 1)..]))) suffix = n;
            }
            return string.Join('.', labels[^Math.Min(labels.Length, suffix + 1)..]);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData(".com")]
    [InlineData("com.")]
    [InlineData("a..com")]
    [InlineData("é.com")]
    public void What_is_no_name_does_no_harm(string domain) => Assert.EndsWith(List.OrganizationalDomain(domain), domain);

    [Fact]
    public void A_newer_list_is_read_in_the_form_in_which_it_is_published()
    {
        var text = "// comment\r\n\r\nxyz\r\n*.wild.xyz  trailing words\r\n!but.wild.xyz\nпример.xyz\n" + string.Concat(Enumerable.Range(0, 1000).Select(i => $"r{i}.xyz\n"));
        Assert.True(PublicSuffixList.TryParse(Encoding.UTF8.GetBytes(text), out var list, out var problem), problem);
        Assert.Equal(1004, list.Rules);
        Assert.Equal("b.a.wild.xyz", list.OrganizationalDomain("c.b.a.wild.xyz"));
        Assert.Equal("but.wild.xyz", list.OrganizationalDomain("c.but.wild.xyz"));
        Assert.Equal("b.xn--e1afmkfd.xyz", list.OrganizationalDomain("a.b.xn--e1afmkfd.xyz"));
        Assert.Equal("a.r7.xyz", list.OrganizationalDomain("b.a.r7.xyz"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html><body>404</body></html>")]
    [InlineData("com\nnet\norg\n")]
    public void What_is_no_list_is_refused_with_a_sentence(string text)
    {
        Assert.False(PublicSuffixList.TryParse(Encoding.UTF8.GetBytes(text), out _, out var problem));
        Assert.Contains("publicsuffix.org", problem);
    }

    private static string Newer(string day = "2031-01-01", string more = "") =>
        $"// VERSION: {day}_10-11-12_UTC\n// ===BEGIN ICANN DOMAINS===\n{Shipped()}{more}\n// ===END PRIVATE DOMAINS===\n";

    private static string Shipped()
    {
        using var stream = typeof(PublicSuffixList).Assembly.GetManifestResourceStream("public-suffixes.txt")!;
        using var reader = new StreamReader(stream);
        return string.Join('\n', reader.ReadToEnd().Split('\n').Where(line => !line.StartsWith("//", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_newer_list_takes_the_place_of_the_shipped_one()
    {
        Assert.NotNull(List.Date);
        Assert.True(PublicSuffixList.TryReplacement(Encoding.UTF8.GetBytes(Newer(more: "hoster.example")), out var newer, out var problem), problem);
        Assert.Equal(new DateOnly(2031, 1, 1), newer.Date);
        Assert.Equal(List.Rules + 1, newer.Rules);
        Assert.Equal("a.hoster.example", newer.OrganizationalDomain("x.a.hoster.example"));
    }

    [Theory]
    [InlineData("<html><body>503 try again</body></html>", "is no public suffix list")]
    [InlineData("", "is no public suffix list")]
    [InlineData("SHRUNKEN", "a part of it is missing")]
    [InlineData("CUT", "was cut off")]
    [InlineData("OLD", "is of 2001-02-03")]
    [InlineData("WITHOUT CK", "fetch it again")]
    [InlineData("GARBLED", "is no public suffix list")]
    public void A_list_that_is_broken_shrunken_or_old_is_refused(string what, string sentence)
    {
        var whole = Newer();
        var lines = whole.Split('\n');
        var text = what switch
        {
            "SHRUNKEN" => string.Join('\n', lines.Where((line, i) => line.StartsWith("//", StringComparison.Ordinal) || i % 2 == 0)),
            "CUT" => whole[..(whole.Length * 9 / 10)],
            "OLD" => Newer("2001-02-03"),
            "WITHOUT CK" => string.Join('\n', lines.Where(line => line != "*.ck")),
            "GARBLED" => string.Join('\n', lines.Select((line, i) => i % 20 == 0 ? "*" + line + "*" : line)),
            _ => what,
        };
        Assert.False(PublicSuffixList.TryReplacement(Encoding.UTF8.GetBytes(text), out _, out var problem));
        Assert.Contains(sentence, problem, StringComparison.Ordinal);
    }
}
