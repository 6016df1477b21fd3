using System.Text;
using CbaMail.Tests.Wire;

namespace CbaMail.Tests.EndToEnd;

/// <summary>Messages for the clients to send.</summary>
internal static class Letter
{
    public static string Text(string from, string to, string subject, string body = "Hello.\r\n", string more = "") =>
        $"From: {from}\r\nTo: {to}\r\nSubject: {subject}\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n"
        + $"Message-ID: <{Guid.NewGuid():N}@client.example.org>\r\n{more}MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        + $"Content-Transfer-Encoding: 8bit\r\n\r\n{body}";

    /// <summary>Puts a message into a mailbox by SMTP, without a client of others.</summary>
    public static async Task SendAsync(int port, string from, string to, string text, string verb = "EHLO")
    {
        await using var client = await WireClient.SmtpHelloAsync(port, verb: verb);
        await client.SmtpAsync($"MAIL FROM:<{from}>", "250");
        await client.SmtpAsync($"RCPT TO:<{to}>", "250");
        await client.SmtpAsync("DATA", "354");
        await client.SendAsync(text.Replace("\r\n.", "\r\n..", StringComparison.Ordinal));
        await client.SmtpAsync(text.EndsWith("\r\n", StringComparison.Ordinal) ? "." : "\r\n.", "250");
        await client.SmtpAsync("QUIT", "221");
    }

    /// <summary>Appends many messages to a mailbox over one connection.</summary>
    public static async Task AppendManyAsync(int imapPort, string address, string mailbox, int count, Func<int, string> text)
    {
        await using var client = await WireClient.ImapLoginAsync(imapPort, address);
        for (var piece = 0; piece < count; piece += 50)
        {
            var batch = new StringBuilder();
            var last = Math.Min(piece + 50, count);
            for (var i = piece; i < last; i++)
            {
                var message = text(i);
                batch.Append($"p{i} APPEND {mailbox} {{{Encoding.UTF8.GetByteCount(message)}+}}\r\n{message}\r\n");
            }
            var sending = client.SendAsync(batch.ToString());
            for (var i = piece; i < last; i++) Xunit.Assert.StartsWith("OK", (await client.ImapLinesAsync($"p{i}"))[^1]);
            await sending;
        }
        await client.ImapAsync("LOGOUT", "OK");
    }

    /// <summary>The number of messages in a mailbox, as STATUS says.</summary>
    public static async Task<int> CountAsync(int imapPort, string address, string mailbox = "INBOX")
    {
        await using var client = await WireClient.ImapLoginAsync(imapPort, address);
        var line = (await client.ImapAsync($"STATUS {mailbox} (MESSAGES)", "OK"))[0];
        return int.Parse(line[(line.IndexOf("MESSAGES ", StringComparison.Ordinal) + 9)..].TrimEnd(')'), null);
    }

    /// <summary>The whole text of every message of a mailbox.</summary>
    public static async Task<List<string>> AllAsync(int imapPort, string address, string mailbox = "INBOX", string password = TestServer.Password)
    {
        await using var client = await WireClient.ImapLoginAsync(imapPort, address, password);
        await client.ImapAsync($"SELECT {mailbox}", "OK");
        var lines = await client.ImapAsync("UID FETCH 1:* (BODY.PEEK[])", "OK");
        return [.. lines.Where(l => l.StartsWith("* ", StringComparison.Ordinal) && l.Contains(" FETCH (", StringComparison.Ordinal))];
    }
}
