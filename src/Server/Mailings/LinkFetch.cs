using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using CbaMail.Config;
using CbaMail.Dns;
using CbaMail.Net;

namespace CbaMail.Mailings;

/// <summary>What stands in the way of following a link.</summary>
sealed record LinkTrouble(string English, string Russian);

/// <summary>
/// Follows links as a reader's browser would, up to their answer: no body is read, none of our own net is asked, and of other nets the two ports of
/// the web alone, so that whoever writes a letter does not see by it what only this machine can reach.
/// </summary>
sealed class LinkFetch : IDisposable
{
    const int MostRedirects = 5;
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    readonly HttpMessageInvoker client;
    readonly Settings settings;
    readonly TimeProvider time;

    public LinkFetch(IResolver resolver, Settings settings, TimeProvider time)
    {
        (this.settings, this.time) = (settings, time);
        client = new HttpMessageInvoker(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            MaxResponseHeadersLength = 32,
            MaxResponseDrainSize = 0,
            MaxConnectionsPerServer = 4,
            ConnectTimeout = Limit,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(10),
            ConnectCallback = (context, stop) => Outward.ConnectAsync(resolver, context.DnsEndPoint, Allows, stop),
        });
    }

    bool Allows(IPAddress address) => !Outward.IsPrivate(address) || settings.Evaluation && IPAddress.IsLoopback(address);

    /// <summary>Whether a link, or where one leads on to, is one that is asked at all.</summary>
    bool Asks(Uri url) => url.Scheme is "https" or "http" && url.UserInfo.Length == 0
        && (url.Port is 80 or 443 || settings.Evaluation && url.IsLoopback)
        && (!IPAddress.TryParse(url.Host.Trim('[', ']'), out var address) || Allows(address));

    /// <returns>Null where somebody answers who does not say that there is nothing.</returns>
    public async Task<LinkTrouble?> AskAsync(Uri url, CancellationToken cancel)
    {
        using var limit = new CancellationTokenSource(Limit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        try
        {
            return await FollowAsync(url, both.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return new("no answer within 10 seconds", "нет ответа за 10 секунд");
        }
        catch (Exception error) when (error is HttpRequestException { InnerException: AuthenticationException } or AuthenticationException)
        {
            return new("its certificate is not valid", "сертификат недействителен");
        }
        catch (Exception error) when (error is HttpRequestException or IOException or SocketException)
        {
            return new("nobody answers", "никто не отвечает");
        }
    }

    async Task<LinkTrouble?> FollowAsync(Uri url, CancellationToken cancel)
    {
        for (var hops = 0; hops <= MostRedirects; hops++)
        {
            if (!Asks(url)) return new("it leads to an address that is not asked: of a private net, or another port", "он ведёт на адрес, который не проверяется: в частной сети или на другом порту");
            var (status, location) = await SendAsync(HttpMethod.Head, url, cancel);
            // servers that do not know HEAD answer it with many codes
            if (status >= 400) (status, location) = await SendAsync(HttpMethod.Get, url, cancel);
            if (status is < 300 or >= 400 or 304 || location is null) return status is 404 or 410 or >= 500 ? new($"the answer is {status}", $"ответ {status}") : null;
            if (!Uri.TryCreate(url, location, out var next)) return new("it leads on to what is no address", "он ведёт дальше на то, что не адрес");
            url = next;
        }
        return new($"it leads on more than {MostRedirects} times", $"больше {MostRedirects} переадресаций");
    }

    async Task<(int Status, Uri? Location)> SendAsync(HttpMethod method, Uri url, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(method, url);
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("CbaMail", null));
        using var response = await client.SendAsync(request, cancel);
        return ((int)response.StatusCode, response.Headers.Location);
    }

    public void Dispose() => client.Dispose();
}
