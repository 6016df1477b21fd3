using System.IO.Pipelines;
using System.Net;
using CbaMail.Config;

namespace CbaMail.Net;

/// <summary>
/// One accepted connection of a line protocol, over Kestrel's transport pipes. TLS can be started in mid-session;
/// what was read before the handshake is thrown away (RFC 3207 4.2).
/// </summary>
public abstract class Connection
{
    /// <summary>Short, unique in the process' life; stands on each log line.</summary>
    public abstract string Id { get; }
    public abstract ListenerSettings Listener { get; }
    public abstract IPEndPoint Remote { get; }
    public abstract IPEndPoint Local { get; }
    /// <summary>Changes with <see cref="StartTlsAsync"/>: do not keep it.</summary>
    public abstract PipeReader Input { get; }
    /// <summary>Changes with <see cref="StartTlsAsync"/>: do not keep it.</summary>
    public abstract PipeWriter Output { get; }
    /// <summary>For example "TLSv1.3" and "TLS_AES_256_GCM_SHA384"; null in clear text.</summary>
    public abstract (string Protocol, string Cipher)? Tls { get; }
    public bool IsSecure => Tls is not null;
    public bool IsLoopback => IPAddress.IsLoopback(Remote.Address);
    /// <summary>Cancelled when the peer has gone or the server stops.</summary>
    public abstract CancellationToken Closed { get; }

    /// <summary>Runs the server's handshake and replaces <see cref="Input"/> and <see cref="Output"/>.</summary>
    /// <exception cref="System.Security.Authentication.AuthenticationException">The handshake failed.</exception>
    public abstract Task StartTlsAsync(CancellationToken cancel);
    /// <summary>Drops the connection.</summary>
    public abstract void Abort();
}
