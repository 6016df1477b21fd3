using System.Buffers;

namespace CbaMail.Smtp.Client;

/// <summary>The peer broke off, kept silent too long, or did not speak SMTP.</summary>
internal sealed class ClientFailure(ClientReply reply, Exception? cause = null) : Exception(reply.Text, cause)
{
    public ClientReply Reply => reply;
}

/// <summary>
/// Lines in, bytes out, over whatever stream the connection has now. Replies are bounded in lines and length, each wait in time.
/// </summary>
internal sealed class ClientStream(Stream stream, TimeProvider time) : IDisposable
{
    // RFC 5321 4.5.3.1.5 has 512; some servers put whole web addresses there
    const int MaxLine = 4096;
    const int MaxLines = 200;

    readonly byte[] buffer = ArrayPool<byte>.Shared.Rent(MaxLine);
    int start;
    int end;

    public Stream Inner => stream;

    /// <summary>Bytes that came behind the last reply, unasked: after STARTTLS that is an injection (RFC 3207 4.2).</summary>
    public bool HasMore => end > start;

    /// <summary>Reads a reply of one or more lines.</summary>
    /// <param name="lines">Takes the text of each line, for EHLO.</param>
    public async Task<ClientReply> ReadAsync(TimeSpan limit, string what, CancellationToken cancel, List<string>? lines = null)
    {
        using var timeout = new CancellationTokenSource(limit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancel);
        var all = new List<byte[]>(1);
        try
        {
            while (true)
            {
                var line = await LineAsync(both.Token);
                if (!ClientReply.TryLine(line, out _, out var last, out var text) || all.Count >= MaxLines)
                    throw new ClientFailure(ClientReply.Local(421, "4.5.0", $"{what}: the server does not speak SMTP"));
                all.Add(line);
                lines?.Add(text);
                if (last) return ClientReply.Parse(all)!;
            }
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new ClientFailure(ClientReply.Local(421, "4.4.2", $"{what}: no answer within {limit.TotalSeconds:0} seconds"));
        }
        catch (IOException error)
        {
            throw new ClientFailure(ClientReply.Local(421, "4.4.2", $"{what}: the connection was lost"), error);
        }
    }

    async ValueTask<byte[]> LineAsync(CancellationToken cancel)
    {
        while (true)
        {
            var at = buffer.AsSpan(start, end - start).IndexOf((byte)'\n');
            if (at >= 0)
            {
                var line = buffer.AsSpan(start, at);
                start += at + 1;
                return (line.Length > 0 && line[^1] == '\r' ? line[..^1] : line).ToArray();
            }
            if (start > 0)
            {
                buffer.AsSpan(start, end - start).CopyTo(buffer);
                (start, end) = (0, end - start);
            }
            if (end == buffer.Length) throw new IOException("A line of the reply is too long");
            var count = await stream.ReadAsync(buffer.AsMemory(end), cancel);
            if (count == 0) throw new IOException("The server closed the connection");
            end += count;
        }
    }

    public async Task WriteAsync(ReadOnlyMemory<byte> bytes, TimeSpan limit, string what, CancellationToken cancel)
    {
        using var timeout = new CancellationTokenSource(limit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancel);
        try
        {
            await stream.WriteAsync(bytes, both.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new ClientFailure(ClientReply.Local(421, "4.4.2", $"{what}: the server took nothing for {limit.TotalSeconds:0} seconds"));
        }
        catch (IOException error)
        {
            throw new ClientFailure(ClientReply.Local(421, "4.4.2", $"{what}: the connection was lost"), error);
        }
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(buffer);
}
