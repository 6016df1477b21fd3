using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;
using CbaMail.Config;
using CbaMail.Dns;
using CbaMail.Envelope;
using CbaMail.Net;

namespace CbaMail.Courses.Sources;

/// <summary>What a system has answered.</summary>
/// <param name="Body">Undefined where it is no JSON.</param>
/// <param name="Links">Addresses by their relation, as the header Link has them.</param>
sealed record RosterAnswer(int Status, JsonElement Body, IReadOnlyDictionary<string, string> Links);

/// <summary>
/// Asks systems elsewhere by HTTPS: no redirects, half a minute and 16 MiB an answer, and none of our own net but what the settings name
/// (<c>mailings.roster-networks</c>): whoever may change a course is not to see what only this machine can reach.
/// </summary>
sealed partial class RosterFetch : IDisposable
{
    const int Largest = 16 << 20;
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    readonly HttpMessageInvoker client;
    readonly Settings settings;
    readonly TimeProvider time;

    public RosterFetch(IResolver resolver, Settings settings, TimeProvider time)
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
            ConnectTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
            ConnectCallback = (context, stop) => Outward.ConnectAsync(resolver, context.DnsEndPoint, Allows, stop),
        });
    }

    bool Allows(IPAddress address) => !Outward.IsPrivate(address) || settings.Mailings.RosterNetworks.Hold(address) || (settings.Evaluation && IPAddress.IsLoopback(address));

    /// <summary>Why an address is not asked, or null.</summary>
    public Refusal? Problem(string? text, string field)
    {
        if (text is null || text.Length > 2000 || !Uri.TryCreate(text, UriKind.Absolute, out var url) || url.UserInfo.Length > 0 || url.Fragment.Length > 0) return Refusal.Invalid.Because("The address is a URL without a user and a fragment").At(field);
        if (url.Scheme != Uri.UriSchemeHttps && !(url.Scheme == Uri.UriSchemeHttp && settings.Evaluation && url.IsLoopback)) return Refusal.Invalid.Because("The address begins with https://").At(field);
        if (IPAddress.TryParse(url.Host.Trim('[', ']'), out var address) && !Allows(address)) return Refusal.Invalid.Because($"{address} is no address of the open net; networks of one's own are named in the settings (mailings.roster-networks)").At(field);
        return null;
    }

    public Task<Result<RosterAnswer>> GetAsync(string url, string accept, string bearer, CancellationToken cancel)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Accept.ParseAdd(accept);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        return AskAsync(request, cancel);
    }

    public Task<Result<RosterAnswer>> PostAsync(string url, IReadOnlyDictionary<string, string> form, CancellationToken cancel)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new FormUrlEncodedContent(form) };
        request.Headers.Accept.ParseAdd("application/json");
        return AskAsync(request, cancel);
    }

    async Task<Result<RosterAnswer>> AskAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        using var mine = request;
        var host = request.RequestUri!.Authority;
        // an address of a later page is the system's to say, and is looked at as the first one was
        if (Problem(request.RequestUri.AbsoluteUri, "url") is { } problem) return problem;
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("CbaMail", null));
        using var limit = new CancellationTokenSource(Limit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        try
        {
            using var response = await client.SendAsync(request, both.Token);
            await using var body = await response.Content.ReadAsStreamAsync(both.Token);
            using var bytes = new MemoryStream();
            var buffer = new byte[64 * 1024];
            while (await body.ReadAsync(buffer, both.Token) is > 0 and var count)
            {
                if (bytes.Length + count > Largest) return Trouble(host, $"its answer is longer than {Largest >> 20} MiB");
                bytes.Write(buffer, 0, count);
            }
            return new RosterAnswer((int)response.StatusCode, Json(bytes), Links(request.RequestUri, response));
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return Trouble(host, "no answer within 30 seconds");
        }
        catch (Exception error) when (error is HttpRequestException or IOException or SocketException)
        {
            var text = error.InnerException?.Message ?? error.Message;
            return Trouble(host, "no answer: " + ParticipantFile.Shown(text));
        }
    }

    /// <summary>A temporary refusal that says who did not answer as he should.</summary>
    public static Refusal Trouble(string host, string what) => Refusal.Unavailable.Because($"{host} cannot be read: {what}");

    static JsonElement Json(MemoryStream bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes.GetBuffer().AsMemory(0, (int)bytes.Length), new JsonDocumentOptions { MaxDepth = 32 });
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return default;
        }
    }

    // <url>; rel="next", <url>; rel="differences"
    static Dictionary<string, string> Links(Uri asked, HttpResponseMessage response)
    {
        var found = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (!response.Headers.TryGetValues("Link", out var values)) return found;
        foreach (Match match in Link().Matches(string.Join(',', values)))
            if (Uri.TryCreate(asked, match.Groups[1].Value.Trim(), out var url))
                foreach (var relation in match.Groups[2].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries)) found.TryAdd(relation, url.AbsoluteUri);
        return found;
    }

    [GeneratedRegex("""<([^<>]{1,2000})>[^<,]{0,200}?;\s*rel\s*=\s*"?([A-Za-z0-9 :/._#-]{1,200})"?""", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)] private static partial Regex Link();

    public void Dispose() => client.Dispose();
}
