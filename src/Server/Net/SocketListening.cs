using System.Net;
using System.Net.Sockets;
using CbaMail.Config;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;
using Microsoft.Win32.SafeHandles;

namespace CbaMail.Net;

/// <summary>
/// Kestrel's sockets with an accept loop of our own. Kestrel's takes any failure for a peer that went away and asks again at once: without
/// descriptors that is a thread at full speed for each port. Here a spare descriptor is given up for the moment, the peer is told 421,
/// and where not even that can be done the loop waits a little.
/// </summary>
sealed class SocketListening(IOptions<SocketTransportOptions> transport, Settings settings, TimeProvider clock, ILoggerFactory logging)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector, IDisposable
{
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    static readonly TimeSpan Quiet = TimeSpan.FromMinutes(1);

    readonly SocketTransportOptions options = transport.Value;
    readonly TimeProvider time = clock;
    readonly ILoggerFactory loggers = logging;
    readonly ILogger log = logging.CreateLogger<Listeners>();
    readonly Lock gate = new();
    SafeFileHandle? spare;
    long told;

    public bool CanBind(EndPoint endpoint) => endpoint is IPEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        lock (gate) spare ??= File.OpenHandle("/dev/null");
        Socket socket;
        try { socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint); }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse) { throw new AddressInUseException(e.Message, e); }
        socket.Listen(options.Backlog);
        var port = ((IPEndPoint)socket.LocalEndPoint!).Port;
        var listener = settings.Listeners.FirstOrDefault(known => known.Port == port);
        return ValueTask.FromResult<IConnectionListener>(new Listening(this, socket, listener));
    }

    /// <summary>Takes one connection by the spare descriptor, says why it cannot stay, and closes it.</summary>
    /// <returns>Whether that could be done.</returns>
    bool TakeBySpare(Socket socket, ListenerSettings? listener)
    {
        Tell();
        lock (gate)
        {
            spare?.Dispose();
            spare = null;
            try
            {
                if (socket.Poll(0, SelectMode.SelectRead)) TurnAway(socket.Accept(), listener);
                return true;
            }
            catch (SocketException)
            {
                return false;
            }
            finally
            {
                try { spare = File.OpenHandle("/dev/null"); }
                catch (IOException) { spare = null; } // somebody was quicker: the next time
            }
        }
    }

    // here and not in a session: a crowd that comes at once must not get past the last descriptors
    void TurnAway(Socket accepted, ListenerSettings? listener)
    {
        Tell();
        using (accepted)
        {
            if (listener is not { ImplicitTls: false, Protocol: not Protocol.Http }) return;
            try { accepted.Send(Listeners.Farewell(listener.Protocol, Listeners.Busy)); }
            catch (SocketException) { return; } // gone already
        }
    }

    // once a minute: the trouble is one, the connections are many
    void Tell()
    {
        var now = time.GetTimestamp();
        if (told != 0 && time.GetElapsedTime(told, now) < Quiet) return;
        told = now;
        NetTelemetry.OutOfDescriptors(log);
    }

    public void Dispose() => spare?.Dispose();

    sealed class Listening(SocketListening owner, Socket socket, ListenerSettings? listener) : IConnectionListener
    {
        readonly SocketConnectionContextFactory contexts = new(
            new SocketConnectionFactoryOptions
            {
                IOQueueCount = owner.options.IOQueueCount,
                WaitForDataBeforeAllocatingBuffer = owner.options.WaitForDataBeforeAllocatingBuffer,
                MaxReadBufferSize = owner.options.MaxReadBufferSize,
                MaxWriteBufferSize = owner.options.MaxWriteBufferSize,
                UnsafePreferInlineScheduling = true, // a round trip wakes one thread instead of three
            }, owner.loggers.CreateLogger("Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets"));

        public EndPoint EndPoint { get; } = socket.LocalEndPoint!;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (true)
            {
                try
                {
                    var accepted = await socket.AcceptAsync(cancellationToken);
                    if (Descriptors.AreShort(accepted.SafeHandle))
                    {
                        owner.TurnAway(accepted, listener);
                        continue;
                    }
                    accepted.NoDelay = owner.options.NoDelay;
                    return contexts.Create(accepted);
                }
                catch (Exception e) when (e is ObjectDisposedException || e is SocketException { SocketErrorCode: SocketError.OperationAborted })
                {
                    return null;
                }
                catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted)
                {
                    continue; // it went away while it waited
                }
                catch (SocketException)
                {
                    // EMFILE, ENFILE, ENOBUFS, ENOMEM (accept(2))
                    if (!owner.TakeBySpare(socket, listener)) await Task.Delay(Pause, owner.time, cancellationToken);
                }
            }
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            socket.Dispose();
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync()
        {
            socket.Dispose();
            contexts.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
