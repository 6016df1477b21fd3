using System.Net.Security;
using CbaMail.Config;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace CbaMail.Net;

/// <summary>
/// Net: ports, connections, lines. A few threads wait for all sockets (<see cref="EventLoop"/>); an <see cref="Acceptor"/> a port takes the
/// connections; <see cref="SocketTransport"/> makes a socket a pair of pipes. A connection gets its place (<see cref="ConnectionLimits"/>),
/// its number, its TLS and its clock, and then the protocol's handler has it. HTTP goes to Kestrel (<see cref="KestrelDoor"/>).
/// Who is banned or comes too often is shut out before that (<see cref="Doorkeeper"/>); behind a proxy the client's own address counts
/// (<see cref="ProxyDoor"/>). What is learnt of addresses is in memory (<see cref="Remembered"/>); Inbound keeps it on the disk.
///
/// Rules to keep:
/// - TLS comes from the framework's own delegate; Net knows no certificate. Tls registers it, Program plugs it in.
/// - What was read before a handshake is never parsed as a command (RFC 3207 4.2, CVE-2011-0411).
/// - Only CRLF ends a line (RFC 5321 2.3.8). No read is without a time limit, no line without a length limit.
/// - Waiting holds no buffer: the socket's is rented when bytes come, the line buffer is a session's only one.
/// - A thread of the loop may run what follows upon an event only in protocols whose commands are short (SMTP); all else goes to the pool.
/// - A peer that half-closes after its last command is answered; only its input is at an end.
/// </summary>
public static class NetRoom
{
    public static IServiceCollection AddNet(this IServiceCollection services)
    {
        services.AddSingleton<ConnectionLimits>().AddSingleton<MemoryGate>().AddSingleton<SpareDescriptor>().AddSingleton<ProxyDoor>()
            .AddSingleton<AllowList>().AddSingleton<Bans>().AddSingleton<Doorkeeper>();
        services.AddSingleton(_ => new Wakefulness(TimeProvider.System)).AddSingleton(p =>
        {
            var limits = p.GetRequiredService<Settings>().Limits;
            var wakefulness = limits.StayAwake ? p.GetRequiredService<Wakefulness>() : null;
            return new EventLoop(p.GetRequiredService<ILogger<EventLoop>>(), limits.LookOut ? new Lookout(TimeProvider.System, ControlGroup.Processors(), wakefulness: wakefulness) : null);
        });
        // the last one is asked first; Kestrel's own has the control socket
        services.AddSingleton<IConnectionListenerFactory, SocketTransportFactory>().AddSingleton<IConnectionListenerFactory, KestrelDoor>();
        return services;
    }

    /// <summary>Lets a port of HTTP take the header of the PROXY protocol, where the settings say so; before TLS.</summary>
    public static ListenOptions BehindProxy(this ListenOptions options, ListenerSettings listener)
    {
        if (!listener.Proxy) return options;
        var door = options.ApplicationServices.GetRequiredService<ProxyDoor>();
        options.Use(next => connection => door.ServeAsync(connection, listener.Protocol.ToString(), next));
        return options;
    }

    /// <summary>The ports of the line protocols; <paramref name="speaker"/> says who speaks each, null for those that are not lines.</summary>
    public static IServiceCollection AddListeners(this IServiceCollection services, Func<IServiceProvider, Protocol, Func<Connection, Task>?> speaker) =>
        services.AddHostedService(p => new Listeners(
            p.GetRequiredService<Settings>(), p.GetRequiredService<ConnectionLimits>(), p.GetRequiredService<TimeProvider>(),
            p.GetRequiredService<ILogger<Listeners>>(), p.GetRequiredService<EventLoop>(), p.GetRequiredService<SpareDescriptor>(),
            protocol => speaker(p, protocol), p.GetService<ServerOptionsSelectionCallback>(), p.GetRequiredService<MemoryGate>(), p.GetRequiredService<ProxyDoor>(), p.GetRequiredService<Doorkeeper>()));
}
