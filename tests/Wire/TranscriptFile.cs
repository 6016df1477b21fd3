using System.Text.RegularExpressions;
using System.Text;
using Xunit;

namespace CbaMail.Tests.Wire;

/// <summary>
/// A dialogue that a mail person can read and extend without C#: a text file of lines.
/// <code>
/// # comment
/// port: imap                 first line: smtp, submission, submissions, lmtp, imap, imaps, pop3 or pop3s
/// C: a1 SELECT INBOX         is sent with CRLF; {anna}, {password} and the like are put in, \r \n \t \0 \\ and \xHH are bytes
/// C| part                    the same without CRLF
/// C*70000 x                  that many times the text, without CRLF
/// S: a1 OK *                 the next line; * stands for anything, the rest is literal
/// S~ a1 OK *                 skips lines until one matches
/// S!                         the server closes
/// TLS                        handshake
/// </code>
/// </summary>
internal static partial class TranscriptFile
{
    [GeneratedRegex(@"\\(?:x(?<hex>[0-9A-Fa-f]{2})|(?<plain>[rnt0\\]))")]
    private static partial Regex Escape { get; }

    /// <summary>Plays a file; each "port:" line opens a connection and hangs up the one before.</summary>
    /// <param name="path">The file.</param>
    /// <param name="connect">Opens a connection to the port of that name.</param>
    /// <param name="words">What stands for {word}.</param>
    /// <param name="deed">Does what a line of another kind asks for; false where it is none of its.</param>
    public static async Task RunAsync(string path, Func<string, Task<ITranscriptClient>> connect, Func<IReadOnlyDictionary<string, string>> words, Func<string, Task<bool>>? deed = null)
    {
        var lines = await File.ReadAllLinesAsync(path);
        ITranscriptClient? client = null;
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i];
            if (line.Length == 0 || line[0] == '#') continue;
            if (line.StartsWith("port:", StringComparison.Ordinal))
            {
                if (client is not null) await client.DisposeAsync();
                client = await connect(line[5..].Trim());
                continue;
            }
            line = Replace(line, words());
            if (deed is not null && await deed(line)) continue;
            if (client is null) throw new InvalidOperationException($"{path}: the first line must be port: NAME");
            try
            {
                await StepAsync(client, line);
            }
            catch (Exception e) when (e is Xunit.Sdk.XunitException or IOException or FormatException or OperationCanceledException)
            {
                Assert.Fail($"{Path.GetFileName(path)}:{i + 1}: {line}\n{e.Message}");
            }
        }
        if (client is not null) await client.DisposeAsync();
    }

    private static string Replace(string line, IReadOnlyDictionary<string, string> words)
    {
        foreach (var (word, value) in words) line = line.Replace("{" + word + "}", value, StringComparison.Ordinal);
        return line;
    }

    private static async Task StepAsync(ITranscriptClient client, string line)
    {
        var rest = line.Length > 3 ? line[3..] : "";
        if (line.StartsWith("C:", StringComparison.Ordinal)) await client.SendAsync((byte[])[.. Bytes(rest), .. "\r\n"u8]);
        else if (line.StartsWith("C|", StringComparison.Ordinal)) await client.SendAsync(Bytes(rest));
        else if (line.StartsWith("C*", StringComparison.Ordinal))
        {
            var space = line.IndexOf(' ');
            await client.SendAsync(Bytes(string.Concat(Enumerable.Repeat(line[(space + 1)..], int.Parse(line.AsSpan(2, space - 2), null)))));
        }
        else if (line.StartsWith("S:", StringComparison.Ordinal))
        {
            var got = await client.ReadLineAsync();
            if (got is null || !Matches(rest, got)) Assert.Fail($"got: {got ?? "(closed)"}");
        }
        else if (line.StartsWith("S~", StringComparison.Ordinal))
        {
            var seen = new StringBuilder();
            while (await client.ReadLineAsync() is { } got)
            {
                if (Matches(rest, got)) return;
                seen.Append(got).Append('\n');
            }
            Assert.Fail($"it did not come; got:\n{seen}(closed)");
        }
        else if (line == "S!")
        {
            if (await client.ReadLineAsync() is { } more) Assert.Fail($"not closed, got: {more}");
        }
        else if (line == "TLS") await client.StartTlsAsync();
        else throw new FormatException("a line begins with C:, C|, C*, S:, S~, S! or TLS");
    }

    private static bool Matches(string pattern, string line) =>
        Regex.IsMatch(line, "^" + Regex.Escape(pattern).Replace("\\*", ".*", StringComparison.Ordinal) + "$", RegexOptions.Singleline);

    /// <summary>The octets of a text with \r \n \t \0 \\ and \xHH.</summary>
    public static byte[] Bytes(string text)
    {
        var bytes = new List<byte>();
        var from = 0;
        foreach (Match m in Escape.Matches(text))
        {
            bytes.AddRange(Encoding.UTF8.GetBytes(text[from..m.Index]));
            bytes.Add(m.Groups["hex"].Success ? Convert.ToByte(m.Groups["hex"].Value, 16)
                : m.Groups["plain"].Value switch { "r" => (byte)13, "n" => (byte)10, "t" => (byte)9, "0" => (byte)0, _ => (byte)'\\' });
            from = m.Index + m.Length;
        }
        bytes.AddRange(Encoding.UTF8.GetBytes(text[from..]));
        return [.. bytes];
    }
}
