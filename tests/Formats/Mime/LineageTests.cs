using System.Text;
using CbaMail.Mime;
using Xunit;

namespace CbaMail.Tests.Formats.Mime;

/// <summary>The place of a message in a conversation, as threading reads it (RFC 5256 3, REFERENCES).</summary>
public sealed class LineageTests
{
    static (long Own, long[] Ancestors) Of(string header) => Lineage.Read(Lineage.Of(Encoding.UTF8.GetBytes(header + "\r\n\r\nbody")));

    [Fact]
    public void AncestorsAreThoseOfReferences()
    {
        var a = Of("Message-ID: <a@x>").Own;
        var b = Of("Message-Id:\r\n <b@x>").Own;
        var (own, ancestors) = Of("Message-ID: <c@x>\r\nIn-Reply-To: <z@x>\r\nReferences: <a@x>\r\n\t<b@x>");
        Assert.Equal([a, b], ancestors);
        Assert.Equal(3, new HashSet<long> { a, b, own }.Count);
    }

    [Theory]
    [InlineData("In-Reply-To: <a@x> <b@x>")]
    [InlineData("In-Reply-To: Your message of Monday <a@x>")]
    [InlineData("References: none\r\nIn-Reply-To: <a@x>")]
    [InlineData("References: <no-at>\r\nIn-Reply-To: <a@x>")]
    [InlineData("references:<\"a\"@x>")]
    public void ElseTheFirstOfInReplyTo(string header) => Assert.Equal([Of("Message-ID: <a@x>").Own], Of(header).Ancestors);

    [Fact]
    public void QuotesThatAreNotNeededAreNoPartOfAnId() =>
        Assert.Equal(Of("Message-ID: <01KF8JCEOCBS0045PS@xxx.yyy.com>").Own, Of("Message-ID: <\"01KF8JCEOCBS0045PS\"@xxx.yyy.com>").Own);

    [Fact]
    public void IdsAreWithCase() => Assert.NotEqual(Of("Message-ID: <a@x>").Own, Of("Message-ID: <A@x>").Own);

    [Theory]
    [InlineData("Subject: x")]
    [InlineData("Message-ID: none")]
    [InlineData("Message-ID: <>\r\nReferences: <>")]
    public void NothingIsNamed(string header) => Assert.Empty(Lineage.Of(Encoding.UTF8.GetBytes(header + "\r\n\r\n")));

    [Fact]
    public void OfManyAncestorsTheFirstAndTheLastAreKept()
    {
        var (_, ancestors) = Of("References: " + string.Join("\r\n ", Enumerable.Range(0, 900).Select(i => $"<{i}@x>")));
        Assert.Equal(200, ancestors.Length);
        Assert.Equal(Of("Message-ID: <0@x>").Own, ancestors[0]);
        Assert.Equal(Of("Message-ID: <899@x>").Own, ancestors[^1]);
        Assert.Equal(Of("Message-ID: <701@x>").Own, ancestors[1]);
    }

    [Fact]
    public void NoBytesAreTooStrange()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var step = 0; step < 2000; step++)
        {
            var bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            byte[] message = [.. "References: "u8, .. bytes, .. "\r\nMessage-ID: <"u8, .. bytes];
            var lineage = Lineage.Of(message);
            Assert.True(lineage.Length % 8 == 0 && Lineage.Read(lineage).Ancestors.Length <= 200, $"seed {seed}");
            Lineage.Read(bytes);
        }
    }
}
