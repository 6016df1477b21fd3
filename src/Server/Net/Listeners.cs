using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using CbaMail.Config;
using CbaMail.Proxy;

namespace CbaMail.Net;

/// <summary>
/// The ports of the line protocols. A connection is counted, gets its <see cref="Connection"/> and, where the port demands it, its TLS;
/// then the protocol speaks with it. Stopping tells everybody who is connected, and waits for them as long as the host allows.
/// </summary>
/// <param name="speaker">Who speaks a protocol; null for those that are not ours.</param>
sealed class Listeners(
    Settings settings, ConnectionLimits limits, TimeProvider time, ILogger<Listeners> log, EventLoop loop, SpareDescriptor spare,
    Func<Protocol, Func<Connection, Task>?> speaker, ServerOptionsSelectionCallback? tls = null, MemoryGate? memory = null, ProxyDoor? proxies = null, Doorkeeper? keeper = null) : IHostedLifecycleService
{
    internal const string Busy = "Too much is open here; try again later", TooMany = "Too many connections; try again later", ShortOfMemory = "The server is short of memory; try again later";

    const int Backlog = 512;
    readonly List<Acceptor> acceptors = [];
    readonly CancellationTokenSource stopping = new();
    readonly ConcurrentDictionary<SocketTransport, bool> open = new();
    readonly TaskCompletionSource left = new(TaskCreationOptions.RunContinuationsAsynchronously); // when stopping: the last one has gone

    /// <summary>Listens at all addresses of the settings.</summary>
    /// <exception cref="IOException">An address cannot be had; says which.</exception>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var listener in settings.Listeners)
        {
            if (speaker(listener.Protocol) is not { } speak) continue;
            var address = new IPEndPoint(IPAddress.Parse(listener.Address), listener.Port);
            var own = address.Address.Equals(IPAddress.Any) || address.Address.Equals(IPAddress.IPv6Any) ? null : address; // which of them, the kernel knows
            try
            {
                acceptors.Add(new Acceptor(loop, spare, time, address, Backlog, listener, (door, descriptor, remote) => Enter(door, descriptor, remote, own, listener, speak)));
            }
            catch (SocketException e)
            {
                throw new IOException($"Failed to bind to address {listener.Protocol.ToString().ToLowerInvariant()}://{address}: {e.Message}.", e);
            }
        }
        return Task.CompletedTask;
    }

    /// <summary>Tells everybody. Before the services stop one after the other: HTTP may take all the time there is for a request that does not end.</summary>
    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        foreach (var acceptor in acceptors) acceptor.Dispose();
        return stopping.CancelAsync();
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await StoppingAsync(cancellationToken);
        if (open.IsEmpty) return;
        try
        {
            await left.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            foreach (var transport in open.Keys) transport.Abort();
            await Task.WhenAny(left.Task, Task.Delay(TimeSpan.FromSeconds(1), CancellationToken.None));
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // SMTP's commands are short, and what is long in it waits without a thread; IMAP says itself which of its commands are not; RETR reads what is stored
    static bool RunsInline(Protocol protocol) => protocol is not (Protocol.Pop3 or Protocol.Pop3s);

    void Enter(Acceptor door, int descriptor, IPEndPoint remote, IPEndPoint? own, ListenerSettings listener, Func<Connection, Task> speak)
    {
        if (!listener.Proxy && keeper?.Refuses(remote.Address, listener.Protocol) is { } why)
        {
            // here and not in a session: the banned cost a look and a line
            if (!listener.ImplicitTls) _ = Epoll.Send(descriptor, Farewell(listener.Protocol, why));
            Epoll.Close(descriptor);
            return;
        }
        var transport = new SocketTransport(loop, descriptor, RunsInline(listener.Protocol), time);
        open[transport] = true;
        _ = RunAsync(door, transport, remote, own ?? Epoll.Local(descriptor) ?? new IPEndPoint(IPAddress.Loopback, listener.Port), listener, speak);
    }

    async Task RunAsync(Acceptor door, SocketTransport transport, IPEndPoint remote, IPEndPoint local, ListenerSettings listener, Func<Connection, Task> speak)
    {
        try
        {
            ProxyHeader? header = null;
            if (listener.Proxy)
            {
                if (proxies is null || (header = await proxies.ReadAsync(transport.Reader, remote, listener.Protocol.ToString(), stopping.Token)) is null) return;
                (remote, local) = (header.Source ?? remote, header.Destination ?? local);
                if (keeper?.Refuses(remote.Address, listener.Protocol) is { } why)
                {
                    if (!listener.ImplicitTls) await transport.Writer.WriteAsync(Farewell(listener.Protocol, why));
                    return;
                }
            }
            using var place = limits.Enter(remote.Address, keeper?.Allows(remote.Address) ?? false);
            if (place is null)
            {
                NetTelemetry.TooManyConnections(log, remote.Address, listener.Protocol);
                if (!listener.ImplicitTls) await transport.Writer.WriteAsync(Farewell(listener.Protocol, TooMany));
                return;
            }
            if (memory is { IsShort: true })
            {
                if (!listener.ImplicitTls) await transport.Writer.WriteAsync(Farewell(listener.Protocol, ShortOfMemory));
                return;
            }
            await using var connection = new TransportConnection(transport, listener, remote, local, tls, settings.Limits.HandshakeTimeout, time, stopping.Token, transport.Abort) { Wire = transport, Forwarded = header?.Tls };
            NetTelemetry.Connected(log, connection.Id, remote, listener.Protocol);
            try
            {
                if (!listener.ImplicitTls || await HandshakeAsync(connection)) await speak(connection);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
                NetTelemetry.Dropped(log, connection.Id, e.Message); // the peer went away in mid-sentence
            }
            NetTelemetry.Disconnected(log, connection.Id);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            NetTelemetry.Dropped(log, "-", e.Message); // before it was anybody's
        }
        catch (Exception e)
        {
            NetTelemetry.Surprise(log, remote, listener.Protocol, e);
        }
        finally
        {
            transport.Close();
            if (RunsInline(listener.Protocol)) loop.Afterwards(door.LookOut);
            open.TryRemove(transport, out _);
            if (stopping.IsCancellationRequested && open.IsEmpty) left.TrySetResult();
        }
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

    internal static byte[] Farewell(Protocol protocol, string why) => Encoding.ASCII.GetBytes(protocol switch
    {
        Protocol.Imap => $"* BYE [UNAVAILABLE] {why}\r\n", // RFC 9051 7.1.5, RFC 5530 3
        Protocol.Pop3 => $"-ERR [SYS/TEMP] {why}\r\n",     // RFC 3206 4
        _ => $"421 {(why is Busy or ShortOfMemory ? "4.3.2" : "4.7.0")} {why}\r\n", // RFC 5321 3.8
    });
}
