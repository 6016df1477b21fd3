using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using CbaMail.Tests.House;
using Xunit;

namespace CbaMail.Tests.Server.Imap;

/// <summary>
/// Plays tests/Transcripts/imap/*.session against a session over the real vault. The language is that of Wire/TranscriptFile:
/// C: C| C* S: S~ S!, with {anna}, {boris} and {password}; each file has accounts of its own.
/// </summary>
[Collection("imap")]
public sealed partial class TranscriptTests(ImapFixture fixture)
{
    [GeneratedRegex(@"\\(?:x(?<hex>[0-9A-Fa-f]{2})|(?<plain>[rnt0\\]))")]
    private static partial Regex Escape { get; }

    public static TheoryData<string> Files() =>
        [.. System.IO.Directory.GetFiles(Path.Combine(Repository.Root, "tests/Transcripts/imap"), "*.session").Select(f => Path.GetFileName(f)).Order()];

    [Theory, MemberData(nameof(Files))]
    public async Task Plays(string file)
    {
        var lines = await File.ReadAllLinesAsync(Path.Combine(Repository.Root, "tests/Transcripts/imap", file));
        var account = await fixture.AccountAsync();
        // a second one where the file speaks of him
        var other = lines.Any(line => line.Contains("{boris}", StringComparison.Ordinal)) ? await fixture.AccountAsync() : account;
        ImapClient? client = null;
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i].Replace("{anna}", account.Address.ToString(), StringComparison.Ordinal).Replace("{boris}", other.Address.ToString(), StringComparison.Ordinal).Replace("{password}", ImapFixture.Password, StringComparison.Ordinal);
            if (line.Length == 0 || line[0] == '#') continue;
            if (line.StartsWith("port:", StringComparison.Ordinal))
            {
                if (client is not null) await client.DisposeAsync();
                client = fixture.Connect();
                continue;
            }
            try { await StepAsync(client!, line); }
            catch (Exception e) when (e is Xunit.Sdk.XunitException or IOException or OperationCanceledException)
            {
                Assert.Fail($"{file}:{i + 1}: {line}\n{e.Message}");
            }
        }
        if (client is not null) await client.DisposeAsync();
    }

    static async Task StepAsync(ImapClient client, string line)
    {
        var rest = line.Length > 3 ? line[3..] : "";
        switch (line[..2])
        {
            case "C:": await client.SendAsync([.. Bytes(rest), .. "\r\n"u8]); break;
            case "C|": await client.SendAsync(Bytes(rest)); break;
            case "C*":
                var space = line.IndexOf(' ');
                await client.SendAsync(Bytes(string.Concat(Enumerable.Repeat(line[(space + 1)..], int.Parse(line.AsSpan(2, space - 2), CultureInfo.InvariantCulture)))));
                break;
            case "S:":
                var got = await client.TryLineAsync();
                if (got is null || !Matches(rest, got)) Assert.Fail($"got: {got ?? "(closed)"}");
                break;
            case "S~":
                var seen = new StringBuilder();
                while (true)
                {
                    var next = await client.TryLineAsync();
                    if (next is null) Assert.Fail($"it did not come; got:\n{seen}(closed)");
                    if (Matches(rest, next)) return;
                    seen.Append(next).Append('\n');
                }
            case "S!":
                if (await client.TryLineAsync() is { } more) Assert.Fail($"not closed, got: {more}");
                break;
            default: Assert.Fail("a line begins with C:, C|, C*, S:, S~ or S!"); break;
        }
    }

    static bool Matches(string pattern, string line) =>
        Regex.IsMatch(line, "^" + Regex.Escape(pattern).Replace("\\*", ".*", StringComparison.Ordinal) + "$", RegexOptions.Singleline);

    static byte[] Bytes(string text)
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
