using System.Text;
using CbaMail.Mime;
using Xunit;

namespace CbaMail.Tests.Formats.Mime;

public sealed class MessageEditsTests
{
    const string Message = "Received: by us\r\nX-A: 1\r\nx-a: 2\r\nSubject: a\r\n folded\r\n\r\nbody\r\n";

    static byte[] B(string text) => Encoding.Latin1.GetBytes(text);
    static MessageEdits Of(string message) => new(B(message), "Received"u8);
    static string Text(MessageEdits edits) => Encoding.Latin1.GetString([.. edits.Pieces().SelectMany(piece => piece.ToArray())]);

    [Fact]
    public void Nothing_changed_is_the_same_message() => Assert.Equal(Message, Text(Of(Message)));

    [Fact]
    public void The_servers_own_field_is_not_seen()
    {
        Assert.Equal(["X-A", "x-a", "Subject"], Of(Message).Fields().Select(f => Encoding.ASCII.GetString(f.Name.Span)));
        var edits = Of(Message);
        Assert.False(edits.Change("Received"u8, 1, B(" forged")));
        Assert.StartsWith("Received: by us\r\nX-A: 1", Text(edits), StringComparison.Ordinal);
        Assert.Contains(" folded\r\nReceived: forged\r\n\r\n", Text(edits), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "Received: by us\r\nNew: x\r\nX-A: 1\r\n")] // above it stands nobody
    [InlineData(1, "Received: by us\r\nNew: x\r\nX-A: 1\r\n")]
    [InlineData(2, "Received: by us\r\nX-A: 1\r\nNew: x\r\nx-a: 2\r\n")]
    [InlineData(4, " folded\r\nNew: x\r\n\r\nbody")]
    [InlineData(int.MaxValue, " folded\r\nNew: x\r\n\r\nbody")]
    public void An_inserted_field_has_as_many_before_it(int index, string expected)
    {
        var edits = Of(Message);
        edits.Insert(index, "New"u8, " x"u8);
        Assert.Contains(expected, Text(edits), StringComparison.Ordinal);
    }

    [Fact]
    public void Fields_of_a_name_are_counted_as_they_are_now()
    {
        var edits = Of(Message);
        Assert.True(edits.Change("X-A"u8, 1, null));
        Assert.True(edits.Change("X-A"u8, 1, B(" new"))); // it was the second
        Assert.False(edits.Change("X-A"u8, 2, null));
        Assert.Equal("Received: by us\r\nX-A: new\r\nSubject: a\r\n folded\r\n\r\nbody\r\n", Text(edits));
    }

    [Fact]
    public void Index_0_is_the_first_too() // as Sendmail and Postfix read it
    {
        var edits = Of(Message);
        Assert.True(edits.Change("X-A"u8, 0, null));
        Assert.StartsWith("Received: by us\r\nx-a: 2\r\n", Text(edits), StringComparison.Ordinal);
    }

    [Fact]
    public void What_stands_above_the_servers_own_may_go_and_the_place_for_new_ones_stays()
    {
        var edits = Of("Authentication-Results: us\r\n" + Message);
        Assert.Equal(1, edits.Remove("authentication-results"u8));
        edits.Insert(0, "New"u8, " x"u8);
        Assert.StartsWith("Received: by us\r\nNew: x\r\nX-A: 1\r\n", Text(edits), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(" a\nb", "X: a\r\n\tb\r\n")]
    [InlineData(" a\r\n b\r\n", "X: a\r\n b\r\n")]
    [InlineData(" a\n\n\r\n \r\nBcc: x", "X: a\r\n\tBcc: x\r\n")]
    [InlineData(" a\rb\0c", "X: a b c\r\n")]
    [InlineData("", "X:\r\n")]
    [InlineData(" \xd0\xbf\xd1\x80\xff", "X: \xd0\xbf\xd1\x80\xff\r\n")]
    public void A_value_is_one_field_whatever_it_holds(string value, string expected)
    {
        var edits = Of("A: 1\r\n\r\n");
        edits.Append("X"u8, B(value));
        Assert.Equal("A: 1\r\n" + expected + "\r\n", Text(edits));
    }

    [Fact]
    public void No_line_grows_too_long()
    {
        var edits = Of("A: 1\r\n\r\n");
        edits.Append("X"u8, B(" " + string.Join(' ', Enumerable.Repeat("word", 800)) + new string('x', 3000)));
        var lines = Text(edits).Split("\r\n");
        Assert.All(lines, line => Assert.True(line.Length <= 998, line));
        Assert.Equal("A", lines[0][..1]);
        Assert.All(lines[2..^2], line => Assert.StartsWith(" ", line, StringComparison.Ordinal));
        Assert.Equal(800, Text(edits).Split("word").Length - 1);
    }

    [Fact]
    public void A_body_without_an_empty_line_before_it_gets_one()
    {
        var edits = Of("Received: by us\r\nthis is no field\r\n");
        edits.Append("X"u8, " 1"u8);
        Assert.Equal("Received: by us\r\nX: 1\r\n\r\nthis is no field\r\n", Text(edits));
    }

    [Fact]
    public void Another_body_comes_in_pieces_cut_anywhere()
    {
        const string body = "a\nb\r\nc\rd\r\r\n\n";
        for (var cut = 0; cut <= body.Length; cut++)
        {
            var edits = Of(Message);
            edits.ReplaceBody(B(body[..cut]));
            edits.ReplaceBody(B(body[cut..]));
            Assert.EndsWith(" folded\r\n\r\na\r\nb\r\nc\r\nd\r\n\r\n\r\n", Text(edits), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_body_may_be_taken_away()
    {
        var edits = Of(Message);
        edits.ReplaceBody(default);
        Assert.EndsWith(" folded\r\n\r\n", Text(edits), StringComparison.Ordinal);
        Assert.True(edits.IsChanged);
    }

    [Fact]
    public void Whatever_is_done_a_reader_finds_the_fields_that_were_put_in()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var round = 0; round < 3000; round++)
        {
            var message = new byte[random.Next(120)];
            foreach (ref var b in message.AsSpan()) b = "Received: X\r\n\t y.:\n\0\xff"u8[random.Next(22)];
            byte[] all = [.. B("Received: by us\r\nX: 1\r\n"), .. message];
            var edits = new MessageEdits(all, "Received"u8);
            var value = new byte[random.Next(40)];
            foreach (ref var b in value.AsSpan()) b = "abc \r\n\t:\0\xd0"u8[random.Next(10)];
            edits.Insert(random.Next(6), "X-Put"u8, value);
            edits.Append("X-Put"u8, value);
            if (random.Next(2) == 0) edits.ReplaceBody(value);
            var after = HeaderList.Parse(B(Text(edits)));
            Assert.True(after.All("X-Put").Count() == 2, $"seed {seed}, round {round}: {Convert.ToHexString(all)} {Convert.ToHexString(value)}");
            Assert.Equal("Received", after[0].Name);
        }
    }
}
