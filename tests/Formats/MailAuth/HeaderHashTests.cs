using System.Text;
using CbaMail.MailAuth;
using Xunit;

namespace CbaMail.Tests.Formats.MailAuth;

/// <summary>RFC 6376 3.4.1, 3.4.2 and 3.7.</summary>
public class HeaderHashTests
{
    static string Canonical(string field, Canonicalization way)
    {
        using var hash = new HeaderHash();
        var name = field.IndexOfAny([' ', '\t', ':']);
        hash.Append(Encoding.UTF8.GetBytes(field), name, field.IndexOf(':', StringComparison.Ordinal) + 1, way);
        return Encoding.UTF8.GetString(hash.Written);
    }

    [Theory]
    [InlineData("A: X\r\n", "a:X\r\n")]
    [InlineData("B : Y\t\r\n\tZ  \r\n", "b:Y Z\r\n")]
    [InlineData("SUBJect: AbC", "subject:AbC\r\n")]
    [InlineData("X:\r\n", "x:\r\n")]
    [InlineData("X: \r\n  \r\n a\r\n", "x:a\r\n")]
    [InlineData("X: a\n b\n", "x:a b\r\n")]
    [InlineData("X: a\rb\r\n", "x:a\rb\r\n")]
    [InlineData("X: a \r b\r\n", "x:a \r b\r\n")]
    [InlineData("X:  привет   мир \r\n", "x:привет мир\r\n")]
    public void Relaxed(string field, string canonical)
    {
        Assert.Equal(canonical, Canonical(field, Canonicalization.Relaxed));
        Assert.Equal(canonical, Canonical(canonical, Canonicalization.Relaxed));
    }

    [Theory]
    [InlineData("B : Y\t\r\n\tZ  \r\n", "B : Y\t\r\n\tZ  \r\n")]
    [InlineData("X: a", "X: a\r\n")]
    [InlineData("X: a\n\tb\n", "X: a\r\n\tb\r\n")]
    public void Simple(string field, string canonical) => Assert.Equal(canonical, Canonical(field, Canonicalization.Simple));

    [Theory]
    [InlineData("S: a=1; b=AB\r\n CD; c=2\r\n", "S: a=1; b=; c=2")]
    [InlineData("S: b = \r\n AB \r\n ;x=b=1\r\n", "S: b =;x=b=1")]
    [InlineData("S: bh=x; b=\r\n\tAB\r\n", "S: bh=x; b=")]
    public void A_signature_is_hashed_without_itself(string field, string canonical)
    {
        var bytes = Encoding.ASCII.GetBytes(field);
        var b = TagList.Parse(bytes.AsMemory(2), out _)!.Find("b")!.Value;
        using var hash = new HeaderHash();
        hash.AppendSignature(bytes, 1, 2, b.RawStart + 2, b.RawEnd + 2, Canonicalization.Simple);
        Assert.Equal(canonical, Encoding.ASCII.GetString(hash.Written));
    }

    [Fact]
    public void Relaxing_twice_changes_nothing()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        for (var round = 0; round < 2000; round++)
        {
            var value = string.Concat(Enumerable.Range(0, random.Next(60)).Select(_ => " \t\rab\r\n"[random.Next(6)])).Replace("\n", "\n ", StringComparison.Ordinal);
            var once = Canonical("Ab:" + value + "\r\n", Canonicalization.Relaxed);
            Assert.True(once == Canonical(once, Canonicalization.Relaxed), $"seed {seed} round {round}");
        }
    }
}
