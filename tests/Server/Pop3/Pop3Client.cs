using System.Text;
using CbaMail.Tests.Server.Net;
using Xunit;

namespace CbaMail.Tests.Server.Pop3;

/// <summary>The other end of a POP3 session, for tests.</summary>
public sealed class Pop3Client : SessionClient
{
    internal Pop3Client(MemoryTransport transport, Task running, SessionErrors errors) : base(transport, running, errors) { }

    /// <summary>The first line of the answer.</summary>
    public async Task<string> SayAsync(string command)
    {
        await SendAsync(command + "\r\n");
        return await LineAsync();
    }

    /// <summary>What stands behind +OK.</summary>
    public async Task<string> OkAsync(string command)
    {
        var line = await SayAsync(command);
        Assert.True(line.StartsWith("+OK ", StringComparison.Ordinal), $"{command}: {line}");
        return line[4..];
    }

    public async Task RefusedAsync(string command, string code = "")
    {
        var line = await SayAsync(command);
        Assert.True(line.StartsWith($"-ERR {code}", StringComparison.Ordinal), $"{command}: {line}");
    }

    /// <summary>The lines of an answer of several, without the first and the last.</summary>
    public async Task<List<string>> LinesAsync(string command)
    {
        await OkAsync(command);
        var lines = new List<string>();
        while (await LineAsync() is var line && line != ".") lines.Add(line);
        return lines;
    }

    /// <summary>The octets of an answer as they came, from behind the first line to before the last dot.</summary>
    public async Task<byte[]> OctetsAsync(string command)
    {
        await OkAsync(command);
        var octets = new List<byte>();
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            var result = await Transport.Client.Input.ReadAsync(late.Token);
            foreach (var piece in result.Buffer) octets.AddRange(piece.Span);
            Transport.Client.Input.AdvanceTo(result.Buffer.End);
            var bytes = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(octets);
            if (bytes.SequenceEqual(".\r\n"u8) || bytes.EndsWith("\r\n.\r\n"u8)) return [.. bytes[..^3]];
            Assert.False(result.IsCompleted, "the server has closed");
        }
    }

    /// <summary>The same with the dots taken off: what RFC 1939 counts.</summary>
    public async Task<string> MessageAsync(string command) =>
        string.Concat(Encoding.Latin1.GetString(await OctetsAsync(command)).Split("\r\n").Select((line, i) => (i == 0 ? "" : "\r\n") + (line.StartsWith('.') ? line[1..] : line)));
}
