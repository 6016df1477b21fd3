using System.Text;
using CbaMail.Envelope;
using Xunit;

namespace CbaMail.Tests.Formats.Envelope;

public sealed class SenderRewritingTests
{
    static readonly byte[] ours = Encoding.ASCII.GetBytes("our key"), theirs = Encoding.ASCII.GetBytes("another's key");
    const long Day = 20_000;

    static MailAddress Address(string text) => MailAddress.TryParse(text, out var address) ? address : throw new ArgumentException(text);

    [Theory]
    [InlineData("anna@example.org")]
    [InlineData("a=b=c@example.org")]
    [InlineData("\"odd name\"@example.org")]
    [InlineData("a+b-c@sub.example.org")]
    public void A_bounce_finds_the_way_back(string sender)
    {
        var rewritten = SenderRewriting.Rewrite(Address(sender), "forward.test", ours, Day)!;
        Assert.Equal("forward.test", rewritten.Domain);
        Assert.StartsWith("SRS0=", rewritten.LocalPart);
        Assert.Equal(sender, SenderRewriting.Reverse(rewritten.LocalPart, ours, Day)!.ToString());
        Assert.Equal(sender, SenderRewriting.Reverse(rewritten.LocalPart.ToLowerInvariant(), ours, Day + SenderRewriting.Days)!.ToString()); // case may be lost
    }

    [Fact]
    public void It_is_lost_after_three_weeks_and_with_another_key()
    {
        var rewritten = SenderRewriting.Rewrite(Address("anna@example.org"), "forward.test", ours, Day)!.LocalPart;
        Assert.Null(SenderRewriting.Reverse(rewritten, ours, Day + SenderRewriting.Days + 1));
        Assert.Null(SenderRewriting.Reverse(rewritten, ours, Day - 1));
        Assert.Null(SenderRewriting.Reverse(rewritten, theirs, Day));
        for (var i = 5; i < rewritten.Length; i++)
        {
            var changed = rewritten.ToCharArray();
            changed[i] = changed[i] == 'q' ? 'r' : 'q';
            Assert.Null(SenderRewriting.Reverse(new string(changed), ours, Day));
        }
    }

    [Fact]
    public void A_chain_of_forwarders_grows_no_further_than_two()
    {
        var first = SenderRewriting.Rewrite(Address("anna@example.org"), "one.test", theirs, Day)!;
        var second = SenderRewriting.Rewrite(first, "two.test", ours, Day)!;
        var third = SenderRewriting.Rewrite(second, "three.test", theirs, Day)!;
        Assert.Equal(second.LocalPart[14..], third.LocalPart[14..]);
        Assert.Equal(first.ToString(), SenderRewriting.Reverse(second.LocalPart, ours, Day)!.ToString());
        Assert.Equal(first.ToString(), SenderRewriting.Reverse(third.LocalPart, theirs, Day)!.ToString());
        // libsrs2 writes the separators + and - too
        var plus = SenderRewriting.Rewrite(Address("SRS0+opaque+AB=example.org=anna@one.test"), "two.test", ours, Day)!;
        Assert.Equal("SRS0+opaque+AB=example.org=anna@one.test", SenderRewriting.Reverse(plus.LocalPart, ours, Day)!.ToString());
    }

    [Fact]
    public void What_is_too_long_is_not_rewritten() =>
        Assert.Null(SenderRewriting.Rewrite(Address(new string('a', 40) + "@example.org"), "forward.test", ours, Day));

    [Fact]
    public void Nothing_at_all_makes_it_fail()
    {
        var random = new Random(4711);
        const string Letters = "SRS01=+-abz279@. é";
        for (var i = 0; i < 20_000; i++)
        {
            var text = (i % 2 == 0 ? "SRS0=" : "srs1=") + string.Concat(Enumerable.Range(0, random.Next(40)).Select(_ => Letters[random.Next(Letters.Length)]));
            Assert.Null(SenderRewriting.Reverse(text, ours, Day));
            SenderRewriting.Rewrite(new MailAddress(text, "x.test"), "forward.test", ours, Day);
        }
    }
}
