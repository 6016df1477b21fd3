using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using CbaMail.MailAuth;
using Xunit;

namespace CbaMail.Tests.Formats.MailAuth;

/// <summary>RFC 6376 3.4.3 and 3.4.4.</summary>
public partial class BodyHashTests
{
    static readonly byte[] Alphabet = "  \t\r\n\r\nab"u8.ToArray();

    static string Hash(string body, Canonicalization way) => Convert.ToBase64String(BodyHash.Of(Encoding.UTF8.GetBytes(body), way));

    static string Hash(string canonical) => Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)));

    [Theory]
    [InlineData("", "\r\n", "")]
    [InlineData("\r\n\r\n", "\r\n", "")]
    [InlineData(" \t\r\n \r\n", " \t\r\n \r\n", "")]
    [InlineData(" ", " \r\n", "")]
    [InlineData(" C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n")]
    [InlineData("no end", "no end\r\n", "no end\r\n")]
    [InlineData("a\r\n\r\nb\r\n", "a\r\n\r\nb\r\n", "a\r\n\r\nb\r\n")]
    [InlineData("a\nb\n\n", "a\r\nb\r\n", "a\r\nb\r\n")]
    [InlineData("a \rb\r\n", "a \rb\r\n", "a \rb\r\n")]
    [InlineData("a\r", "a\r\r\n", "a\r\r\n")]
    [InlineData("a\r\r\n", "a\r\r\n", "a\r\r\n")]
    [InlineData("\na", "\r\na\r\n", "\r\na\r\n")]
    [InlineData("x \r\n\t\r\n y\t\tz", "x \r\n\t\r\n y\t\tz\r\n", "x\r\n\r\n y z\r\n")]
    public void Canonical_forms(string body, string simple, string relaxed)
    {
        Assert.Equal(Hash(simple), Hash(body, Canonicalization.Simple));
        Assert.Equal(Hash(relaxed), Hash(body, Canonicalization.Relaxed));
    }

    [Fact]
    public void An_empty_body_has_the_hashes_that_the_RFC_prints()
    {
        Assert.Equal("frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=", Hash("", Canonicalization.Simple));
        Assert.Equal("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", Hash("", Canonicalization.Relaxed));
    }

    /// <summary>The rules once more, by regular expressions over the whole text.</summary>
    static string Slowly(string body, Canonicalization way)
    {
        body = LoneLineFeed().Replace(body, "\r\n");
        if (way == Canonicalization.Relaxed) body = WhiteAtEnd().Replace(White().Replace(body, " "), "");
        while (body.EndsWith("\r\n", StringComparison.Ordinal)) body = body[..^2];
        return body.Length > 0 || way == Canonicalization.Simple ? body + "\r\n" : "";
    }

    [GeneratedRegex("(?<!\r)\n")] private static partial Regex LoneLineFeed();
    [GeneratedRegex("[ \t]+")] private static partial Regex White();
    [GeneratedRegex(" (?=\r\n|$(?!\n))")] private static partial Regex WhiteAtEnd();

    public static TheoryData<Canonicalization> Ways => [Canonicalization.Simple, Canonicalization.Relaxed];

    [Theory]
    [MemberData(nameof(Ways))]
    public void Any_pieces_hash_as_the_whole_and_as_the_slow_rules_say(Canonicalization way)
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        for (var round = 0; round < 3000; round++)
        {
            var length = random.Next(random.Next(4) == 0 ? 9000 : 150);
            var plain = random.Next(60);
            var body = new byte[length];
            for (var i = 0; i < length; i++) body[i] = random.Next(100) < plain ? (byte)'x' : Alphabet[random.Next(Alphabet.Length)];
            var text = Encoding.ASCII.GetString(body);
            var canonical = Encoding.ASCII.GetBytes(Slowly(text, way));
            var limits = Enumerable.Range(0, 3).Select(_ => (long)random.Next(canonical.Length + 5)).ToArray();
            using var hash = new BodyHash(way, limits);
            for (var at = 0; at < length;)
            {
                var count = Math.Min(length - at, 1 + random.Next(random.Next(2) == 0 ? 3 : 5000));
                hash.Append(body.AsSpan(at, count));
                at += count;
            }

            var where = $"seed {seed} round {round}";
            Assert.True(hash.Finish().AsSpan().SequenceEqual(SHA256.HashData(canonical)), where);
            Assert.True(hash.Length == canonical.Length, where);
            foreach (var limit in limits)
                if (limit > canonical.Length) Assert.True(hash.Prefix(limit) is null, where);
                else Assert.True(SHA256.HashData(canonical.AsSpan(0, (int)limit)).AsSpan().SequenceEqual(hash.Prefix(limit)), where);
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void What_is_canonical_stays_as_it_is(Canonicalization way)
    {
        foreach (var body in new[] { "a\r\n", " a b\r\n\r\n c\r\n", "", "\r\n" })
        {
            var canonical = Slowly(body, way);
            Assert.Equal(Hash(canonical), Hash(canonical, way));
        }
    }
}
