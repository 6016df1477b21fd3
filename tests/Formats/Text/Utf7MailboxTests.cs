using CbaMail.Text;
using Xunit;

namespace CbaMail.Tests.Formats.Text;

public class Utf7MailboxTests
{
    // RFC 3501 5.1.3
    [Theory]
    [InlineData("INBOX", "INBOX")]
    [InlineData("a&b", "a&-b")]
    [InlineData("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-")]
    [InlineData("Отправленные", "&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-")]
    [InlineData("😀", "&2D3eAA-")]
    [InlineData("\t", "&AAk-")]
    [InlineData("", "")]
    public void Both_ways(string text, string name)
    {
        Assert.Equal(name, Utf7Mailbox.Encode(text));
        Assert.True(Utf7Mailbox.TryDecode(name, out var back));
        Assert.Equal(text, back);
    }

    [Theory]
    [InlineData("&")]
    [InlineData("&U,BT")]
    [InlineData("&AGE-")] // printable ASCII may not be encoded
    [InlineData("&U,BTFw-&ZeVnLIqe-")] // superfluous shift
    [InlineData("&U-")]
    [InlineData("&2D0-")] // half a surrogate pair
    [InlineData("&U/BTFw-")]
    [InlineData("Отправленные")]
    [InlineData("&U,BTFx-")] // padding bits
    public void Refuses_what_is_not_well_formed(string name) => Assert.False(Utf7Mailbox.TryDecode(name, out _));

    [Fact]
    public void Random_names_read_back()
    {
        for (var seed = 0; seed < 2000; seed++)
        {
            var random = new Random(seed);
            var text = string.Concat(Enumerable.Range(0, random.Next(20)).Select(_ => random.Next(4) switch { 0 => "&", 1 => ((char)random.Next(32, 127)).ToString(), 2 => char.ConvertFromUtf32(random.Next(0x10000, 0x10FFFF)), _ => ((char)random.Next(0x80, 0xD800)).ToString() }));
            Assert.True(Utf7Mailbox.TryDecode(Utf7Mailbox.Encode(text), out var back));
            Assert.Equal(text, back);
        }
    }
}
