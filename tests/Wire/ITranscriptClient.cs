namespace CbaMail.Tests.Wire;

/// <summary>The client's end of a connection that a transcript drives: a socket, or pipes to a session in this process.</summary>
internal interface ITranscriptClient : IAsyncDisposable
{
    Task SendAsync(ReadOnlyMemory<byte> bytes);

    /// <summary>The next line without CRLF, or null where the server has closed.</summary>
    Task<string?> ReadLineAsync();

    Task StartTlsAsync();
}
