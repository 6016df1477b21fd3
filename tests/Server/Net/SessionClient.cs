using System.Text;
using CbaMail.Tests.Wire;
using Microsoft.Extensions.Logging;
using Xunit;

namespace CbaMail.Tests.Server.Net;

/// <summary>The other end of a session that runs in this process: sends, and reads lines. The base of each protocol's client.</summary>
public abstract class SessionClient : ITranscriptClient
{
    readonly SessionErrors errors;

    internal SessionClient(MemoryTransport transport, Task running, SessionErrors errors) => (Transport, Running, this.errors) = (transport, running, errors);

    private protected MemoryTransport Transport { get; }
    public Task Running { get; }

    public Task SendAsync(string text) => SendAsync(Encoding.UTF8.GetBytes(text));
    public virtual async Task SendAsync(ReadOnlyMemory<byte> bytes) => await Transport.Client.Output.WriteAsync(bytes);
    public Task SendAsync(byte[] bytes) => SendAsync(bytes.AsMemory());
    public virtual Task<string?> TryLineAsync() => Transport.ReadLineAsync();
    public async Task<string> LineAsync() => await TryLineAsync() ?? throw new EndOfStreamException("the server has closed");
    public void HalfClose() => Transport.HalfClose();

    Task<string?> ITranscriptClient.ReadLineAsync() => TryLineAsync();
    Task ITranscriptClient.StartTlsAsync() => throw new FormatException("pipes have no TLS");

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

    /// <summary>Random bytes to a new session each time: it ends by itself or answers, and is surprised by nothing.</summary>
    public static async Task NoiseAsync(Func<SessionClient> connect)
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            await using var client = connect();
            await client.LineAsync();
            var noise = new byte[random.Next(1, 5000)];
            random.NextBytes(noise);
            await client.SendAsync(noise);
            client.HalfClose();
            while (await client.TryLineAsync() is not null) { }
        }
    }

    /// <summary>Hangs up; the session must end and must not have been surprised by anything.</summary>
    public async ValueTask DisposeAsync()
    {
        await Transport.Client.Output.CompleteAsync();
        await Transport.Client.Input.CompleteAsync();
        await Running.WaitAsync(Wait.Patience);
        lock (errors.Errors) Assert.Empty(errors.Errors);
        GC.SuppressFinalize(this);
    }
}

/// <summary>Keeps what a session logs as an error: nothing may be there at the end of a test.</summary>
internal sealed class SessionErrors : ILogger
{
    public List<string> Errors { get; } = [];
    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (logLevel >= LogLevel.Error) lock (Errors) Errors.Add(formatter(state, exception) + " " + exception);
    }
}
