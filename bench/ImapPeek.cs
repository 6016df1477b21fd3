using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace CbaMail.Bench;

/// <summary>A client that looks into a mailbox from outside.</summary>
internal sealed partial class ImapPeek(Stream stream) : IDisposable
{
    private const int End = 1000;
    private readonly byte[] buffer = new byte[64 * 1024];
    private int tag;

    public static async Task<ImapPeek> OpenAsync(int port, string user, bool tls = false)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port));
        Stream stream = new NetworkStream(socket, ownsSocket: true);
        if (tls)
        {
            var secured = new SslStream(stream, leaveInnerStreamOpen: false, (_, _, _, _) => true);
            await secured.AuthenticateAsClientAsync("bench.test");
            stream = secured;
        }
        var peek = new ImapPeek(stream);
        await peek.UntilAsync("* OK");
        await peek.AskAsync($"LOGIN {user} benchpass");
        return peek;
    }

    public async Task<int> CountAsync() =>
        int.Parse(Messages.Match(await AskAsync("STATUS INBOX (MESSAGES)")).Groups[1].Value, CultureInfo.InvariantCulture);

    /// <summary>A field of each message, unfolded.</summary>
    public async Task<List<string>> FieldsAsync(string name)
    {
        await AskAsync("EXAMINE INBOX");
        var answer = await AskAsync($"FETCH 1:* (BODY.PEEK[HEADER.FIELDS ({name})])");
        return [.. Fetched.Split(answer).Skip(1).Select(text => Fold.Replace(text, " "))];
    }

    /// <summary>The answer to a command, which must succeed.</summary>
    public Task<string> AskAsync(string line) => AnswerAsync(line, default, whole: true);

    /// <summary>The end of the answer, which may be long, to a command that must succeed.</summary>
    /// <param name="literal">What follows the line where it ends with a non-synchronising literal.</param>
    public Task<string> RunAsync(string line, ReadOnlyMemory<byte> literal = default) => AnswerAsync(line, literal, whole: false);

    private async Task<string> AnswerAsync(string line, ReadOnlyMemory<byte> literal, bool whole)
    {
        var mine = string.Create(CultureInfo.InvariantCulture, $"a{++tag}");
        await stream.WriteAsync(Encoding.UTF8.GetBytes($"{mine} {line}\r\n"));
        if (literal.Length > 0) await stream.WriteAsync((byte[])[.. literal.Span, 13, 10]);
        var answer = await UntilAsync(mine + " ", whole);
        return answer.Contains(mine + " OK", StringComparison.Ordinal) ? answer : throw new InvalidOperationException($"IMAP, {line}: {answer}");
    }

    /// <summary>Appends messages by one command.</summary>
    public Task AppendAsync(string mailbox, IReadOnlyList<byte[]> letters, string flags = "")
    {
        var rest = new MemoryStream();
        foreach (var (index, letter) in letters.Index())
        {
            if (index > 0) rest.Write(Encoding.ASCII.GetBytes($" {flags} {{{letter.Length}+}}\r\n".Replace("  ", " ", StringComparison.Ordinal)));
            rest.Write(letter);
        }
        return RunAsync($"APPEND {mailbox} {flags} {{{letters[0].Length}+}}".Replace("  ", " ", StringComparison.Ordinal), rest.ToArray());
    }

    public async Task IdleAsync()
    {
        await AskAsync("SELECT INBOX");
        await stream.WriteAsync("i IDLE\r\n"u8.ToArray());
        await UntilAsync("+");
    }

    /// <summary>Waits in IDLE until the server says that a message has come.</summary>
    public async Task ToldAsync()
    {
        var answer = "";
        while (!answer.Contains(" EXISTS", StringComparison.Ordinal))
        {
            var got = await stream.ReadAsync(buffer);
            if (got == 0) throw new InvalidOperationException("the IMAP server closed");
            answer += Encoding.Latin1.GetString(buffer, 0, got);
        }
    }

    private async Task<string> UntilAsync(string start, bool whole = true)
    {
        var answer = new StringBuilder();
        while (true)
        {
            var got = await stream.ReadAsync(buffer);
            if (got == 0) throw new InvalidOperationException("the IMAP server closed");
            if (!whole && answer.Length > End) answer.Remove(0, answer.Length - End);
            var from = whole ? 0 : Math.Max(0, got - End);
            answer.Append(Encoding.Latin1.GetString(buffer, from, got - from));
            if (buffer[got - 1] != '\n') continue;
            var last = answer.ToString(Math.Max(0, answer.Length - End), Math.Min(End, answer.Length));
            if (last[(last.LastIndexOf('\n', last.Length - 2) + 1)..].StartsWith(start, StringComparison.Ordinal)) return answer.ToString();
        }
    }

    public void Dispose() => stream.Dispose();

    [GeneratedRegex(@"MESSAGES (\d+)")]
    private static partial Regex Messages { get; }
    [GeneratedRegex(@"^\* \d+ FETCH ", RegexOptions.Multiline)]
    private static partial Regex Fetched { get; }
    [GeneratedRegex(@"\r\n[ \t]+")]
    private static partial Regex Fold { get; }
}
