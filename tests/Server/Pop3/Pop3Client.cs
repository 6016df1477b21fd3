using System.Text;
using CbaMail.Tests.Server.Net;
using Xunit;

namespace CbaMail.Tests.Server.Pop3;

/// <summary>The other end of a session, for tests: sends lines, reads lines and octets.</summary>
public sealed class Pop3Client : IAsyncDisposable
{
    readonly MemoryTransport transport;
    readonly Pop3Fixture.ErrorLog errors;

    internal Pop3Client(MemoryTransport transport, Task running, Pop3Fixture.ErrorLog errors) => (this.transport, Running, this.errors) = (transport, running, errors);

    public Task Running { get; }

    public Task SendAsync(string text) => SendAsync(Encoding.UTF8.GetBytes(text));
    public async Task SendAsync(byte[] bytes) => await transport.Client.Output.WriteAsync(bytes);
    public Task<string?> TryLineAsync() => transport.ReadLineAsync();
    public async Task<string> LineAsync() => await transport.ReadLineAsync() ?? throw new EndOfStreamException("the server has closed");
    public void HalfClose() => transport.HalfClose();

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
            var result = await transport.Client.Input.ReadAsync(late.Token);
            foreach (var piece in result.Buffer) octets.AddRange(piece.Span);
            transport.Client.Input.AdvanceTo(result.Buffer.End);
            var bytes = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(octets);
            if (bytes.SequenceEqual(".\r\n"u8) || bytes.EndsWith("\r\n.\r\n"u8)) return [.. bytes[..^3]];
            Assert.False(result.IsCompleted, "the server has closed");
        }
    }

    /// <summary>The same with the dots taken off: what RFC 1939 counts.</summary>
    public async Task<string> MessageAsync(string command) =>
        string.Concat(Encoding.Latin1.GetString(await OctetsAsync(command)).Split("\r\n").Select((line, i) => (i == 0 ? "" : "\r\n") + (line.StartsWith('.') ? line[1..] : line)));

    /// <summary>What the session has logged as errors so far, for a test that expects them.</summary>
    public List<string> TakeErrors()
    {
        lock (errors.Errors)
        {
            List<string> taken = [.. errors.Errors];
            errors.Errors.Clear();
            return taken;
        }
    }

    /// <summary>Hangs up; the session must end and must not have been surprised by anything.</summary>
    public async ValueTask DisposeAsync()
    {
        await transport.Client.Output.CompleteAsync();
        await transport.Client.Input.CompleteAsync();
        await Running.WaitAsync(TimeSpan.FromSeconds(20));
        lock (errors.Errors) Assert.Empty(errors.Errors);
    }
}
