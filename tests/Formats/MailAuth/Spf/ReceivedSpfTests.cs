using System.Net;
using System.Text;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Spf;
using CbaMail.Mime;
using Xunit;

namespace CbaMail.Tests.Formats.MailAuth.Spf;

/// <summary>The Received-SPF field (RFC 7208 9.1).</summary>
public class ReceivedSpfTests
{
    private static readonly SpfQuery Query = new(IPAddress.Parse("192.0.2.1"), "foo.example.com", "myname@example.com") { Receiver = "mybox.example.org" };

    [Fact]
    public void A_pass_says_what_the_rfc_shows() =>
        Assert.Equal("""
            Received-SPF: pass (mybox.example.org: domain of myname@example.com designates 192.0.2.1 as permitted sender)
            	client-ip=192.0.2.1;
            	envelope-from="myname@example.com";
            	helo=foo.example.com;
            	receiver=mybox.example.org;
            	identity=mailfrom;
            	mechanism="ip4:192.0.2.1"

            """.ReplaceLineEndings("\r\n"),
            ReceivedSpf.Field(Query, new SpfResult(AuthResult.Pass, SpfIdentity.MailFrom, "example.com") { Mechanism = "ip4:192.0.2.1" }));

    [Fact]
    public void Without_a_match_it_is_the_default_and_an_error_says_its_problem()
    {
        Assert.Contains("mechanism=default\r\n", ReceivedSpf.Field(Query, new SpfResult(AuthResult.Neutral, SpfIdentity.MailFrom, "example.com")));
        var error = ReceivedSpf.Field(Query with { MailFrom = "" }, new SpfResult(AuthResult.PermError, SpfIdentity.Helo, "foo.example.com") { Problem = "\"x\" is no term of SPF" });
        Assert.Contains("\tproblem=\"\\\"x\\\" is no term of SPF\";\r\n", error);
        Assert.Contains("\tidentity=helo\r\n", error);
        Assert.DoesNotContain("envelope-from", error);
        Assert.DoesNotContain("mechanism", error);
    }

    [Fact]
    public void What_a_stranger_says_cannot_end_the_field()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var i = 0; i < 2000; i++)
        {
            string Any() => new([.. Enumerable.Range(0, random.Next(600)).Select(_ => "ab()\\\"\r\n\t;=<>@é\ud800.\0"[random.Next(18)])]);
            var field = ReceivedSpf.Field(new SpfQuery(IPAddress.IPv6Loopback, Any(), Any()), new SpfResult(AuthResult.Fail, SpfIdentity.MailFrom, Any()) { Mechanism = Any() });
            var read = HeaderList.Parse(Encoding.UTF8.GetBytes(field + "\r\n"));
            Assert.True(read.Count == 1 && read[0].RawValue.EndsWith('"') | char.IsAsciiLetter(read[0].RawValue[^1]) | field.Contains("mechanism="), $"seed {seed}: {field}");
            Assert.All(field.Split("\r\n"), line => Assert.True(Encoding.UTF8.GetByteCount(line) <= 998, $"seed {seed}"));
        }
    }
}
