using CbaMail.Envelope;
using CbaMail.Tests.House;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CbaMail.Tests.Formats.Envelope;

public class ReplyClassifierTests
{
    public static TheoryData<string, string, string> Replies()
    {
        var data = new TheoryData<string, string, string>();
        foreach (var line in File.ReadLines(Path.Combine(Repository.Root, "tests/Vectors/bounces/replies.txt")))
        {
            if (line.StartsWith('#') || line.Length == 0) continue;
            var fields = line.Split(" | ", 3);
            data.Add(fields[0], fields[1], fields[2]);
        }
        return data;
    }

    [Fact]
    public void TheTableIsLargeEnoughToTrust() => Assert.True(Replies().Count >= 120, $"{Replies().Count} replies");

    [Theory, MemberData(nameof(Replies))]
    public void ARealReplyIsUnderstood(string cause, string provider, string reply) =>
        Assert.True(ReplyClassifier.Classify(reply).Word == cause, $"{provider}: {reply}: {ReplyClassifier.Classify(reply)}");

    [Theory]
    [InlineData("550 5.1.1 no", 550, "5.1.1", " no")]
    [InlineData("550-5.1.1 no", 550, "5.1.1", " no")]
    [InlineData("smtp; 550 5.1.1 no", 550, "5.1.1", "smtp; 550 5.1.1 no")]
    [InlineData("host mx[192.0.2.5] said: 452 4.2.2 full", 452, "4.2.2", "host mx[192.0.2.5] said: 452 4.2.2 full")]
    [InlineData("no mailbox here (#5.1.1)", 0, "5.1.1", "no mailbox here (#5.1.1)")]
    [InlineData("5.1.10 nobody", 0, "5.1.10", " nobody")]
    [InlineData("4.16.55.1 is an address", 0, "", "4.16.55.1 is an address")]
    [InlineData("", 0, "", "")]
    public void CodesAreFoundWhereverTheyStand(string reply, int code, string status, string text) => Assert.Equal((code, status, text), ReplyClassifier.Codes(reply));

    [Fact]
    public void NoPolicyCodeAndNoTemporaryReplyMakesAnAddressDead()
    {
        foreach (var (_, _, reply) in Replies().Select(row => row.Data))
        {
            var (_, _, text) = ReplyClassifier.Codes(reply);
            Assert.NotEqual(BounceCause.Dead, ReplyClassifier.Classify(550, "5.7.1", text).Cause);
            Assert.NotEqual(BounceCause.Dead, ReplyClassifier.Classify(450, "4.1.1", text).Cause);
            Assert.NotEqual(BounceCause.Dead, ReplyClassifier.Classify(552, "5.2.2", text).Cause);
        }
    }

    [Fact]
    public void ADomainThatTakesNoMailIsToldFromAnAddressThatNobodyHas()
    {
        Assert.True(ReplyClassifier.Classify("556 5.1.10 nullMX").OfDomain);
        Assert.True(ReplyClassifier.Classify("550 5.1.2 The domain does not exist").OfDomain);
        Assert.False(ReplyClassifier.Classify("550 5.1.1 User unknown").OfDomain);
    }

    [Fact]
    public void AnyTextIsTaken() => Prop.ForAll<string>(text => ReplyClassifier.Classify(text ?? "").Word.Length > 0).QuickCheckThrowOnFailure();

    [Fact]
    public void TheWordsOfEachRowStandInTheFormThatTheyAreLookedForIn()
    {
        foreach (var row in ReplyPatterns.Rows)
            foreach (var piece in row.Text.Split('*'))
                Assert.Equal(piece.Trim(), ReplyClassifier.Plain(piece).Trim());
    }
}
