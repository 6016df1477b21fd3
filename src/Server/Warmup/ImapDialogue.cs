using System.IO.Pipelines;
using System.Text;
using CbaMail.Config;
using CbaMail.Imap;
using CbaMail.Net;

namespace CbaMail.Warmup;

/// <summary>
/// A mail program that asks for everything once: what people's programs say to the server first, over a pair of pipes. Much of it in a mailbox that is large
/// enough for what small ones never come to: a second core that helps, answers that are remembered, commands that pause for others.
/// </summary>
static class ImapDialogue
{
    const int Longest = 4096; // of the tagged answers; that to LOGIN tells the capabilities

    static readonly string[] Commands =
    [
        "SELECT INBOX",
        "FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE)", "FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)", "FETCH 1:* FAST",
        "FETCH 1:* (BODY.PEEK[])", "FETCH 1:* (BODY.PEEK[HEADER])", "FETCH 1:* (BODY.PEEK[TEXT])", "FETCH 1:* (BODY.PEEK[1])",
        "FETCH 1:* (BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE)])", "UID FETCH 1:* (UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (X-TUID MESSAGE-ID)])",
        "CREATE Copies", "COPY 1:* Copies", "MOVE 1:2 Copies", "STATUS Copies (MESSAGES UNSEEN UIDNEXT)", "LIST \"\" \"*\"",
        "SELECT Copies", .. Enumerable.Repeat("COPY 1:* Copies", 7), "SELECT INBOX", "SELECT Copies", // 12 messages are 1,536
        "FETCH 1:* (FLAGS)", "STORE 1:* +FLAGS.SILENT (\\Seen)", "STORE 1:* +FLAGS (\\Flagged)", "STORE 1:* -FLAGS (\\Flagged)",
        "SEARCH SUBJECT \"nothing\"", "SEARCH FROM \"first\"", "SEARCH HEADER CONTENT-TYPE \"nothing\"", "SEARCH TEXT \"nothing\"", "SEARCH BODY \"warm\"",
        "UID SEARCH RETURN (ALL) UNSEEN SENTSINCE 1-Jan-2016 LARGER 100",
        "SORT (SUBJECT) UTF-8 ALL", "SORT (REVERSE DATE) UTF-8 ALL", "THREAD REFERENCES UTF-8 ALL", "THREAD REFS UTF-8 ALL", "THREAD ORDEREDSUBJECT UTF-8 ALL",
        "STORE 1:* +FLAGS.SILENT (\\Deleted)", "EXPUNGE", "NOOP",
        "SELECT INBOX", "FETCH 1 (BODY[])", "STORE 1:* -FLAGS (\\Seen)", "STORE 1 +FLAGS (\\Answered)", "UID STORE 2:* +FLAGS ($Label)", "IDLE\r\nDONE", "CLOSE", "LOGOUT",
    ];

    /// <summary>Plays all of it in a session of its own, and waits for its end.</summary>
    public static async Task PlayAsync(ImapHandler imap, string user, string password, CancellationToken cancel)
    {
        var (up, down) = (new Pipe(), new Pipe());
        var session = imap.RunAsync(Connection.Over(new Side(up.Reader, down.Writer), new ListenerSettings { Protocol = Protocol.Imap }, stopping: cancel));
        IEnumerable<string> letters = [.. Enumerable.Range(1, 8).Select(Literal), Literal(9) + " " + Literal(10)]; // the last two by one command (RFC 3502)
        string[] all = [$"LOGIN {user} \"{password}\"", .. letters.Select(letter => "APPEND INBOX " + letter), .. Commands];
        foreach (var command in all)
        {
            await up.Writer.WriteAsync(Encoding.ASCII.GetBytes($"w {command}\r\n"), cancel);
            var answer = await AnswerAsync(down.Reader, cancel);
            if (!answer.StartsWith("w OK", StringComparison.Ordinal)) throw new InvalidOperationException($"{command}: {answer}");
        }
        await session;
    }

    // as most mail is: text and HTML
    static string Literal(int number)
    {
        var message = $"From: First <first@example.org>\r\nTo: Last <last@example.org>\r\nSubject: Re: number {number} =?utf-8?B?0L/RgNC40LLQtdGC?=\r\n"
            + $"Date: Mon, 02 Feb 2026 10:00:00 +0000\r\nMessage-ID: <{number}@example.org>\r\nReferences: <{number - 1}@example.org>\r\nMIME-Version: 1.0\r\n"
            + "Content-Type: multipart/alternative; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHow warm it is here.\r\n"
            + "--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body><p>How <b>warm</b> it is here.</p></body></html>\r\n--b--\r\n";
        return $"{{{message.Length}+}}\r\n{message}"; // RFC 7888 4
    }

    // reads up to the tagged answer, the last line of what has come; without one the session is over
    static async ValueTask<string> AnswerAsync(PipeReader reader, CancellationToken cancel)
    {
        while (true)
        {
            var read = await reader.ReadAsync(cancel);
            var rest = read.Buffer.Slice(Math.Max(0, read.Buffer.Length - Longest));
            var text = Encoding.Latin1.GetString(rest);
            var line = text.EndsWith("\r\n", StringComparison.Ordinal) ? text[(text.LastIndexOf('\n', text.Length - 2) + 1)..] : "";
            var ended = read.IsCompleted || line.StartsWith("w ", StringComparison.Ordinal);
            reader.AdvanceTo(ended ? read.Buffer.End : rest.Start, read.Buffer.End);
            if (ended) return line;
        }
    }

    sealed record Side(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
