using System.Text;
using CbaMail.Mailboxes;
using Xunit;

namespace CbaMail.Tests.Server.Pop3;

/// <summary>What is sent of a stored message, against slow models of RFC 1939 3, 5 and 7.</summary>
[Collection("pop3")]
public sealed class MessageTests(Pop3Fixture fixture)
{
    static readonly string[] Pieces = [".", "..", "\r\n", "\n", "\r", "\r\n.\r\n", "\n.\n", "a", "Subject: x\r\n", "\r\n\r\n", "й", "\0", "From: Анна <a@b>\r\n", "a long line " + new string('x', 3000)];

    static byte[] Random(Random random) =>
        Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, random.Next(random.Next(8) == 0 ? 300 : 14)).Select(_ => Pieces[random.Next(Pieces.Length)])));

    static string Lines(byte[] stored)
    {
        var text = Encoding.Latin1.GetString(stored).Replace("\r\n", "\n").Replace("\n", "\r\n");
        return text.Length == 0 || text.EndsWith('\n') ? text : text + (text.EndsWith('\r') ? "\n" : "\r\n");
    }

    // the header, the empty line, so many lines
    static string Top(string lines, int count)
    {
        var output = new StringBuilder();
        var inBody = false;
        foreach (var line in lines.Split("\r\n")[..^1])
        {
            if (inBody && count-- == 0) break;
            output.Append(line).Append("\r\n");
            inBody |= line.Length == 0;
        }
        return output.ToString();
    }

    [Fact]
    public async Task Any_octets_come_as_lines_and_LIST_counts_them()
    {
        var random = new Random(1939);
        var account = await fixture.AccountAsync();
        var messages = Enumerable.Range(0, 150).Select(_ => Random(random)).ToArray();
        await fixture.DeliverAsync(account, messages);
        await using var utf8 = await fixture.SignInAsync(account, first: "UTF8");
        var sizes = await utf8.LinesAsync("LIST");
        for (var i = 0; i < messages.Length; i++)
        {
            var expected = Lines(messages[i]);
            var got = await utf8.MessageAsync($"RETR {i + 1}");
            Assert.True(expected == got, $"seed 1939, message {i}: {Show(messages[i])}\ngot: {Show(Encoding.Latin1.GetBytes(got))}");
            Assert.Equal($"{i + 1} {expected.Length}", sizes[i]);
            var count = random.Next(5);
            var top = await utf8.MessageAsync($"TOP {i + 1} {count}");
            Assert.True(Top(expected, count) == top, $"seed 1939, TOP {count} of message {i}: {Show(messages[i])}\ngot: {Show(Encoding.Latin1.GetBytes(top))}");
        }
        await utf8.OkAsync("QUIT");
        await utf8.Running;

        await using var plain = await fixture.SignInAsync(account);
        sizes = await plain.LinesAsync("LIST");
        for (var i = 0; i < messages.Length; i++)
        {
            var got = await plain.MessageAsync($"RETR {i + 1}");
            Assert.True($"{i + 1} {got.Length}" == sizes[i], $"seed 1939, surrogate of message {i}: {Show(messages[i])}: {got.Length}, not {sizes[i]}");
        }
        Assert.Equal((await plain.OkAsync("STAT")).Split(' ')[1], sizes.Sum(line => long.Parse(line.Split(' ')[1], null)).ToString(null as IFormatProvider));
    }

    static string Show(byte[] bytes) => Encoding.UTF8.GetString(bytes).Replace("\r", "\\r").Replace("\n", "\\n");

    [Fact]
    public async Task Fields_of_the_delivery_count_and_are_sent_first()
    {
        var account = await fixture.AccountAsync();
        using var staged = fixture.Mail.Stage(Encoding.UTF8.GetBytes("Subject: Тема\r\n\r\ntext"));
        var prefix = Encoding.UTF8.GetBytes("Return-Path: <имя@пример.рф>\r\nDelivered-To: a@example.test\r\n");
        var inbox = fixture.Inbox(account).Id;
        await fixture.Store.CommitAsync(t => fixture.Mail.AddMessage(t, inbox, new NewMessage(fixture.Mail.AddContent(t, staged), prefix, MessageFlags.None, [], DateTimeOffset.UnixEpoch), 0), default);
        foreach (var first in new[] { "UTF8", "NOOP" })
        {
            await using var client = first == "UTF8" ? await fixture.SignInAsync(account, first: first) : await fixture.SignInAsync(account);
            var size = (await client.OkAsync("LIST 1")).Split(' ')[1];
            var got = await client.MessageAsync("RETR 1");
            Assert.Equal(size, got.Length.ToString(null as IFormatProvider));
            Assert.StartsWith("Return-Path: <", got);
            Assert.EndsWith("\r\n\r\ntext\r\n", got);
            Assert.Equal(first != "UTF8", Ascii.IsValid(got));
            await client.OkAsync("QUIT");
            await client.Running;
        }
    }

    [Fact]
    public async Task Large_messages_and_very_long_lines_are_streamed()
    {
        var account = await fixture.AccountAsync();
        var line = new string('x', 3_000_000);
        var many = string.Concat(Enumerable.Repeat(".line of a large message\r\n", 100_000));
        await fixture.DeliverAsync(account, $"Subject: long\r\n\r\n{line}\r\n.{line}", $"Subject: many\r\n\r\n{many}");
        await using var client = await fixture.SignInAsync(account);
        var got = await client.MessageAsync("RETR 1");
        Assert.Equal($"Subject: long\r\n\r\n{line}\r\n.{line}\r\n".Length, got.Length);
        Assert.Equal($"1 {got.Length}", await client.OkAsync("LIST 1"));
        Assert.Equal($"Subject: many\r\n\r\n{many}", await client.MessageAsync("RETR 2"));
    }
}
