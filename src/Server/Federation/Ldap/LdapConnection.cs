using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using CbaMail.Config;
using CbaMail.Ldap;

namespace CbaMail.Federation.Ldap;

/// <summary>A directory could not be asked. The message is a sentence for administrators.</summary>
/// <param name="code">What the directory has answered (RFC 4511 4.1.9); null: nothing.</param>
sealed class LdapTrouble(string sentence, Exception? cause = null, int? code = null) : Exception(sentence, cause)
{
    public int? Code => code;
}

/// <summary>One server of a directory.</summary>
/// <param name="Tls">From the first byte (ldaps).</param>
sealed record LdapServer(string Host, int Port, bool Tls)
{
    public override string ToString() => $"{(Tls ? "ldaps" : "ldap")}://{(Host.Contains(':') ? $"[{Host}]" : Host)}:{Port}";
}

/// <summary>
/// A connection to a directory: one request at a time, each within the time limit of the settings. Referrals are not followed (RFC 4511 4.1.10): whoever
/// answers for the directory stands in the settings.
/// </summary>
sealed class LdapConnection : IAsyncDisposable
{
    const int LargestMessage = 16 << 20;

    readonly LdapServer server;
    readonly TimeSpan limit;
    readonly TimeProvider time;
    Stream stream;
    byte[] buffer = new byte[16 * 1024];
    int held, lastId;

    LdapConnection(LdapServer server, Stream stream, TimeSpan limit, TimeProvider time) => (this.server, this.stream, this.limit, this.time) = (server, stream, limit, time);

    public LdapServer Server => server;

    /// <summary>When it was put aside for the next who needs one.</summary>
    public long IdleSince { get; set; }

    /// <summary>Connects, with TLS where the settings ask for it.</summary>
    /// <param name="authorities">Who issues its certificate; null: whom the machine trusts.</param>
    public static async Task<LdapConnection> OpenAsync(LdapServer server, LdapSettings settings, X509Certificate2Collection? authorities, TimeProvider time, CancellationToken cancel)
    {
        using var late = new CancellationTokenSource(settings.Timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, late.Token);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        LdapConnection? connection = null;
        try
        {
            await socket.ConnectAsync(server.Host, server.Port, both.Token);
            connection = new LdapConnection(server, new NetworkStream(socket, ownsSocket: true), settings.Timeout, time);
            if (!server.Tls && settings.StartTls) await connection.StartTlsAsync(cancel);
            if (server.Tls || settings.StartTls) await connection.SecureAsync(authorities, both.Token);
            return connection;
        }
        catch (Exception e) when (e is SocketException or IOException or AuthenticationException or OperationCanceledException or LdapTrouble)
        {
            if (connection is not null) await connection.DisposeAsync();
            socket.Dispose();
            cancel.ThrowIfCancellationRequested();
            throw Trouble(server, e);
        }
    }

    static LdapTrouble Trouble(LdapServer server, Exception e) => e switch
    {
        LdapTrouble known => known,
        OperationCanceledException => new($"{server} does not answer in time", e),
        AuthenticationException => new($"{server}: its certificate is not taken, or TLS fails: {(e.InnerException ?? e).Message}", e),
        SocketException => new($"{server} cannot be reached: {e.Message}", e),
        _ => new($"{server}: the connection broke off: {e.Message}", e),
    };

    async Task StartTlsAsync(CancellationToken cancel)
    {
        var answer = await AskAsync(LdapMessage.StartTls, cancel);
        if (answer is not { Kind: LdapAnswerKind.Extended, Result.Ok: true }) throw new LdapTrouble($"{server} does not begin TLS: {answer.Result}");
        // RFC 4511 4.14.1: nothing may be under way; what somebody has put behind the answer in clear text is no part of the talk
        if (held > 0) throw new LdapTrouble($"{server}: something was said in clear text behind the answer to StartTLS");
    }

    async Task SecureAsync(X509Certificate2Collection? authorities, CancellationToken cancel)
    {
        var tls = new SslStream(stream, leaveInnerStreamOpen: false);
        stream = tls;
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck };
        if (authorities is not null)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(authorities);
        }
        // RFC 4513 3.1.3: the name that was asked for is the one that the certificate must have
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = server.Host, CertificateChainPolicy = policy }, cancel);
    }

    /// <summary>Proves to be somebody. RFC 4513 5.1.2: a name with an empty password would be anybody, so it is never sent.</summary>
    public async Task<LdapResult> BindAsync(string name, string password, CancellationToken cancel)
    {
        if (name.Length > 0 && password.Length == 0) return new(LdapResult.InvalidCredentials, "an empty password proves nothing");
        var answer = await AskAsync(id => LdapMessage.Bind(id, name, password), cancel);
        return answer is { Kind: LdapAnswerKind.Bind, Result: { } result } ? result : throw new LdapTrouble($"{server}: the answer to a bind is none");
    }

    /// <summary>Reads all that a search finds, page by page (RFC 2696).</summary>
    /// <param name="most">More is an error: nobody may fill our memory.</param>
    public async Task<List<LdapEntry>> SearchAsync(LdapSearch search, int most, CancellationToken cancel)
    {
        var found = new List<LdapEntry>();
        var cookie = Array.Empty<byte>();
        do
        {
            var id = ++lastId;
            var from = cookie;
            using var late = new CancellationTokenSource(limit, time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, late.Token);
            try
            {
                await stream.WriteAsync(LdapMessage.Search(id, search, from, (int)limit.TotalSeconds), both.Token);
                LdapAnswer answer;
                while ((answer = await ReadAsync(id, both.Token)).Kind != LdapAnswerKind.SearchDone)
                {
                    if (answer.Entry is { } entry) found.Add(entry);
                    else if (answer.Kind != LdapAnswerKind.Reference) throw new LdapTrouble($"{server}: the answer to a search is none");
                    if (found.Count > most) throw new LdapTrouble($"{server}: more than {most} entries are found");
                }
                // RFC 4511 4.5.2: a part of the answer is worse than none where what is missing counts as gone; one that asked for few has them
                if (answer.Result is { Ok: false } wrong && !(wrong.Code == LdapResult.SizeLimit && search.SizeLimit > 0)) throw new LdapTrouble($"{server}: the search in \"{search.Base}\" ends with {wrong}", code: wrong.Code);
                cookie = search.SizeLimit > 0 ? [] : answer.Cookie;
            }
            catch (Exception e) when (e is SocketException or IOException or OperationCanceledException && !cancel.IsCancellationRequested)
            {
                throw Trouble(server, e);
            }
        }
        while (cookie.Length > 0);
        return found;
    }

    async Task<LdapAnswer> AskAsync(Func<int, byte[]> request, CancellationToken cancel)
    {
        using var late = new CancellationTokenSource(limit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, late.Token);
        try
        {
            var id = ++lastId;
            await stream.WriteAsync(request(id), both.Token);
            return await ReadAsync(id, both.Token);
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException && !cancel.IsCancellationRequested)
        {
            throw Trouble(server, e);
        }
    }

    async Task<LdapAnswer> ReadAsync(int id, CancellationToken cancel)
    {
        long length;
        while (true)
        {
            var measured = LdapMessage.TryMeasure(buffer.AsSpan(0, held), out length);
            if (measured == false || length > LargestMessage) throw new LdapTrouble($"{server} does not speak LDAP, or says too much at once");
            if (measured == true && held >= length) break;
            if (held == buffer.Length || length > buffer.Length) Array.Resize(ref buffer, (int)Math.Max(length, buffer.Length * 2L));
            var count = await stream.ReadAsync(buffer.AsMemory(held), cancel);
            if (count == 0) throw new LdapTrouble($"{server} has hung up");
            held += count;
        }
        var read = LdapMessage.TryRead(buffer.AsMemory(0, (int)length), out var answer);
        held -= (int)length;
        buffer.AsSpan((int)length, held).CopyTo(buffer);
        if (!read) throw new LdapTrouble($"{server} says what is no LDAP");
        if (answer!.Id == 0) throw new LdapTrouble($"{server} ends the talk: {answer.Result}"); // RFC 4511 4.4.1
        return answer.Id == id ? answer : throw new LdapTrouble($"{server} answers what was not asked");
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            using var late = new CancellationTokenSource(TimeSpan.FromSeconds(1), time);
            await stream.WriteAsync(LdapMessage.Unbind(++lastId), late.Token); // RFC 4511 4.3
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or AuthenticationException or InvalidOperationException or ObjectDisposedException)
        {
            // it is gone already
        }
        await stream.DisposeAsync();
    }
}
