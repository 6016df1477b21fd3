using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Net;

namespace CbaMail.Federation;

/// <summary>What the issuer answered.</summary>
/// <param name="Body">Undefined where it is no JSON.</param>
sealed record IssuerAnswer(HttpStatusCode Status, JsonElement Body);

/// <summary>
/// Asks the issuer by HTTP: no redirects, 256 KiB and ten seconds at most, few at the same time. Its configuration can name any address for
/// its parts: one inside the own network is asked only where the issuer itself lives there.
/// </summary>
sealed class IssuerFetch : IDisposable
{
    const int Largest = 256 * 1024;
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    public static readonly Refusal Away = Refusal.Unavailable.Because("The sign-in service cannot be asked now; try again later");

    readonly SemaphoreSlim places = new(16);
    readonly HttpMessageInvoker client;
    readonly Settings settings;
    readonly Uri issuer;
    readonly TimeProvider time;
    readonly ILogger<IssuerFetch> log;

    public IssuerFetch(Settings settings, TimeProvider time, ILogger<IssuerFetch> log)
    {
        (this.settings, this.time, this.log, issuer) = (settings, time, log, new Uri(settings.Oidc.Issuer));
        client = new HttpMessageInvoker(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            MaxResponseHeadersLength = 32,
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            ConnectCallback = ConnectAsync,
        });
    }

    /// <summary>A temporary refusal where there is no answer to go by.</summary>
    public async Task<Result<IssuerAnswer>> AskAsync(HttpMethod method, string url, HttpContent? content, AuthenticationHeaderValue? authorization, CancellationToken cancel)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || !OidcSettings.MayAsk(uri, settings.Evaluation)) return Refused(url, "it is not asked in clear text");
        using var limit = new CancellationTokenSource(Limit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        var inside = false;
        try
        {
            await places.WaitAsync(both.Token);
            inside = true;
            using var request = new HttpRequestMessage(method, uri) { Content = content };
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            request.Headers.Authorization = authorization;
            using var response = await client.SendAsync(request, both.Token);
            if ((int)response.StatusCode is >= 300 and < 400 or >= 500 or 429) return Refused(url, $"it answered {(int)response.StatusCode}");
            return await BodyAsync(response, both.Token) is { } body ? new IssuerAnswer(response.StatusCode, body) : Refused(url, "its answer is too long");
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return Refused(url, "it took longer than ten seconds");
        }
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException)
        {
            return Refused(url, e.InnerException?.Message ?? e.Message);
        }
        finally
        {
            if (inside) places.Release();
        }
    }

    /// <summary>The same refusal for an answer that is of no use; the log says why.</summary>
    public Refusal Misunderstood(string url, string problem) => Refused(url, problem);

    Refusal Refused(string url, string problem)
    {
        var question = url.IndexOf('?', StringComparison.Ordinal);
        FederationTelemetry.Away(log, question < 0 ? url : url[..question], problem);
        return Away;
    }

    static async Task<JsonElement?> BodyAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        await using var body = await response.Content.ReadAsStreamAsync(cancel);
        var bytes = new byte[Largest + 1];
        var count = await body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancel);
        if (count > Largest) return null;
        try
        {
            using var document = JsonDocument.Parse(bytes.AsMemory(0, count), new JsonDocumentOptions { MaxDepth = 32 });
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return default(JsonElement);
        }
    }

    async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancel)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var addresses = await System.Net.Dns.GetHostAddressesAsync(host, cancel);
        if (!host.Equals(issuer.IdnHost, StringComparison.OrdinalIgnoreCase) && addresses.Any(address => !IsPublic(address))
            && (await System.Net.Dns.GetHostAddressesAsync(issuer.IdnHost, cancel)).Any(IsPublic))
            throw new IOException($"the issuer names {host}, which is inside our network, and is not there itself");
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, port, cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    static bool IsPublic(IPAddress address) => !Outward.IsPrivate(address);

    public void Dispose()
    {
        client.Dispose();
        places.Dispose();
    }
}
