using System.Text;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Dkim;
using Xunit;

namespace CbaMail.Tests.Formats.MailAuth;

/// <summary>RFC 6376 3.2.</summary>
public class TagListTests
{
    static TagList? Parse(string text, out string problem) => TagList.Parse(Encoding.UTF8.GetBytes(text), out problem);

    [Theory]
    [InlineData("a=1;b=2", "a=1|b=2")]
    [InlineData(" a = 1 ;\r\n\tb=\r\n 2 ; ", "a=1|b=2")]
    [InlineData("a=", "a=")]
    [InlineData("a=x=y;", "a=x=y")]
    [InlineData("A=1;a=2", "A=1|a=2")]
    [InlineData("long_name2=a  b", "long_name2=a  b")]
    [InlineData("d=пример.рф", "d=пример.рф")]
    public void Lists(string text, string tags)
    {
        var list = Parse(text, out _);
        Assert.NotNull(list);
        Assert.Equal(tags, string.Join('|', list.Tags.Select(t => $"{t.Name}={list.Text(t.Name)}")));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \r\n ")]
    [InlineData(";")]
    [InlineData("a=1;;b=2")]
    [InlineData("a=1;;")]
    [InlineData("a=1; b")]
    [InlineData("=1")]
    [InlineData("1a=1")]
    [InlineData("a b=1")]
    [InlineData("a-b=1")]
    [InlineData("a=1;b=2;a=3")]
    [InlineData("a=\0")]
    [InlineData("a=\x7f")]
    public void Not_lists(string text)
    {
        Assert.Null(Parse(text, out var problem));
        Assert.NotEmpty(problem);
    }

    [Theory]
    [InlineData("YWJj", "abc")]
    [InlineData(" Y W\r\n Jj ", "abc")]
    [InlineData("YWI=", "ab")]
    [InlineData("YWI", "ab")]
    [InlineData("YQ==", "a")]
    [InlineData("", "")]
    public void Base64(string text, string bytes)
    {
        Assert.True(TagList.TryBase64(Encoding.ASCII.GetBytes(text), out var decoded));
        Assert.Equal(bytes, Encoding.ASCII.GetString(decoded));
    }

    [Theory]
    [InlineData("YWJ=j")]
    [InlineData("Y")]
    [InlineData("YW-j")]
    [InlineData("YQ===")]
    public void Not_base64(string text) => Assert.False(TagList.TryBase64(Encoding.ASCII.GetBytes(text), out _));

    [Fact]
    public void Any_bytes_are_read_or_refused()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var pieces = new[] { "v=1", "a=rsa-sha256", "d=example.com", "s=x", ";", "=", "b=", "bh=YWJj", "h=from:to", " ", "\r\n ", "i=@", "l=9999999999999999999999", "t=5", "x=4", "c=relaxed/", "\0", "ы", "p=", "k=rsa", "q=dns/txt" };
        for (var round = 0; round < 20000; round++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(20)).Select(_ => random.Next(8) == 0 ? ((char)random.Next(256)).ToString() : pieces[random.Next(pieces.Length)] + (random.Next(2) == 0 ? ";" : "")));
            var bytes = Encoding.UTF8.GetBytes("DKIM-Signature:" + text);
            try
            {
                // what is accepted gives back its tags when written again
                if (Parse(text, out var problem) is { } list)
                {
                    var again = Parse(string.Join(';', list.Tags.Select(t => $"{t.Name}={list.Text(t.Name)}")), out _);
                    Assert.Equal(list.Tags.Select(t => (t.Name, list.Text(t.Name))), again!.Tags.Select(t => (t.Name, again.Text(t.Name))));
                }
                else Assert.NotEmpty(problem);

                foreach (var kind in Enum.GetValues<SignatureKind>()) DkimSignature.Read(bytes, new(0, 14, 15, bytes.Length), 0, kind);
                DkimRecord.Parse(text, out _);
                AuthenticationResults.Parse(Encoding.UTF8.GetBytes(text));
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"seed {seed} round {round}: {text}\n{e}");
            }
        }
    }
}
