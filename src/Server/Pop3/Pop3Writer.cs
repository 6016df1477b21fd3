using System.Buffers.Text;
using System.IO.Pipelines;
using System.Text;
using CbaMail.Net;
using Microsoft.AspNetCore.Connections;

namespace CbaMail.Pop3;

/// <summary>
/// Bytes of answers, straight into the connection's pipe. Nothing is sent before <see cref="FlushAsync"/>: the session flushes when the client has
/// said nothing more, long answers flush as they go. A client that does not read is waited for so long and no longer.
/// </summary>
internal sealed class Pop3Writer(Connection connection, TimeProvider time, TimeSpan patience)
{
    const int FlushAt = 32 * 1024;

    PipeWriter output = connection.Output;

    /// <summary>In the middle of an answer of several lines: nothing else can be said before it is whole.</summary>
    public bool InAnswer { get; set; }

    public bool IsFull => output.UnflushedBytes >= FlushAt;

    /// <summary>Takes the connection's new output, after STLS.</summary>
    public void Attach() => output = connection.Output;

    /// <exception cref="ConnectionAbortedException">The client has gone, or has not read for too long.</exception>
    public async ValueTask FlushAsync(CancellationToken cancel)
    {
        var flush = output.FlushAsync(cancel);
        if (flush.IsCompleted)
        {
            Check(await flush);
            return;
        }
        try
        {
            Check(await flush.AsTask().WaitAsync(patience, time, cancel));
        }
        catch (TimeoutException e)
        {
            connection.Abort();
            throw new ConnectionAbortedException("the client does not read", e);
        }
    }

    static void Check(FlushResult result)
    {
        if (result.IsCompleted) throw new ConnectionAbortedException("the client has gone");
    }

    public Pop3Writer Write(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var span = output.GetSpan(Math.Min(bytes.Length, 4096));
            var count = Math.Min(span.Length, bytes.Length);
            bytes[..count].CopyTo(span);
            output.Advance(count);
            bytes = bytes[count..];
        }
        return this;
    }

    public Pop3Writer Write(string text) => Write(Encoding.UTF8.GetBytes(text));

    public Pop3Writer Write(long number)
    {
        var span = output.GetSpan(20);
        Utf8Formatter.TryFormat(number, span, out var count);
        output.Advance(count);
        return this;
    }

    public Pop3Writer Space() => Write(" "u8);
    public Pop3Writer EndLine() => Write("\r\n"u8);
}
