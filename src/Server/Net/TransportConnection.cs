using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using CbaMail.Config;
using Microsoft.AspNetCore.Connections;

namespace CbaMail.Net;

/// <summary>A <see cref="Connection"/> over a pair of pipes; after the handshake an <see cref="SslStream"/> lies between.</summary>
sealed class TransportConnection : Connection, IAsyncDisposable
{
    static long counter = Random.Shared.Next(0x10000, 0xfffff);

    readonly IDuplexPipe transport;
    readonly ServerOptionsSelectionCallback? tls;
    readonly TimeSpan handshakeTimeout;
    readonly Action abort;
    readonly CancellationTokenSource closed;
    readonly CancellationTokenRegistration wake;
    SslStream? ssl;
    PipeReader input;
    PipeWriter output;
    InflatingReader? inflating;
    PipeReader? plainInput;
    PipeWriter? plainOutput;
    DeflatingWriter? deflating;

    internal TransportConnection(
        IDuplexPipe transport, ListenerSettings listener, IPEndPoint remote, IPEndPoint local,
        ServerOptionsSelectionCallback? tls, TimeSpan handshakeTimeout, TimeProvider time, CancellationToken stopping, Action abort)
    {
        (this.transport, this.tls, this.handshakeTimeout, this.abort, Time) = (transport, tls, handshakeTimeout, abort, time);
        (Listener, Remote, Local) = (listener, remote, local);
        (input, output) = (transport.Input, transport.Output);
        closed = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        wake = closed.Token.UnsafeRegister(static state => ((TransportConnection)state!).input.CancelPendingRead(), this);
        Id = Interlocked.Increment(ref counter).ToString("x", CultureInfo.InvariantCulture);
    }

    public override string Id { get; }
    public override ListenerSettings Listener { get; }
    public override IPEndPoint Remote { get; }
    public override IPEndPoint Local { get; }
    public override PipeReader Input => input;
    public override PipeWriter Output => output;
    public override CancellationToken Closed => closed.Token;
    protected override TimeProvider Time { get; }

    public override (string Protocol, string Cipher)? Tls => ssl is not { IsAuthenticated: true } ? Forwarded : (Name(ssl.SslProtocol), ssl.NegotiatedCipherSuite.ToString());

    public override byte[]? ChannelBinding(string type) => ssl is { IsAuthenticated: true } ? ChannelBindings.Of(ssl, type) : null;

    static string Name(SslProtocols protocol) => protocol switch
    {
        SslProtocols.Tls12 => "TLSv1.2",
        SslProtocols.Tls13 => "TLSv1.3",
        _ => protocol.ToString(),
    };

    public override async Task StartTlsAsync(CancellationToken cancel)
    {
        if (ssl is not null || tls is null) throw new InvalidOperationException(tls is null ? "no certificate here" : "TLS has begun already");
        if (IsCompressed) throw new InvalidOperationException("TLS would lie above the compression");
        Unwrap();
        using var late = new CancellationTokenSource(handshakeTimeout, Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancel, Closed);
        ssl = new SslStream(new PipeStream(transport), leaveInnerStreamOpen: true);
        try
        {
            await ssl.AuthenticateAsServerAsync(tls, this, either.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            throw new AuthenticationException(late.IsCancellationRequested ? "the handshake took too long" : e.Message, e);
        }
        OpenSsl.HoldNoBuffers(ssl);
        // measured.md 6: zero-byte reads keep an idle TLS connection free of our buffers
        input = PipeReader.Create(ssl, new StreamPipeReaderOptions(bufferSize: 16 * 1024, minimumReadSize: 4096, useZeroByteReads: true, leaveOpen: true));
        output = PipeWriter.Create(ssl, new StreamPipeWriterOptions(leaveOpen: true));
    }

    public override bool IsCompressed => deflating is not null;

    public override bool IsInputBroken => inflating is { IsBroken: true };

    public override void StartCompression()
    {
        if (IsCompressed) throw new InvalidOperationException("what is sent is compressed already");
        Unwrap();
        (plainInput, plainOutput) = (input, output);
        (input, output) = (inflating = new InflatingReader(input), deflating = new DeflatingWriter(output));
    }

    public override void EndCompression()
    {
        if (deflating is null) return;
        deflating.Finish();
        (deflating, output) = (null, plainOutput!);
        inflating!.End(); // stays until the stream of the peer is over
    }

    /// <summary>Takes away what compression has left, and what it still holds where the connection ends.</summary>
    void Unwrap()
    {
        inflating?.Complete();
        deflating?.Complete();
        if (inflating is not null) input = plainInput!;
        if (deflating is not null) output = plainOutput!;
        (inflating, deflating) = (null, null);
    }

    /// <summary>The TLS that the client speaks with the proxy before us, which says so.</summary>
    internal (string Protocol, string Cipher)? Forwarded { get; init; }

    /// <summary>The socket below, where there is one.</summary>
    internal SocketTransport? Wire { get; init; }

    public override void AcknowledgeAtOnce() => Wire?.AcknowledgeAtOnce();

    public override PoolHop LeaveLoopAsync()
    {
        if (Wire is not null) Wire.RunsInline = false;
        return default;
    }

    public override void IsBrief()
    {
        if (Wire is not null) Wire.RunsInline = true;
    }

    public override bool HasBufferedInput()
    {
        if (ssl is null) Wire?.Reader.LookAgain(); // also what is in the kernel and has woken nobody
        return base.HasBufferedInput();
    }

    public override void Abort()
    {
        closed.Cancel();
        abort();
    }

    /// <summary>Says close_notify where TLS runs; the pipes below belong to whoever made them.</summary>
    public async ValueTask DisposeAsync()
    {
        StopTimer();
        await wake.DisposeAsync();
        Unwrap();
        if (ssl is not null)
        {
            try
            {
                if (ssl.IsAuthenticated)
                {
                    await output.CompleteAsync();
                    await ssl.ShutdownAsync(); // RFC 8446 6.1
                }
            }
            catch (Exception e) when (e is IOException or InvalidOperationException or OperationCanceledException)
            {
                _ = e; // the peer was quicker
            }
            await input.CompleteAsync();
            await ssl.DisposeAsync();
        }
        closed.Dispose();
    }
}

/// <summary>A stream over the transport's pipes, for <see cref="SslStream"/> to sit on.</summary>
sealed class PipeStream(IDuplexPipe pipe) : Stream
{
    public override bool CanRead => true;
    public override bool CanWrite => true;
    public override bool CanSeek => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var result = await pipe.Input.ReadAsync(cancellationToken);
            var bytes = result.Buffer;
            if (result.IsCanceled && bytes.IsEmpty)
            {
                pipe.Input.AdvanceTo(bytes.Start);
                continue; // a wake-up for the plain reader from before the handshake
            }
            var count = (int)Math.Min(bytes.Length, buffer.Length); // 0 for a zero-byte read: waits for data, takes none
            bytes = bytes.Slice(0, count);
            System.Buffers.BuffersExtensions.CopyTo(bytes, buffer.Span);
            pipe.Input.AdvanceTo(bytes.End);
            return count;
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var result = await pipe.Output.WriteAsync(buffer, cancellationToken);
        if (result.IsCompleted) throw new ConnectionResetException("the peer has gone");
    }

    public override async Task FlushAsync(CancellationToken cancellationToken) => await pipe.Output.FlushAsync(cancellationToken);
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    public override void Flush() { }
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
}
