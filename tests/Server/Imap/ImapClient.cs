using System.IO.Compression;
using System.Text;
using CbaMail.Imap;
using CbaMail.Tests.Server.Net;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Imap;

/// <summary>The other end of an IMAP session, for tests.</summary>
public sealed class ImapClient : SessionClient
{
    int tags;
    DeflateStream? deflate, inflate;

    internal ImapClient(MemoryTransport transport, Task running, SessionErrors errors, ImapSession session) : base(transport, running, errors) => Session = session;

    internal ImapSession Session { get; }

    public static string Message(int number, string body = "Hello\r\n") =>
        $"From: Anna <anna@example.test>\r\nTo: Boris <boris@example.test>\r\nSubject: Number {number}\r\nDate: Mon, 7 Feb 1994 21:52:25 -0800\r\nMessage-ID: <{number}@example.test>\r\n\r\n{body}";

    public override async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        if (deflate is null)
        {
            await base.SendAsync(bytes);
            return;
        }
        await deflate.WriteAsync(bytes);
        await deflate.FlushAsync();
    }

    public override Task<string?> TryLineAsync() => inflate is null ? base.TryLineAsync() : InflatedLineAsync();

    /// <summary>From here on both sides compress (RFC 4978).</summary>
    public void StartCompression()
    {
        deflate = new DeflateStream(Transport.Client.Output.AsStream(leaveOpen: true), CompressionLevel.Optimal, leaveOpen: true);
        inflate = new DeflateStream(Transport.Client.Input.AsStream(leaveOpen: true), CompressionMode.Decompress, leaveOpen: true);
    }

    /// <summary>Both streams are over: ours ends with its last block, the server's must (RFC 8437 4.1).</summary>
    public async Task EndCompressionAsync()
    {
        Assert.Equal(-1, await NextAsync());
        await deflate!.DisposeAsync();
        (deflate, inflate) = (null, null);
    }

    async Task<int> NextAsync()
    {
        using var late = new CancellationTokenSource(Wait.Patience);
        var one = new byte[1];
        try { return await inflate!.ReadAsync(one, late.Token) == 0 ? -1 : one[0]; }
        catch (InvalidDataException) { return -1; } // hung up in the middle of the stream
    }

    async Task<string?> InflatedLineAsync()
    {
        var line = new List<byte>();
        while (await NextAsync() is >= 0 and var next)
        {
            if (next == '\n') return Encoding.UTF8.GetString([.. line]).TrimEnd('\r');
            line.Add((byte)next);
        }
        return null;
    }

    /// <summary>Sends a command and gives all lines up to the tagged one, that included, without the tag.</summary>
    public async Task<List<string>> CommandAsync(string command)
    {
        var tag = $"t{++tags}";
        await SendAsync($"{tag} {command}\r\n");
        return await UntilAsync(tag);
    }

    public async Task<List<string>> UntilAsync(string tag)
    {
        var lines = new List<string>();
        while (true)
        {
            var line = await LineAsync();
            if (line.StartsWith(tag + " ", StringComparison.Ordinal))
            {
                lines.Add(line[(tag.Length + 1)..]);
                return lines;
            }
            lines.Add(line);
        }
    }

    /// <summary>The untagged lines of a command that must succeed.</summary>
    public async Task<List<string>> OkAsync(string command)
    {
        var lines = await CommandAsync(command);
        Assert.True(lines[^1].StartsWith("OK", StringComparison.Ordinal), $"{command}: {lines[^1]}");
        lines.RemoveAt(lines.Count - 1);
        return lines;
    }

    /// <summary>The tagged line of a command, whatever it is.</summary>
    public async Task<string> TaggedAsync(string command) => (await CommandAsync(command))[^1];

    public async Task<string> AppendAsync(string mailbox, string message, string before = "")
    {
        var bytes = Encoding.UTF8.GetBytes(message);
        var tag = $"t{++tags}";
        await SendAsync($"{tag} APPEND {mailbox} {before}{{{bytes.Length}+}}\r\n");
        await SendAsync(bytes);
        await SendAsync("\r\n");
        var lines = await UntilAsync(tag);
        Assert.StartsWith("OK [APPENDUID ", lines[^1], StringComparison.Ordinal);
        return lines[^1].Split(' ', ']')[3];
    }
}
