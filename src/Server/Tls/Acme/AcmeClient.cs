using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using CbaMail.Config;

namespace CbaMail.Tls.Acme;

/// <summary>An answer of the authority.</summary>
/// <param name="Body">As JSON; undefined where it is none.</param>
/// <param name="Text">As it came.</param>
sealed record AcmeAnswer(int Status, JsonElement Body, string Text, string? Location, TimeSpan? RetryAfter);

/// <summary>
/// Speaks with one authority (RFC 8555): its directory, nonces, signed requests. A nonce that it does not take is replaced and the request
/// sent again (6.5); everything else that it refuses is an <see cref="AcmeProblem"/>. Answers are bounded in size and time.
/// </summary>
sealed class AcmeClient : IDisposable
{
    const int LargestAnswer = 1 << 20, MostNonces = 10;
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30), LongestPause = TimeSpan.FromDays(2);

    readonly HttpMessageInvoker http;
    readonly string root;
    readonly TimeProvider time;
    readonly Queue<string> nonces = new();
    JsonElement directory;

    /// <exception cref="InvalidOperationException">The file with the trusted roots is none; the message is a sentence for people.</exception>
    public AcmeClient(AcmeSettings settings, TimeProvider time)
    {
        (root, this.time) = (settings.Directory, time);
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, ConnectTimeout = TimeSpan.FromSeconds(15), PooledConnectionIdleTimeout = TimeSpan.FromSeconds(20), UseCookies = false };
        if (settings.TrustRoot is { } file) handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = Trusting(file) };
        http = new HttpMessageInvoker(handler);
    }

    static X509ChainPolicy Trusting(string file)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        try { policy.CustomTrustStore.ImportFromPemFile(file); }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException($"tls.acme.trust-root: {file} holds no certificates in PEM: {e.Message}", e);
        }
        return policy;
    }

    /// <summary>The account's key; set before signed requests are sent.</summary>
    public Jws? Key { get; set; }

    /// <summary>The account's address, once it is known.</summary>
    public string? Account { get; set; }

    /// <summary>RFC 8555 7.1.1.</summary>
    public async Task<JsonElement> DirectoryAsync(CancellationToken cancel)
    {
        if (directory.ValueKind == JsonValueKind.Object) return directory;
        var answer = await SendAsync(HttpMethod.Get, root, null, cancel);
        if (answer.Status != 200 || answer.Body.String("newOrder") is null) throw new AcmeProblem(AcmeProblem.Odd, $"{root} is no directory of ACME (answer {answer.Status}): look at tls.acme.directory");
        return directory = answer.Body;
    }

    public async Task<string> ResourceAsync(string name, CancellationToken cancel) =>
        (await DirectoryAsync(cancel)).String(name) ?? throw new AcmeProblem(AcmeProblem.Odd, $"the directory {root} offers no {name}");

    /// <summary>An unsigned GET, for what RFC 9773 publishes; null where there is no 200.</summary>
    public async Task<AcmeAnswer?> GetAsync(string url, CancellationToken cancel) =>
        await SendAsync(HttpMethod.Get, url, null, cancel) is { Status: 200 } answer ? answer : null;

    /// <summary>POST-as-GET (RFC 8555 6.3).</summary>
    public Task<AcmeAnswer> ReadAsync(string url, CancellationToken cancel) => PostAsync(url, "", cancel);

    /// <summary>A signed request; returns what has a status of 2xx.</summary>
    /// <param name="withKey">Show the key instead of the account's address.</param>
    /// <exception cref="AcmeProblem">It was refused.</exception>
    public async Task<AcmeAnswer> PostAsync(string url, string payload, CancellationToken cancel, bool withKey = false)
    {
        for (var attempt = 1; ; attempt++)
        {
            var signed = Key!.Sign(url, await NonceAsync(cancel), withKey ? null : Account, payload);
            var answer = await SendAsync(HttpMethod.Post, url, signed, cancel);
            if (answer.Status is >= 200 and < 300) return answer;
            var problem = AcmeProblem.Of(answer.Body, answer.Status, answer.RetryAfter);
            if (problem.Type != "badNonce" || attempt == MostNonces) throw problem; // RFC 8555 6.5: with the nonce of this answer it may work
        }
    }

    async Task<string> NonceAsync(CancellationToken cancel)
    {
        if (nonces.TryDequeue(out var kept)) return kept;
        var url = await ResourceAsync("newNonce", cancel);
        await SendAsync(HttpMethod.Head, url, null, cancel); // RFC 8555 7.2
        return nonces.TryDequeue(out var fresh) ? fresh : throw new AcmeProblem(AcmeProblem.Odd, $"{url} gave no nonce");
    }

    async Task<AcmeAnswer> SendAsync(HttpMethod method, string url, string? signed, CancellationToken cancel)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme != Uri.UriSchemeHttps)
            throw new AcmeProblem(AcmeProblem.Odd, $"\"{url}\" is no https address"); // RFC 8555 6.1
        using var late = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancel);
        try
        {
            using var request = new HttpRequestMessage(method, uri);
            request.Headers.UserAgent.ParseAdd("CBA-Mail/" + (typeof(AcmeClient).Assembly.GetName().Version?.ToString(3) ?? "0")); // RFC 8555 6.1
            request.Headers.AcceptLanguage.ParseAdd("en");
            if (signed is not null) request.Content = new ByteArrayContent(Encoding.ASCII.GetBytes(signed)) { Headers = { ContentType = new MediaTypeHeaderValue("application/jose+json") } };
            using var response = await http.SendAsync(request, either.Token);
            if (response.Headers.TryGetValues("Replay-Nonce", out var values) && values.First() is { Length: > 0 and < 1024 } nonce && nonces.Count < 20) nonces.Enqueue(nonce);
            var text = await ReadAsync(response, either.Token);
            var location = response.Headers.Location is { } to ? new Uri(uri, to).ToString() : null;
            return new AcmeAnswer((int)response.StatusCode, Parse(text), text, location, RetryAfter(response.Headers.RetryAfter));
        }
        catch (OperationCanceledException e) when (!cancel.IsCancellationRequested)
        {
            throw new AcmeProblem(AcmeProblem.Unreachable, $"{uri.Authority} gave no answer within {Patience.TotalSeconds:0} s", inner: e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new AcmeProblem(AcmeProblem.Unreachable, $"{uri.Authority} cannot be reached: {Deepest(e).ReplaceLineEndings(" ")}", inner: e);
        }
    }

    static string Deepest(Exception e)
    {
        while (e.InnerException is { } inner) e = inner;
        return e.Message;
    }

    static async Task<string> ReadAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(cancel);
        using var body = new MemoryStream();
        var buffer = new byte[8192];
        while (await stream.ReadAsync(buffer, cancel) is > 0 and var count)
        {
            body.Write(buffer, 0, count);
            if (body.Length > LargestAnswer) throw new AcmeProblem(AcmeProblem.Odd, "the authority's answer is too large");
        }
        return Encoding.UTF8.GetString(body.ToArray());
    }

    static JsonElement Parse(string text)
    {
        if (text.Length == 0 || text[0] != '{') return default;
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 16 });
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return default;
        }
    }

    TimeSpan? RetryAfter(RetryConditionHeaderValue? header)
    {
        var wait = header?.Delta ?? (header?.Date is { } date ? date - time.GetUtcNow() : null);
        return wait is not { } pause ? null : pause < TimeSpan.Zero ? TimeSpan.Zero : pause < LongestPause ? pause : LongestPause;
    }

    /// <summary>For sentences.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"ACME at {root}");

    public void Dispose() => http.Dispose();
}
