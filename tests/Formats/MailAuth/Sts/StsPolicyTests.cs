using System.Text;
using CbaMail.MailAuth.Sts;
using Xunit;

namespace CbaMail.Tests.Formats.MailAuth.Sts;

public class StsPolicyTests
{
    static StsPolicy Read(string text) => StsPolicy.TryParse(text, out var policy, out var problem) ? policy : throw new Xunit.Sdk.XunitException(problem);

    [Theory]
    [InlineData("\r\n")]
    [InlineData("\n")]
    public void The_RFCs_example_is_read(string end)
    {
        var policy = Read(string.Join(end, "version: STSv1", "mode: enforce", "mx: mail.example.com", "mx: *.example.net", "mx: Backupmx.Example.com", "max_age: 604800", ""));
        Assert.Equal(StsMode.Enforce, policy.Mode);
        Assert.Equal(["mail.example.com", "*.example.net", "backupmx.example.com"], policy.Exchanges);
        Assert.Equal(TimeSpan.FromDays(7), policy.MaxAge);
        Assert.Equal(["version: STSv1", "mode: enforce", "mx: mail.example.com", "mx: *.example.net", "mx: backupmx.example.com", "max_age: 604800"], policy.Lines);
    }

    [Fact]
    public void Keys_count_once_unknown_ones_not_at_all_and_white_space_never()
    {
        var policy = Read("max_age:   86400  \nfuture: thing: yes\nmode:testing\nmode: enforce\nmx:\ta.test\nversion: STSv1\nversion: STSv2");
        Assert.Equal((StsMode.Testing, TimeSpan.FromDays(1)), (policy.Mode, policy.MaxAge));
    }

    [Fact]
    public void Mode_none_needs_no_servers_and_a_century_is_a_year()
    {
        var policy = Read("version: STSv1\nmode: none\nmax_age: 3155760000\n");
        Assert.Equal((StsMode.None, TimeSpan.FromSeconds(StsPolicy.MaxSeconds)), (policy.Mode, policy.MaxAge));
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>not found</html>")]
    [InlineData("mode: enforce\nmx: a.test\nmax_age: 1\n")]
    [InlineData("version: STSv2\nmode: enforce\nmx: a.test\nmax_age: 1\n")]
    [InlineData("version: STSv1\nmode: Enforce\nmx: a.test\nmax_age: 1\n")]
    [InlineData("version: STSv1\nmode: enforce\nmax_age: 1\n")]
    [InlineData("version: STSv1\nmode: enforce\nmx: a.test\n")]
    [InlineData("version: STSv1\nmode: enforce\nmx: a.test\nmax_age: -1\n")]
    [InlineData("version: STSv1\nmode: enforce\nmx: a.test\nmax_age: 99999999999\n")]
    [InlineData("version: STSv1\nmode: enforce\nmx: a..test\nmax_age: 1\n")]
    [InlineData("version: STSv1\nmode: enforce\nmx: *.*.test\nmax_age: 1\n")]
    [InlineData("version: STSv1\nmode: enforce\nmx: mail.*.test\nmax_age: 1\n")]
    [InlineData("version: STSv1\nmode: enforce\nmx: почта.test\nmax_age: 1\n")]
    public void What_is_no_policy_is_said_to_be_none(string text)
    {
        Assert.False(StsPolicy.TryParse(text, out _, out var problem));
        Assert.NotEmpty(problem);
    }

    [Theory]
    [InlineData("mail.example.com", true)]
    [InlineData("MAIL.example.com.", true)]
    [InlineData("a.example.net", true)]
    [InlineData("a.b.example.net", false)]
    [InlineData("example.net", false)]
    [InlineData(".example.net", false)]
    [InlineData("aexample.net", false)]
    [InlineData("mail.example.com.evil.test", false)]
    public void An_asterisk_stands_for_one_label(string exchange, bool allowed) =>
        Assert.Equal(allowed, new StsPolicy(StsMode.Enforce, ["mail.example.com", "*.example.net"], TimeSpan.FromDays(1)).Allows(exchange));

    [Theory]
    [InlineData("v=STSv1; id=20160831085700Z;", "20160831085700Z")]
    [InlineData("v=STSv1;id=1", "1")]
    [InlineData("v=STSv1 ; other=2; id = abc ;", "abc")]
    [InlineData("v=STSv1; id=;", null)]
    [InlineData("v=STSv1;", null)]
    [InlineData("v=STSv1", null)]
    [InlineData("v=STSv11; id=1", null)]
    [InlineData("V=stsv1; id=1", null)]
    [InlineData("v=STSv1; id=a-b", null)]
    [InlineData("v=STSv1; id=123456789012345678901234567890123", null)]
    public void The_record_tells_the_policys_id(string record, string? id) => Assert.Equal(id, StsRecord.Id(["google-site-verification=x", record]));

    [Fact]
    public void Two_records_are_none() => Assert.Null(StsRecord.Id(["v=STSv1; id=1", "v=STSv1; id=2"]));

    [Fact]
    public void Noise_is_survived()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        string[] pieces = ["version", ":", " ", "STSv1", "mode", "enforce", "none", "mx", "*.", "a.test", "max_age", "123", "\n", "\r\n", "\0", "é", "=", ";", "v=", "id"];
        for (var i = 0; i < 3000; i++)
        {
            var text = new StringBuilder();
            for (var n = random.Next(40); n > 0; n--) text.Append(pieces[random.Next(pieces.Length)]);
            var read = text.ToString();
            if (StsPolicy.TryParse(read, out var policy, out var problem)) Assert.True(StsPolicy.TryParse(string.Join('\n', policy.Lines), out var again, out _) && again.Lines.SequenceEqual(policy.Lines), $"seed {seed}: {read}");
            else Assert.True(problem.Length > 0, $"seed {seed}: {read}");
            StsRecord.Id([read]);
        }
    }
}
