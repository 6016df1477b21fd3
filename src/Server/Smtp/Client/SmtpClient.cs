using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using CbaMail.Config;
using CbaMail.Net;

namespace CbaMail.Smtp.Client;

/// <summary>
/// One connection to another server, ready for messages: greeted, under TLS where that was to be, signed in where that was asked.
/// Not for use by two at once. What goes wrong is a <see cref="ClientReply"/>, the peer's or our own.
/// </summary>
public sealed class SmtpClient : IAsyncDisposable
{
    readonly Socket socket;
    readonly ClientOptions options;
    readonly TimeProvider time;
    ClientStream wire;

    SmtpClient(Socket socket, ClientTarget target, ClientOptions options, TimeProvider time)
    {
        (this.socket, Target, this.options, this.time) = (socket, target, options, time);
        wire = new ClientStream(new NetworkStream(socket, ownsSocket: true), time);
        Local = (socket.LocalEndPoint as IPEndPoint)?.Address.ToString() ?? "";
    }

    public ClientTarget Target { get; }
    public ClientExtensions Extensions { get; private set; } = new();

    /// <summary>Protocol, cipher and what proved the server, or null in clear text.</summary>
    public string? Tls { get; private set; }

    /// <summary>What was wrong with TLS though mail goes there all the same; a sentence about it in <see cref="TlsProblem"/>.</summary>
    public TlsFailure? TlsFailure { get; private set; }
    public string TlsProblem { get; private set; } = "";

    /// <summary>The server has shown that it is the one that was meant.</summary>
    public bool IsProven => Tls is not null && options is { Proof: not null, Enforce: true };

    /// <summary>The address that the connection comes from.</summary>
    public string Local { get; }

    /// <summary>Another message can be sent.</summary>
    public bool Usable { get; internal set; } = true;

    /// <summary>Transactions that the peer has finished.</summary>
    public int Messages { get; internal set; }

    /// <summary>A transaction has been made before: that the peer is gone now says nothing about the next message.</summary>
    internal bool Kept { get; set; }

    /// <summary>A transaction was left open: RSET goes before the next.</summary>
    internal bool NeedsReset { get; set; }
    internal ClientOptions Options => options;
    internal ClientStream Wire => wire;

    /// <summary>Connects and greets. Opportunistic TLS that fails is tried again without, on a new connection (RFC 7435 4).</summary>
    /// <returns>A client, or why there is none.</returns>
    public static async Task<(SmtpClient? Client, ClientReply? Failure)> ConnectAsync(ClientTarget target, ClientOptions options, TimeProvider time, CancellationToken cancel)
    {
        try
        {
            return (await OpenAsync(target, options, time, cancel), null);
        }
        catch (ClientFailure failure) when (failure.InnerException is AuthenticationException && options is { Tls: RouteTls.Opportunistic, User: "" })
        {
            // not where a password is to be sent: without it a smarthost would refuse the mail for good
            var (client, reply) = await ConnectAsync(target, options with { Tls = RouteTls.None }, time, cancel);
            if (client is not null) (client.TlsFailure, client.TlsProblem) = (failure.Reply.TlsFailure, failure.Reply.Text);
            return (client, reply);
        }
        catch (ClientFailure failure)
        {
            return (null, failure.Reply);
        }
    }

    static async Task<SmtpClient> OpenAsync(ClientTarget target, ClientOptions options, TimeProvider time, CancellationToken cancel)
    {
        var socket = await DialAsync(target, options, time, cancel);
        var client = new SmtpClient(socket, target, options, time);
        try
        {
            if (options.Tls == RouteTls.Implicit) await client.SecureAsync(cancel);
            await client.GreetAsync(cancel);
            if (options.Tls is RouteTls.Opportunistic or RouteTls.Required && await client.StartTlsAsync(cancel)) await client.HelloAsync(cancel);
            if (options.User.Length > 0) await client.SignInAsync(cancel);
            return client;
        }
        catch
        {
            client.Usable = false;
            await client.DisposeAsync();
            throw;
        }
    }

    static Socket Open(ClientTarget target)
    {
        try
        {
            var socket = new Socket(target.Address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            if (!Descriptors.AreScarce(socket.SafeHandle)) return socket;
            socket.Dispose();
            throw new SocketException((int)SocketError.TooManyOpenSockets);
        }
        catch (SocketException error)
        {
            throw new ClientFailure(ClientReply.Local(421, "4.3.2", "Too many files and connections are open here"), error);
        }
    }

    static async Task<Socket> DialAsync(ClientTarget target, ClientOptions options, TimeProvider time, CancellationToken cancel)
    {
        var socket = Open(target);
        using var timeout = new CancellationTokenSource(options.Times.ConnectTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancel);
        try
        {
            if (options.Source is { } source) socket.Bind(new IPEndPoint(source, 0));
            await socket.ConnectAsync(new IPEndPoint(target.Address, target.Port), both.Token);
            return socket;
        }
        catch (SocketException error)
        {
            socket.Dispose();
            throw new ClientFailure(ClientReply.Local(421, "4.4.1", $"{target}: {error.SocketErrorCode switch
            {
                SocketError.ConnectionRefused => "connection refused",
                SocketError.TimedOut => "no answer to the connection",
                SocketError.AddressNotAvailable => $"{options.Source} is no address of this machine; correct sending.sources or queue.source-address",
                SocketError.NetworkUnreachable or SocketError.HostUnreachable => "unreachable",
                var other => other.ToString(),
            }}"), error);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            socket.Dispose();
            throw new ClientFailure(ClientReply.Local(421, "4.4.1", $"{target}: no connection within {options.Times.ConnectTimeout.TotalSeconds:0} seconds"));
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    async Task GreetAsync(CancellationToken cancel)
    {
        // RFC 5321 3.1: a refusal here is the host's, not the message's: the next host may take it
        var greeting = await wire.ReadAsync(options.Times.GreetingTimeout, "greeting", cancel);
        if (greeting.Code != 220) throw new ClientFailure(AsHost(greeting));
        await HelloAsync(cancel);
    }

    // RFC 7504 3, 4: 521 says that the host never takes mail; where all of a domain's say so, it is returned
    ClientReply AsHost(ClientReply reply) => reply.Code == 521 ? ClientReply.Local(521, "5.3.2", $"{Target} said: {reply}") with { Said = reply } : ClientReply.Local(421, reply.IsPermanent ? "4.3.2" : reply.Status, $"{Target} said: {reply}") with { Said = reply };

    async Task HelloAsync(CancellationToken cancel)
    {
        var lines = new List<string>();
        await LineAsync($"EHLO {options.Hostname}", cancel);
        var reply = await wire.ReadAsync(options.Times.CommandTimeout, "EHLO", cancel, lines);
        if (reply.IsPositive)
        {
            Extensions = ClientExtensions.Parse(lines.Skip(1));
            return;
        }
        // RFC 5321 3.2: an old server does not know EHLO; under TLS it has said EHLO once already
        if (reply.IsPermanent && Tls is null)
        {
            await LineAsync($"HELO {options.Hostname}", cancel);
            reply = await wire.ReadAsync(options.Times.CommandTimeout, "HELO", cancel);
            Extensions = new ClientExtensions();
            if (reply.IsPositive) return;
        }
        throw new ClientFailure(AsHost(reply));
    }

    /// <returns>Whether TLS was started.</returns>
    async Task<bool> StartTlsAsync(CancellationToken cancel)
    {
        var required = options.Tls == RouteTls.Required;
        if (!Extensions.StartTls)
        {
            (TlsFailure, TlsProblem) = (Client.TlsFailure.StartTlsNotSupported, $"{Target} does not offer STARTTLS");
            return required ? throw new ClientFailure(Untrusted("4.7.4", $"{Target} does not offer STARTTLS, which is required for it")) : false;
        }
        await LineAsync("STARTTLS", cancel);
        var reply = await wire.ReadAsync(options.Times.CommandTimeout, "STARTTLS", cancel);
        if (reply.Code != 220)
        {
            (TlsFailure, TlsProblem) = (Client.TlsFailure.StartTlsNotSupported, $"{Target} answered STARTTLS with {reply}");
            return required || reply.IsClosing ? throw new ClientFailure(AsHost(reply) with { TlsFailure = TlsFailure }) : false;
        }
        // RFC 3207 4.2, 6: what came in clear text behind the reply is somebody else's
        if (wire.HasMore) throw new ClientFailure(Untrusted("4.7.0", $"{Target} sent text behind its answer to STARTTLS"));
        await SecureAsync(cancel);
        return true;
    }

    ClientReply Untrusted(string status, string text) => ClientReply.Untrusted(TlsFailure ?? Client.TlsFailure.ValidationFailure, status, text);

    async Task SecureAsync(CancellationToken cancel)
    {
        var tls = new SslStream(wire.Inner, leaveInnerStreamOpen: false);
        using var timeout = new CancellationTokenSource(options.Times.CommandTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancel);
        ProofResult? judged = null;
        try
        {
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = ServerName(),
                RemoteCertificateValidationCallback = (_, certificate, chain, _) => (judged = Judge(certificate, chain)) is { Failure: null } || !options.Enforce,
                // the framework's own verdict is not asked for: it would look for roots, and fetch what a server has left out
                CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    DisableCertificateDownloads = true,
                    RevocationMode = X509RevocationMode.NoCheck,
                },
                // a session that is taken up again shows no certificate to judge
                AllowTlsResume = options.Proof is null,
                EnabledSslProtocols = SslProtocols.None,
            }, both.Token);
        }
        catch (Exception error) when (error is AuthenticationException or IOException)
        {
            await tls.DisposeAsync();
            TlsFailure = judged?.Failure;
            var reason = judged is { Failure: not null } ? judged.Value.Text : error.Message;
            throw new ClientFailure(Untrusted("4.7.5", $"{Target}: TLS failed: {reason}"), new AuthenticationException(reason, error));
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            await tls.DisposeAsync();
            throw new ClientFailure(Untrusted("4.7.5", $"{Target}: TLS took too long"), new AuthenticationException());
        }
        wire.Dispose();
        wire = new ClientStream(tls, time);
        Tls = $"{tls.SslProtocol switch { SslProtocols.Tls13 => "TLSv1.3", SslProtocols.Tls12 => "TLSv1.2", var other => other.ToString() }} {tls.NegotiatedCipherSuite}"
            + (judged is { Failure: null, Text.Length: > 0 } by ? " " + by.Text : "");
        if (judged is { Failure: { } doubt }) (TlsFailure, TlsProblem) = (doubt, $"{Target}: {judged.Value.Text}");
    }

    // RFC 6066 3: no address in SNI
    string ServerName()
    {
        var name = options.Proof?.ServerName ?? Target.Host;
        return IPAddress.TryParse(name.Trim('[', ']'), out _) ? "" : name;
    }

    ProofResult Judge(X509Certificate? certificate, X509Chain? chain)
    {
        if (options.Proof is not { } proof) return ProofResult.Proven("");
        if (certificate is null) return new ProofResult(Client.TlsFailure.ValidationFailure, "the server showed no certificate");
        using var own = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        try
        {
            return proof.Judge(own, chain is null ? [] : [.. chain.ChainPolicy.ExtraStore], time.GetUtcNow());
        }
        catch (CryptographicException error)
        {
            return new ProofResult(Client.TlsFailure.ValidationFailure, $"the certificate could not be examined: {error.Message}");
        }
    }

    /// <summary>RFC 4954 4: PLAIN (RFC 4616) or LOGIN. A refused sign-in keeps the mail: the settings are to be mended.</summary>
    async Task SignInAsync(CancellationToken cancel)
    {
        if (Tls is null && options.Tls != RouteTls.None && !IPAddress.IsLoopback(Target.Address))
            throw new ClientFailure(ClientReply.Local(421, "4.7.0", $"{Target}: no TLS, so the password of the route was not sent"));
        ClientReply reply;
        if (Extensions.Auth.Contains("PLAIN"))
        {
            await LineAsync("AUTH PLAIN " + Base64($"\0{options.User}\0{options.Password}"), cancel);
            reply = await wire.ReadAsync(options.Times.CommandTimeout, "AUTH", cancel);
        }
        else if (Extensions.Auth.Contains("LOGIN"))
        {
            reply = ClientReply.Local(334, "", "");
            foreach (var line in (string[])["AUTH LOGIN", Base64(options.User), Base64(options.Password)])
            {
                if (reply.Code != 334) break;
                await LineAsync(line, cancel);
                reply = await wire.ReadAsync(options.Times.CommandTimeout, "AUTH", cancel);
            }
        }
        else throw new ClientFailure(ClientReply.Local(421, "4.7.0", $"{Target} offers no sign-in that we know (PLAIN, LOGIN)"));
        if (reply.Code != 235) throw new ClientFailure(ClientReply.Local(421, "4.7.8", $"{Target} refused the sign-in of the route: {reply}"));
    }

    static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    internal Task LineAsync(string line, CancellationToken cancel) =>
        wire.WriteAsync(Encoding.UTF8.GetBytes(line + "\r\n"), options.Times.CommandTimeout, line.Split(' ')[0], cancel);

    /// <summary>Hands a message over, to those recipients that the peer takes.</summary>
    public Task<ClientResult> SendAsync(ClientMessage message, CancellationToken cancel) => new ClientTransaction(this, message).RunAsync(cancel);

    /// <summary>Asks whether the server would take mail for an address: MAIL from &lt;&gt;, RCPT, RSET. What it says to RCPT, or what stood in the way.</summary>
    public async Task<ClientReply> ProbeAsync(Envelope.MailAddress recipient, CancellationToken cancel)
    {
        try
        {
            foreach (var line in (string[])["MAIL FROM:<>", $"RCPT TO:<{recipient}>"])
            {
                await LineAsync(line, cancel);
                var reply = await wire.ReadAsync(options.Times.CommandTimeout, line[..4], cancel);
                if (line[0] == 'R') return reply;
                // who refuses bounces says nothing of the recipient
                if (!reply.IsPositive) return ClientReply.Local(451, "4.4.3", $"{Target} takes no mail from <>: {reply}");
            }
            throw new InvalidOperationException("RCPT was not sent.");
        }
        catch (ClientFailure failure)
        {
            Usable = false;
            return failure.Reply;
        }
    }

    /// <summary>Says QUIT without waiting long for the answer, and closes.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Usable)
        {
            try
            {
                // RFC 5321 4.1.1.10: the sender should wait; the mail is safe either way
                await wire.WriteAsync("QUIT\r\n"u8.ToArray(), TimeSpan.FromSeconds(1), "QUIT", CancellationToken.None);
                await wire.ReadAsync(TimeSpan.FromSeconds(1), "QUIT", CancellationToken.None);
            }
            catch (ClientFailure)
            {
                Usable = false;
            }
        }
        Usable = false;
        await wire.Inner.DisposeAsync();
        wire.Dispose();
        socket.Dispose();
    }
}
