using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using CbaMail.Tests.Wire;

namespace CbaMail.Tests.Server.Net;

/// <summary>Two pipes crossed: a connection without a socket. The server's end is <see cref="Server"/>; the test plays the client.</summary>
public sealed class MemoryTransport
{
    readonly Pipe toServer = new();
    readonly Pipe toClient = new();

    public MemoryTransport()
    {
        Server = new Side(toServer.Reader, toClient.Writer);
        Client = new Side(toClient.Reader, toServer.Writer);
    }

    public IDuplexPipe Server { get; }
    public IDuplexPipe Client { get; }

    public async Task SendAsync(string text) => await Client.Output.WriteAsync(Encoding.Latin1.GetBytes(text));

    /// <summary>The client has said all.</summary>
    public void HalfClose() => Client.Output.Complete();

    /// <summary>One line from the server, without CRLF; null at the end.</summary>
    public async Task<string?> ReadLineAsync()
    {
        using var late = new CancellationTokenSource(Wait.Patience);
        while (true)
        {
            var result = await Client.Input.ReadAsync(late.Token);
            if (result.Buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = Encoding.UTF8.GetString(result.Buffer.Slice(0, end));
                Client.Input.AdvanceTo(result.Buffer.GetPosition(1, end));
                return line.TrimEnd('\r');
            }
            Client.Input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            if (result.IsCompleted) return null;
        }
    }

    sealed record Side(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
