using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using CbaMail.Config;

namespace CbaMail.Net;

/// <summary>
/// One accepted connection of a line protocol, over a pair of pipes. TLS can be started in mid-session;
/// what was read before the handshake is never parsed as a command (RFC 3207 4.2).
/// </summary>
public abstract class Connection
{
    ITimer? timer;

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
    /// <summary>The certificate that the client showed, if one of the authorities of the settings vouches for it; else null.</summary>
    public X509Certificate2? ClientCertificate { get; internal set; }
    /// <summary>
    /// What only the two ends of this TLS connection know (RFC 5056): of the types <c>tls-server-end-point</c> (RFC 5929 4) and
    /// <c>tls-exporter</c> (RFC 9266). Null: not had here.
    /// </summary>
    public virtual byte[]? ChannelBinding(string type) => null;
    public bool IsLoopback => IPAddress.IsLoopback(Remote.Address);

    /// <summary>
    /// Cancelled when the server stops or <see cref="Abort"/> was called. A peer that goes away ends <see cref="Input"/> instead:
    /// one that has said all and half-closed still gets its answers.
    /// </summary>
    public abstract CancellationToken Closed { get; }

    /// <summary>The clock of <see cref="ReadAsync"/>.</summary>
    protected virtual TimeProvider Time => TimeProvider.System;

    /// <summary>Runs the server's handshake and replaces <see cref="Input"/> and <see cref="Output"/>.</summary>
    /// <exception cref="System.Security.Authentication.AuthenticationException">The handshake failed.</exception>
    public abstract Task StartTlsAsync(CancellationToken cancel);
    /// <summary>
    /// From here on what is written is compressed, and what comes has been (RFC 4978); replaces <see cref="Input"/> and <see cref="Output"/>.
    /// Flush before. Below it lies TLS, whenever that was begun.
    /// </summary>
    public virtual void StartCompression() => throw new NotSupportedException();
    /// <summary>Ends that, in both directions (RFC 8437 4.1); replaces <see cref="Output"/>. Flush before and after.</summary>
    public virtual void EndCompression() => throw new NotSupportedException();
    public virtual bool IsCompressed => false;
    /// <summary>What should have been compressed was not: nothing more comes.</summary>
    public virtual bool IsInputBroken => false;
    /// <summary>Drops the connection.</summary>
    public abstract void Abort();

    /// <summary>
    /// Sends the TCP acknowledgement that is due, without delay. A client that writes a message and its line end apart, with Nagle's
    /// algorithm on (Python's imaplib), holds the second back until the first is acknowledged: 40 ms for each APPEND.
    /// </summary>
    public virtual void AcknowledgeAtOnce() { }

    /// <summary>
    /// Leaves the thread that has received from the peer, upon which others wait for theirs: before work that computes or reads long.
    /// It goes on upon the pool's, and so does what waits for this peer, until <see cref="IsBrief"/> is said.
    /// </summary>
    public virtual PoolHop LeaveLoopAsync() => default;

    /// <summary>From here on what waits for the peer goes on at once where its bytes are received.</summary>
    public virtual void IsBrief() { }

    /// <summary>
    /// Whether the peer has sent something that nobody has read. Ask before the go-ahead to STARTTLS is flushed, and hang up if so:
    /// it is an injected command (CVE-2011-0411).
    /// </summary>
    public virtual bool HasBufferedInput()
    {
        if (!Input.TryRead(out var result)) return false;
        Input.AdvanceTo(result.Buffer.Start);
        return !result.Buffer.IsEmpty;
    }

    /// <summary>
    /// Reads from <see cref="Input"/>, waiting at most this long. The result is cancelled when the time is over, or when
    /// <see cref="Closed"/> is. Follow it by <c>Input.AdvanceTo</c> as always.
    /// </summary>
    public ValueTask<ReadResult> ReadAsync(TimeSpan timeout)
    {
        var input = Input;
        if (Closed.IsCancellationRequested) input.CancelPendingRead(); // the first may have been spent on a look at what was there
        var read = input.ReadAsync(CancellationToken.None);
        return read.IsCompleted ? read : WaitAsync(read, timeout);
    }

    async ValueTask<ReadResult> WaitAsync(ValueTask<ReadResult> read, TimeSpan timeout)
    {
        timer ??= Time.CreateTimer(static state => ((Connection)state!).Input.CancelPendingRead(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        timer.Change(timeout, Timeout.InfiniteTimeSpan);
        try { return await read; }
        finally { timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan); }
    }

    /// <summary>Ends the timer of <see cref="ReadAsync"/>.</summary>
    protected void StopTimer() => timer?.Dispose();

    /// <summary>A connection over any pair of pipes, for tests and for tools.</summary>
    public static Connection Over(
        IDuplexPipe transport, ListenerSettings listener, IPEndPoint? remote = null,
        ServerOptionsSelectionCallback? tls = null, TimeProvider? time = null, CancellationToken stopping = default) =>
        new TransportConnection(
            transport, listener, remote ?? new IPEndPoint(IPAddress.Loopback, 40000), new IPEndPoint(IPAddress.Loopback, listener.Port),
            tls, TimeSpan.FromSeconds(30), time ?? TimeProvider.System, stopping, () => transport.Input.Complete());
}
