using System.Buffers;
using System.IO.Pipelines;

namespace CbaMail.Smtp.Client;

/// <summary>
/// The way of a message's content to the peer: lines end in CRLF whatever they ended in, dots at their start are doubled
/// (RFC 5321 4.5.2), nothing is gathered beyond one buffer when the source flushes.
/// </summary>
internal sealed class DataWriter(Func<ReadOnlyMemory<byte>, CancellationToken, Task> send) : PipeWriter, IDisposable
{
    const int Piece = 16 * 1024;

    byte[] scratch = ArrayPool<byte>.Shared.Rent(Piece);
    readonly ArrayBufferWriter<byte> output = new(2 * Piece);
    bool lineStart = true;
    bool pendingCr;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (sizeHint > scratch.Length)
        {
            ArrayPool<byte>.Shared.Return(scratch);
            scratch = ArrayPool<byte>.Shared.Rent(sizeHint);
        }
        return scratch;
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes) => Append(scratch.AsSpan(0, bytes));

    void Append(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (pendingCr)
            {
                // RFC 5321 2.3.8: neither CR nor LF goes alone; a lone one would let a message end where the peer's reading differs
                EndLine();
                if (bytes[0] == '\n')
                {
                    bytes = bytes[1..];
                    continue;
                }
            }
            if (lineStart && bytes[0] == '.') output.Write("."u8);
            var at = bytes.IndexOfAny((byte)'\r', (byte)'\n');
            var text = at < 0 ? bytes : bytes[..at];
            if (!text.IsEmpty)
            {
                output.Write(text);
                lineStart = false;
            }
            if (at < 0) return;
            if (bytes[at] == '\r') pendingCr = true; else EndLine();
            bytes = bytes[(at + 1)..];
        }
    }

    void EndLine()
    {
        output.Write("\r\n"u8);
        pendingCr = false;
        lineStart = true;
    }

    /// <summary>Ends the last line and the message (RFC 5321 4.1.1.4); the dot leaves with the rest in one piece.</summary>
    public async Task FinishAsync(CancellationToken cancel)
    {
        if (pendingCr || !lineStart) EndLine();
        output.Write(".\r\n"u8);
        await SendAsync(cancel);
    }

    async Task SendAsync(CancellationToken cancel)
    {
        if (output.WrittenCount == 0) return;
        await send(output.WrittenMemory, cancel);
        output.ResetWrittenCount();
    }

    public override async ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        // small pieces wait for the next, so that a small message and its dot are one packet
        if (output.WrittenCount >= Piece) await SendAsync(cancellationToken);
        return default;
    }

    public override void CancelPendingFlush() { }

    public override void Complete(Exception? exception = null) { }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(scratch);
        scratch = [];
    }
}
