using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using CbaMail.Config;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace CbaMail.Net;

/// <summary>
/// The ports of HTTP: our acceptor takes their connections, Kestrel's transport carries them. Kestrel's own accept loop takes any failure
/// for a peer that went away and asks again at once: without descriptors that is a thread at full speed for each port.
/// </summary>
sealed class KestrelDoor(IOptions<SocketTransportOptions> transport, Settings settings, EventLoop loop, SpareDescriptor spare, TimeProvider time, ILoggerFactory loggers)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    public bool CanBind(EndPoint endpoint) => endpoint is IPEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var port = ((IPEndPoint)endpoint).Port;
        var listener = settings.Listeners.FirstOrDefault(known => known.Port == port);
        var contexts = new SocketConnectionContextFactory(new SocketConnectionFactoryOptions
        {
            IOQueueCount = transport.Value.IOQueueCount,
            WaitForDataBeforeAllocatingBuffer = transport.Value.WaitForDataBeforeAllocatingBuffer,
            MaxReadBufferSize = transport.Value.MaxReadBufferSize,
            MaxWriteBufferSize = transport.Value.MaxWriteBufferSize,
        }, loggers.CreateLogger("Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets"));
        try { return ValueTask.FromResult<IConnectionListener>(new Listening(contexts, accepted => new Acceptor(loop, spare, time, endpoint, transport.Value.Backlog, listener, accepted))); }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse) { throw new AddressInUseException(e.Message, e); }
    }

    sealed class Listening : IConnectionListener
    {
        readonly SocketConnectionContextFactory contexts;
        readonly Channel<int> accepted = Channel.CreateUnbounded<int>(); // bounded by the descriptors
        readonly Acceptor acceptor;

        public Listening(SocketConnectionContextFactory contexts, Func<Action<Acceptor, int, IPEndPoint>, Acceptor> bind)
        {
            this.contexts = contexts;
            acceptor = bind((_, descriptor, _) =>
            {
                if (!accepted.Writer.TryWrite(descriptor)) Epoll.Close(descriptor); // unbound meanwhile
            });
        }

        public EndPoint EndPoint => acceptor.Address;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (await accepted.Reader.WaitToReadAsync(cancellationToken))
            {
                if (!accepted.Reader.TryRead(out var descriptor)) continue;
                try { return contexts.Create(new Socket(new SafeSocketHandle(descriptor, ownsHandle: true))); }
                catch (SocketException) { continue; } // it went away while it waited
            }
            return null;
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            acceptor.Dispose();
            accepted.Writer.TryComplete();
            return ValueTask.CompletedTask;
        }

        public async ValueTask DisposeAsync()
        {
            await UnbindAsync();
            while (accepted.Reader.TryRead(out var descriptor)) Epoll.Close(descriptor);
            contexts.Dispose();
        }
    }
}
