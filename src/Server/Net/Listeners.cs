using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Text;
using CbaMail.Config;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace CbaMail.Net;

/// <summary>
/// Opens the ports. Every line protocol passes here first: the connection is counted, gets its <see cref="Connection"/>
/// and, where the port demands it, its TLS; then the protocol's handler has it.
/// </summary>
public sealed class Listeners(
    Settings settings, ConnectionLimits limits, TimeProvider time, ILogger<Listeners> log, ServerOptionsSelectionCallback? tls = null,
    MemoryGate? memory = null)
{
    internal const string Busy = "Too much is open here; try again later", TooMany = "Too many connections; try again later", ShortOfMemory = "The server is short of memory; try again later";

    /// <summary>Listens at all addresses of the settings; <paramref name="attach"/> says what speaks on a port of each protocol.</summary>
    public static void Attach(KestrelServerOptions kestrel, Settings settings, Func<Protocol, Action<ListenOptions>> attach)
    {
        foreach (var listener in settings.Listeners)
            Attach(kestrel, listener, attach(listener.Protocol));
    }

    /// <summary>Listens at one address.</summary>
    public static void Attach(KestrelServerOptions kestrel, ListenerSettings listener, Action<ListenOptions> attach) =>
        kestrel.Listen(IPAddress.Parse(listener.Address), listener.Port, options =>
        {
            if (listener.Protocol is not (Protocol.Http or Protocol.Https))
            {
                var listeners = options.ApplicationServices.GetRequiredService<Listeners>();
                options.Use(next => context => listeners.RunAsync(context, listener, next));
            }
            attach(options);
        });

    async Task RunAsync(ConnectionContext context, ListenerSettings listener, ConnectionDelegate next)
    {
        var remote = Plain(context.RemoteEndPoint);
        using var place = limits.Enter(remote.Address);
        if (place is null)
        {
            NetTelemetry.TooManyConnections(log, remote.Address, listener.Protocol);
            if (!listener.ImplicitTls) await context.Transport.Output.WriteAsync(Farewell(listener.Protocol, TooMany));
            return;
        }
        if (memory is { IsShort: true })
        {
            if (!listener.ImplicitTls) await context.Transport.Output.WriteAsync(Farewell(listener.Protocol, ShortOfMemory));
            return;
        }
        var stopping = context.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? CancellationToken.None;
        await using var connection = new TransportConnection(
            context.Transport, listener, remote, Plain(context.LocalEndPoint), tls, settings.Limits.HandshakeTimeout, time, stopping, context.Abort)
        {
            Socket = context.Features.Get<IConnectionSocketFeature>()?.Socket,
        };
        NetTelemetry.Connected(log, connection.Id, remote, listener.Protocol);
        if (listener.ImplicitTls && !await HandshakeAsync(connection)) return;
        context.Features.Set<Connection>(connection);
        try { await next(context); }
        catch (Exception e) when (e is IOException or ConnectionResetException or ConnectionAbortedException)
        {
            NetTelemetry.Dropped(log, connection.Id, e.Message); // the peer went away in mid-sentence
        }
        NetTelemetry.Disconnected(log, connection.Id);
    }

    async Task<bool> HandshakeAsync(TransportConnection connection)
    {
        try
        {
            await connection.StartTlsAsync(CancellationToken.None);
            return true;
        }
        catch (AuthenticationException e)
        {
            NetTelemetry.HandshakeFailed(log, connection.Id, connection.Remote.Address, e.Message);
            return false;
        }
    }

    internal static byte[] Farewell(Protocol protocol, string why) => Encoding.ASCII.GetBytes(protocol == Protocol.Imap
        ? $"* BYE [UNAVAILABLE] {why}\r\n" // RFC 9051 7.1.5, RFC 5530 3
        : $"421 {(why == TooMany ? "4.7.0" : "4.3.2")} {why}\r\n"); // RFC 5321 3.8

    static IPEndPoint Plain(EndPoint? point) => point is not IPEndPoint ip
        ? new IPEndPoint(IPAddress.Loopback, 0)
        : ip.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(ip.Address.MapToIPv4(), ip.Port) : ip;
}
