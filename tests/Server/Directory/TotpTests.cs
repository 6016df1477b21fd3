using System.Text;
using CbaMail.Directory;
using Xunit;

namespace CbaMail.Tests.Server.Directory;

public sealed class TotpTests
{
    static readonly byte[] key = Encoding.ASCII.GetBytes("12345678901234567890");

    // RFC 4226 appendix D
    [Fact]
    public void Codes_by_counter_are_those_of_the_specification() => Assert.Equal(
        ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"], Enumerable.Range(0, 10).Select(counter => Totp.Code(key, counter)));

    // RFC 6238 appendix B: the last six digits of its eight
    [Theory]
    [InlineData(59, "287082")]
    [InlineData(1111111109, "081804")]
    [InlineData(1111111111, "050471")]
    [InlineData(1234567890, "005924")]
    [InlineData(2000000000, "279037")]
    [InlineData(20000000000, "353130")]
    public void Codes_by_time_are_those_of_the_specification(long seconds, string code) => Assert.Equal(code, Totp.Code(key, Totp.StepOf(DateTimeOffset.FromUnixTimeSeconds(seconds))));

    [Fact]
    public void A_code_of_the_step_before_or_behind_is_taken_and_none_further_off_or_used()
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(1234567890);
        var step = Totp.StepOf(now);
        for (var off = -3; off <= 3; off++) Assert.Equal(Math.Abs(off) <= 1 ? (long?)(step + off) : null, Totp.Match(key, Totp.Code(key, step + off), now, after: 0));
        Assert.Null(Totp.Match(key, Totp.Code(key, step), now, after: step));
        foreach (var wrong in new[] { "", "00592", "0059240", "абвгде" }) Assert.Null(Totp.Match(key, wrong, now, after: 0));
    }

    [Fact]
    public void The_key_is_shown_as_apps_take_it()
    {
        Assert.Equal("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", Totp.Show(key));
        Assert.Equal("otpauth://totp/example.test:anna%40example.test?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=example.test", Totp.Link("example.test", "anna@example.test", key));
    }
}
