using System.Text;
using CbaMail.Config;
using CbaMail.Directory.Publication;
using Xunit;

namespace CbaMail.Tests.Server.Directory;

/// <summary>Whether CAA lets our authority give us a certificate (RFC 8659, RFC 8657).</summary>
public class CaaPropertyTests
{
    const string Account = "https://ca.example/acct/7";

    static CaaProperty Property(string line)
    {
        var words = line.Split(' ', 3);
        var tag = Encoding.ASCII.GetBytes(words[1]);
        return CaaProperty.Read([byte.Parse(words[0], System.Globalization.CultureInfo.InvariantCulture), (byte)tag.Length, .. tag, .. Encoding.ASCII.GetBytes(words[2])]);
    }

    [Theory]
    [InlineData(null, "0 iodef mailto:a@b.test")]
    [InlineData(null, "0 issue ca.example")]
    [InlineData(null, "0 ISSUE CA.EXAMPLE ; x=y")]
    [InlineData(null, "0 issue other.example", "0 issue ca.example")]
    [InlineData("name other.example", "0 issue other.example")]
    [InlineData("name nobody", "0 issue ;")]
    [InlineData(null, "0 issue ca.example; accounturi=https://ca.example/acct/7")]
    [InlineData("another account", "0 issue ca.example; accounturi=https://ca.example/acct/8")]
    [InlineData(null, "0 issue ca.example; accounturi=https://ca.example/acct/8", "0 issue ca.example; accounturi=https://ca.example/acct/7")]
    [InlineData("other ways of proof", "0 issue ca.example; validationmethods=dns-01")]
    [InlineData(null, "0 issue ca.example; validationmethods=dns-01,http-01")]
    [InlineData("is marked as critical", "128 tbs unknown", "0 issue ca.example")]
    [InlineData(null, "0 tbs unknown", "128 issue ca.example")]
    public void It_is_allowed_unless_they_name_others(string? refusal, params string[] lines)
    {
        var why = CaaProperty.Refusal([.. lines.Select(Property)], "ca.example", Account, AcmeChallenge.Any);
        if (refusal is null) Assert.Null(why);
        else Assert.Contains(refusal, why!.Value.English, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_cut_off_is_no_property()
    {
        for (var length = 0; length < 9; length++) Assert.Equal("", CaaProperty.Read(new byte[] { 0, 9, 105, 115, 115, 117, 101, 99, 97 }.AsSpan(0, length)).Tag);
    }
}
