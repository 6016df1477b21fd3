using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace CbaMail.Bench;

/// <summary>Looks into a mailbox from outside.</summary>
internal sealed partial class ImapPeek : IDisposable
{
    private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] buffer = new byte[64 * 1024];
    private int tag;

    private ImapPeek() { }

    public static async Task<ImapPeek> OpenAsync(int port, string user)
    {
        var peek = new ImapPeek();
        await peek.socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port));
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
    public async Task<string> AskAsync(string line)
    {
        var mine = string.Create(CultureInfo.InvariantCulture, $"a{++tag}");
        await socket.SendAsync(Encoding.UTF8.GetBytes($"{mine} {line}\r\n"));
        var answer = await UntilAsync(mine + " ");
        return answer.Contains(mine + " OK", StringComparison.Ordinal) ? answer : throw new InvalidOperationException($"IMAP, {line}: {answer}");
    }

    private async Task<string> UntilAsync(string start)
    {
        var answer = new StringBuilder();
        while (true)
        {
            var got = await socket.ReceiveAsync(buffer);
            if (got == 0) throw new InvalidOperationException("the IMAP server closed");
            answer.Append(Encoding.Latin1.GetString(buffer, 0, got));
            if (buffer[got - 1] != '\n') continue;
            var last = answer.ToString(Math.Max(0, answer.Length - 1000), Math.Min(1000, answer.Length));
            if (last[(last.LastIndexOf('\n', last.Length - 2) + 1)..].StartsWith(start, StringComparison.Ordinal)) return answer.ToString();
        }
    }

    public void Dispose() => socket.Dispose();

    [GeneratedRegex(@"MESSAGES (\d+)")]
    private static partial Regex Messages { get; }
    [GeneratedRegex(@"^\* \d+ FETCH ", RegexOptions.Multiline)]
    private static partial Regex Fetched { get; }
    [GeneratedRegex(@"\r\n[ \t]+")]
    private static partial Regex Fold { get; }
}
