using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace CbaMail.Tests.Wire;

/// <summary>A message that a peer has taken.</summary>
internal sealed record PeerMail(string From, IReadOnlyList<string> To, string Data, bool Secure, int Connection);

/// <summary>
/// The other side of SMTP, as a test wants it: obedient by default, with single answers replaced by a script.
/// A script gets each command line ("." for the end of a message, "connect" for the greeting) and answers with reply lines,
/// null for the obedient answer, or <see cref="Hang"/> and <see cref="Drop"/>.
/// </summary>
internal sealed class ScriptedPeer : IAsyncDisposable
{
    public const string Hang = "<hang>";
    public const string Drop = "<drop>";

    private static readonly Lazy<X509Certificate2> Certificate = new(MakeCertificate);
    private readonly TcpListener listener;
    private readonly CancellationTokenSource stop = new();
    private readonly Lock gate = new();
    private readonly List<PeerMail> mails = [];
    private readonly List<string> commands = [];
    private readonly List<IPAddress> froms = [];
    private int connections;

    public ScriptedPeer(IPAddress? address = null, int port = 0)
    {
        listener = new TcpListener(address ?? IPAddress.Loopback, port);
        listener.Start(200);
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;
    public IReadOnlyList<string> Extensions { get; set; } = ["PIPELINING", "8BITMIME", "SIZE 10000000", "DSN", "ENHANCEDSTATUSCODES"];
    public Func<string, string?> Script { get; set; } = _ => null;
    /// <summary>STARTTLS handshakes are cut off.</summary>
    public bool BrokenTls { get; set; }
    public bool ImplicitTls { get; set; }
    /// <summary>What is shown in place of a certificate of its own.</summary>
    public SslStreamCertificateContext? Shown { get; set; }
    /// <summary>Offered after TLS has begun, in place of <see cref="Extensions"/>.</summary>
    public IReadOnlyList<string>? SecureExtensions { get; set; }
    /// <summary>The name that the last client asked for (SNI).</summary>
    public string? AskedFor { get; private set; }

    public int Connections => Volatile.Read(ref connections);
    public IReadOnlyList<PeerMail> Mails { get { lock (gate) return [.. mails]; } }
    /// <summary>Where each connection came from.</summary>
    public IReadOnlyList<IPAddress> Froms { get { lock (gate) return [.. froms]; } }
    public IReadOnlyList<string> Commands { get { lock (gate) return [.. commands]; } }
    /// <summary>The commands that came in one piece with the one before.</summary>
    public int MostAtOnce { get; private set; }

    private static X509Certificate2 MakeCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=peer.test", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.Now.AddDays(-1), DateTimeOffset.Now.AddDays(30));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await listener.AcceptSocketAsync(stop.Token);
                socket.NoDelay = true;
                lock (gate) froms.Add(((IPEndPoint)socket.RemoteEndPoint!).Address);
                var number = Interlocked.Increment(ref connections);
                _ = Task.Run(() => ServeAsync(socket, number));
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // the test is over
        }
    }

    private async Task ServeAsync(Socket socket, int number)
    {
        try
        {
            using var raw = new NetworkStream(socket, ownsSocket: true);
            await new Session(this, raw, number).RunAsync();
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or System.Security.Authentication.AuthenticationException)
        {
            // the client left; its own findings are what the test looks at
        }
    }

    private sealed class Session(ScriptedPeer peer, Stream raw, int number)
    {
        private Stream? secured;
        private Stream Wire => secured ?? raw;
        private byte[] buffer = [];
        private bool secure;
        private bool content;

        private async Task SecureAsync()
        {
            if (peer.BrokenTls) throw new IOException("cut off");
            var tls = new SslStream(raw);
            var options = new SslServerAuthenticationOptions { ServerCertificateContext = peer.Shown };
            if (peer.Shown is null) options.ServerCertificate = Certificate.Value;
            await tls.AuthenticateAsServerAsync((_, hello, _, _) =>
            {
                peer.AskedFor = hello.ServerName;
                return ValueTask.FromResult(options);
            }, null, peer.stop.Token);
            (secured, buffer, secure) = (tls, [], true);
        }

        private async Task<string?> LineAsync()
        {
            while (true)
            {
                var at = Array.IndexOf(buffer, (byte)'\n');
                if (at >= 0)
                {
                    var line = Encoding.UTF8.GetString(buffer, 0, at).TrimEnd('\r');
                    buffer = buffer[(at + 1)..];
                    return line;
                }
                var more = new byte[65536];
                var count = await Wire.ReadAsync(more, peer.stop.Token);
                if (count == 0) return null;
                buffer = [.. buffer, .. more[..count]];
                if (!content) peer.MostAtOnce = Math.Max(peer.MostAtOnce, buffer.Count(b => b == '\n'));
            }
        }

        private async Task<bool> AnswerAsync(string command, string obedient, Action? agreed = null)
        {
            var answer = peer.Script(command) ?? obedient;
            if (answer == Hang) await Task.Delay(Timeout.Infinite, peer.stop.Token);
            if (answer.EndsWith(Drop, StringComparison.Ordinal))
            {
                if (answer.Length > Drop.Length) await Wire.WriteAsync(Encoding.UTF8.GetBytes(answer[..^Drop.Length] + "\r\n"));
                throw new IOException("dropped by script");
            }
            if (answer[0] is '2' or '3') agreed?.Invoke(); // before the client hears of it
            await Wire.WriteAsync(Encoding.UTF8.GetBytes(answer + "\r\n"), peer.stop.Token);
            return answer[0] is '2' or '3';
        }

        public async Task RunAsync()
        {
            if (peer.ImplicitTls) await SecureAsync();
            var (from, to) = ("", new List<string>());
            if (!await AnswerAsync("connect", "220 peer.test ESMTP")) return;
            while (await LineAsync() is { } line)
            {
                lock (peer.gate) peer.commands.Add(line);
                switch (line.Split(' ', ':')[0].ToUpperInvariant())
                {
                    case "EHLO":
                        string[] lines = ["peer.test", .. secure && peer.SecureExtensions is { } more ? more : peer.Extensions];
                        await AnswerAsync(line, string.Join("\r\n", lines.Select((text, i) => (i == lines.Length - 1 ? "250 " : "250-") + text)));
                        break;
                    case "STARTTLS":
                        if (await AnswerAsync(line, "220 2.0.0 go")) await SecureAsync();
                        break;
                    case "AUTH" when line.EndsWith("LOGIN", StringComparison.Ordinal):
                        await AnswerAsync(line, "334 VXNlcm5hbWU6");
                        var user = await LineAsync();
                        await Wire.WriteAsync("334 UGFzc3dvcmQ6\r\n"u8.ToArray());
                        var password = await LineAsync();
                        lock (peer.gate) peer.commands.Add($"LOGIN {user} {password}");
                        await AnswerAsync("login", "235 2.7.0 ok");
                        break;
                    case "AUTH":
                        await AnswerAsync(line, "235 2.7.0 ok");
                        break;
                    case "MAIL":
                        if (await AnswerAsync(line, "250 2.1.0 ok")) (from, to) = (line[10..], []);
                        break;
                    case "RCPT":
                        if (await AnswerAsync(line, "250 2.1.5 ok")) to.Add(line[8..]);
                        break;
                    case "RSET":
                        await AnswerAsync(line, "250 2.0.0 ok");
                        to = [];
                        break;
                    case "DATA":
                        if (!await AnswerAsync(line, to.Count > 0 ? "354 go on" : "503 5.5.1 no recipients")) break;
                        var data = new StringBuilder();
                        content = true;
                        string? text;
                        while ((text = await LineAsync()) is not null && text != ".") data.Append(text).Append('\n');
                        content = false;
                        if (text is null) return; // cut off before its end: not taken (RFC 5321 4.1.1.4)
                        var mail = new PeerMail(from, to, data.ToString(), secure, number);
                        await AnswerAsync(".", "250 2.0.0 taken", () => { lock (peer.gate) peer.mails.Add(mail); });
                        to = [];
                        break;
                    case "QUIT":
                        await AnswerAsync(line, "221 2.0.0 bye");
                        return;
                    default:
                        await AnswerAsync(line, line.StartsWith("HELO", StringComparison.Ordinal) ? "250 peer.test" : "500 5.5.2 what?");
                        break;
                }
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Stop();
    }
}
