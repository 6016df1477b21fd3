using System.Text;
using CbaMail.MailAuth;
using Xunit;

namespace CbaMail.Tests.Formats.MailAuth;

/// <summary>RFC 8601.</summary>
public class AuthenticationResultsTests
{
    static AuthenticationResults? Parse(string value) => AuthenticationResults.Parse(Encoding.UTF8.GetBytes(value));

    [Theory]
    [InlineData("example.org 1; none", "example.org|1")]
    [InlineData(" example.com;\r\n spf=pass smtp.mailfrom=example.net\r\n", "example.com|1|spf=pass smtp.mailfrom=example.net")]
    [InlineData("example.com; auth=pass (cram-md5) smtp.auth=sender@example.net; spf=pass smtp.mailfrom=example.net", "example.com|1|auth=pass smtp.auth=sender@example.net|spf=pass smtp.mailfrom=example.net")]
    [InlineData("foo.example.net (foobar) 1 (baz);\r\n dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r\n policy (A dot can go here) . (like that) expired\r\n (this surprised me) = (as I wasn't expecting it) 1362471462", "foo.example.net|1|dkim=fail policy.expired=1362471462")]
    [InlineData("\"my id\"; dkim=fail reason=\"bad ; signature\" header.i=\"a b\"@x.test header.b=\"x/y=\"", "my id|1|dkim=fail header.i=a b@x.test header.b=x/y= (bad ; signature)")]
    [InlineData("x; DKIM=PASS header.i.x=1 header.d=y", "x|1|dkim=pass header.d=y")]
    [InlineData("x; nonsense; spf=; =pass; spf=none", "x|1|spf=none")]
    [InlineData("x (; spf=fail); spf=pass", "x|1|spf=pass")]
    [InlineData("x", "x|1")]
    public void Fields(string value, string read)
    {
        var results = Parse(value);
        Assert.NotNull(results);
        Assert.Equal(read, string.Join('|', new[] { results.AuthservId, $"{results.Version}" }.Concat(results.Results.Select(r =>
            $"{r.Method}={r.Result}{string.Concat(r.Properties.Select(p => $" {p.Type}.{p.Name}={p.Value}"))}{(r.Reason.Length > 0 ? $" ({r.Reason})" : "")}"))));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ; spf=pass")]
    [InlineData("\"unclosed; spf=pass")]
    [InlineData("a b c; spf=pass")]
    public void Fields_that_name_nobody(string value) => Assert.Null(Parse(value));

    [Fact]
    public void What_is_written_is_folded_and_reads_the_same()
    {
        var written = AuthenticationResultsField.Write("mx.example.com",
        [
            new("spf", AuthResult.Pass, "192.0.2.1 is allowed (by a)", new AuthProperty("smtp", "mailfrom", "joe@example.org"), new AuthProperty("smtp", "helo", "mail.example.org")),
            new("dkim", AuthResult.Fail, "the body\r\nX-Evil: was changed", new AuthProperty("header", "d", "example.org"), new AuthProperty("header", "b", "ab/c+="), new AuthProperty("header", "i", "\"a b\"@example.org")),
            new("arc", AuthResult.None),
        ]);
        Assert.All(written.Split("\r\n"), line => Assert.InRange(line.Length, 0, 78));
        Assert.DoesNotContain("\nX-Evil", written, StringComparison.Ordinal);
        var read = Parse(written[(written.IndexOf(':', StringComparison.Ordinal) + 1)..])!;
        Assert.Equal(["spf=pass", "dkim=fail", "arc=none"], read.Results.Select(r => $"{r.Method}={r.Result}"));
        Assert.Equal("ab/c+=", read.Results[1].Property("header", "b"));
        Assert.Equal("\"a b\"@example.org", read.Results[1].Property("header", "i"));
        Assert.Equal("Authentication-Results: x; none\r\n", AuthenticationResultsField.Write("x", []));
    }

    [Theory]
    [InlineData("mx.example.com; spf=pass", true)]
    [InlineData("MX.Example.COM; spf=pass", true)]
    [InlineData(" (a (nested) comment) mx.example.com 1; spf=pass", true)]
    [InlineData("\r\n\t\"mx.example.com\" ; spf=pass", true)]
    [InlineData("mx.example.com.; spf=pass", true)]
    [InlineData("mx.example.com", true)]
    [InlineData("mx.example.com what is this; spf=pass", true)]
    [InlineData("\"mx.example.com; spf=pass", true)]
    [InlineData("\"mx\\.example\\.com\" and more; spf=pass", true)]
    [InlineData("mx\"\".example.com; spf=pass", true)]
    [InlineData("mx.example.com/1; spf=pass", true)]
    [InlineData("<mx.example.com>; spf=pass", true)]
    [InlineData("x=MX.example.com; spf=pass", true)]
    [InlineData("\"m\\x.example.com\"; spf=pass", true)]
    [InlineData("(unclosed mx.example.com; spf=pass", true)]
    [InlineData("other.test 2; spf=pass", true)]
    [InlineData("other.test 1; spf=pass", false)]
    [InlineData("mx.example.com.evil.test; spf=pass", false)]
    [InlineData("other.test (mx.example.com); spf=pass", false)]
    [InlineData("other.test; spf=pass smtp.helo=mx.example.com", false)]
    public void A_stranger_may_not_speak_in_our_name(string value, bool forged)
    {
        var message = Encoding.UTF8.GetBytes($"Received: x\r\nauthentication-RESULTS : {value}\r\nARC-Authentication-Results: i=1; mx.example.com; spf=pass\r\nFrom: a@b.test\r\n\r\nAuthentication-Results: mx.example.com; in the body\r\n");
        var left = Encoding.UTF8.GetString(AuthenticationResultsField.WithoutForged(message, "mx.example.com").Span);
        Assert.Equal(!forged, left.Contains("RESULTS : ", StringComparison.Ordinal));
        Assert.StartsWith("Received: x\r\n", left, StringComparison.Ordinal);
        Assert.EndsWith("ARC-Authentication-Results: i=1; mx.example.com; spf=pass\r\nFrom: a@b.test\r\n\r\nAuthentication-Results: mx.example.com; in the body\r\n", left, StringComparison.Ordinal);
    }

    [Fact]
    public void Nor_behind_a_comment_of_any_length() =>
        Assert.True(AuthenticationResults.ClaimsToBeOf(Encoding.UTF8.GetBytes($" ({new string('x', AuthenticationResults.MaxLength)}) mx.example.com; dmarc=pass"), "mx.example.com"));

    [Fact]
    public void A_name_in_Unicode_is_the_same_in_ASCII() =>
        Assert.True(AuthenticationResults.ClaimsToBeOf("xn--e1afmkfd.xn--p1ai; spf=pass"u8, "пример.рф"));
}
