using System.Net.Security;
using CbaMail.Config;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace CbaMail.Net;

/// <summary>
/// Net: ports, connections, lines. Kestrel's transport carries every protocol; here a connection gets its place
/// (<see cref="ConnectionLimits"/>), its number, its TLS and its clock, and then the protocol's handler has it.
///
/// Rules to keep:
/// - TLS comes from the framework's own delegate; Net knows no certificate. Tls registers it, Program plugs it in.
/// - What was read before a handshake is never parsed as a command (RFC 3207 4.2, CVE-2011-0411).
/// - Only CRLF ends a line (RFC 5321 2.3.8). No read is without a time limit, no line without a length limit.
/// - Waiting holds no buffer: zero-byte reads below, the line buffer is a session's only one.
/// - A peer that half-closes after its last command is answered; only its input is at an end.
/// </summary>
public static class NetRoom
{
    public static IServiceCollection AddNet(this IServiceCollection services)
    {
        services.AddSingleton<ConnectionLimits>();
        services.AddSingleton(p => new Listeners(
            p.GetRequiredService<Settings>(), p.GetRequiredService<ConnectionLimits>(), p.GetRequiredService<TimeProvider>(),
            p.GetRequiredService<ILogger<Listeners>>(), p.GetService<ServerOptionsSelectionCallback>(),
            p.GetRequiredService<MemoryGate>()));
        services.AddSingleton<MemoryGate>();
        // the last one is asked first; Kestrel's own has the control socket
        services.AddSingleton<IConnectionListenerFactory, SocketTransportFactory>().AddSingleton<IConnectionListenerFactory, SocketListening>();
        return services;
    }
}
