using System.Text;
using CbaMail.Imap;
using CbaMail.Tests.Server.Net;
using Xunit;

namespace CbaMail.Tests.Server.Imap;

/// <summary>The other end of a session, for tests: sends lines, reads lines.</summary>
public sealed class ImapClient : IAsyncDisposable
{
    readonly MemoryTransport transport;
    readonly Task running;
    readonly ImapFixture.ErrorLog errors;
    int tags;

    internal ImapClient(MemoryTransport transport, Task running, ImapFixture.ErrorLog errors, ImapSession session) =>
        (this.transport, this.running, this.errors, Session) = (transport, running, errors, session);

    internal ImapSession Session { get; }
    public Task Running => running;

    public static string Message(int number, string body = "Hello\r\n") =>
        $"From: Anna <anna@example.test>\r\nTo: Boris <boris@example.test>\r\nSubject: Number {number}\r\nDate: Mon, 7 Feb 1994 21:52:25 -0800\r\nMessage-ID: <{number}@example.test>\r\n\r\n{body}";

    public Task SendAsync(string text) => transport.SendAsync(Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text)));
    public async Task SendAsync(byte[] bytes) => await transport.Client.Output.WriteAsync(bytes);
    public Task<string?> TryLineAsync() => transport.ReadLineAsync();
    public async Task<string> LineAsync() => await transport.ReadLineAsync() ?? throw new EndOfStreamException("the server has closed");
    public void HalfClose() => transport.HalfClose();

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
        await running.WaitAsync(TimeSpan.FromSeconds(20));
        lock (errors.Errors) Assert.Empty(errors.Errors);
    }
}
