using System.IO.Pipelines;
using System.Net;
using CbaMail.Config;
using CbaMail.Proxy;
using Microsoft.AspNetCore.Connections;

namespace CbaMail.Net;

/// <summary>
/// A port behind the PROXY protocol (haproxy.org, proxy-protocol.txt): a trusted proxy says first for whom it connects. Nobody else is heard there,
/// and who connects without a header is not served: a port is either for proxies or for everybody, never for both.
/// </summary>
sealed class ProxyDoor(Settings settings, TimeProvider time, ILogger<ProxyDoor> log)
{
    /// <summary>Takes the header off the input, and nothing behind it. Null: the connection is to be closed; the log knows why.</summary>
    public async ValueTask<ProxyHeader?> ReadAsync(PipeReader input, IPEndPoint proxy, string protocol, CancellationToken stopping)
    {
        if (!settings.Inbound.ProxyFrom.Hold(proxy.Address))
        {
            NetTelemetry.ProxyNotTrusted(log, proxy.Address, protocol);
            return null;
        }
        using var late = new CancellationTokenSource(settings.Inbound.ProxyTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stopping);
        try
        {
            return await ReadAsync(input, proxy, protocol, log, either.Token);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            NetTelemetry.NoProxyHeader(log, proxy.Address, protocol, "nothing came in time");
            return null;
        }
    }

    static async ValueTask<ProxyHeader?> ReadAsync(PipeReader input, IPEndPoint proxy, string protocol, ILogger log, CancellationToken cancel)
    {
        while (true)
        {
            var result = await input.ReadAsync(cancel);
            var buffer = result.Buffer;
            switch (Look(buffer, out var header, out var problem))
            {
                case ProxyRead.Complete:
                    input.AdvanceTo(buffer.GetPosition(header!.Length));
                    return header;
                case ProxyRead.Invalid:
                    input.AdvanceTo(buffer.End);
                    NetTelemetry.NoProxyHeader(log, proxy.Address, protocol, problem);
                    return null;
            }
            input.AdvanceTo(buffer.Start, buffer.End);
            if (!result.IsCompleted) continue;
            if (!buffer.IsEmpty) NetTelemetry.NoProxyHeader(log, proxy.Address, protocol, "the connection ended before it was whole"); // without a byte: a health check
            return null;
        }
    }

    static ProxyRead Look(in System.Buffers.ReadOnlySequence<byte> buffer, out ProxyHeader? header, out string problem)
    {
        if (buffer.IsSingleSegment) return ProxyHeader.TryRead(buffer.FirstSpan, out header, out problem);
        Span<byte> bytes = stackalloc byte[(int)Math.Min(buffer.Length, ProxyHeader.LongestBinary)];
        System.Buffers.BuffersExtensions.CopyTo(buffer.Slice(0, bytes.Length), bytes);
        return ProxyHeader.TryRead(bytes, out header, out problem);
    }

    /// <summary>The same for a port of HTTP: a middleware of Kestrel's connections, to stand before TLS.</summary>
    public async Task ServeAsync(ConnectionContext connection, string protocol, ConnectionDelegate next)
    {
        var remote = connection.RemoteEndPoint as IPEndPoint ?? new IPEndPoint(IPAddress.None, 0);
        if (remote.Address.IsIPv4MappedToIPv6) remote = new IPEndPoint(remote.Address.MapToIPv4(), remote.Port);
        ProxyHeader? header;
        try { header = await ReadAsync(connection.Transport.Input, remote, protocol, connection.ConnectionClosed); }
        catch (Exception e) when (e is IOException or OperationCanceledException) { return; } // it has gone
        if (header is null)
        {
            connection.Abort();
            return;
        }
        connection.RemoteEndPoint = header.Source ?? connection.RemoteEndPoint;
        connection.LocalEndPoint = header.Destination ?? connection.LocalEndPoint;
        await next(connection);
    }
}
