using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using CbaMail.Config;
using CbaMail.Dns;
using CbaMail.Storage;

namespace CbaMail.Reports;

/// <summary>
/// Posts reports on TLS to URLs (RFC 8460 5.4): https, no redirects, half a minute each, tried for a day. Certificates are not asked for more than
/// encryption needs: a report on a broken certificate would else never arrive. Names are asked of the resolver that mail uses.
/// </summary>
public sealed class ReportPosting(Store store, IResolver resolver, Settings settings, TimeProvider time, ILogger<ReportPosting> log) : IDisposable
{
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    static readonly TimeSpan Expire = TimeSpan.FromHours(24);
    static readonly TimeSpan First = TimeSpan.FromMinutes(5);
    const int MaxAtOnce = 200;

    HttpMessageInvoker? client;

    HttpMessageInvoker Client => client ??= new HttpMessageInvoker(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        MaxResponseHeadersLength = 16,
        ConnectTimeout = Limit,
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(10),
        ConnectCallback = (context, stop) => ConnectAsync(context.DnsEndPoint, stop),
        SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true, CertificateRevocationCheckMode = X509RevocationMode.NoCheck }, // RFC 8460 3, on https
    });

    /// <summary>Posts what is due.</summary>
    public async Task PostAsync(CancellationToken cancel)
    {
        for (var i = 0; i < MaxAtOnce; i++)
        {
            (WaitingPost Post, byte[] Body)? due;
            using (var read = store.Read()) due = ReportPostTable.Due(read, time.GetUtcNow());
            if (due is not { } one) return;
            var (sent, reply) = await PostAsync(one.Post, one.Body, cancel);
            var now = time.GetUtcNow();
            var pause = First * Math.Pow(2, Math.Min(one.Post.Attempts, 5));
            var over = now + pause > one.Post.Created + Expire;
            await store.CommitAsync(write =>
            {
                if (sent || over) ReportPostTable.Remove(write, one.Post.Id);
                else ReportPostTable.Defer(write, one.Post.Id, now + pause, reply);
                if (sent) SentTable.Add(write, now, ReportKind.Tls, one.Post.Domain, one.Post.ReportId, one.Post.Url, "", one.Body.Length);
                return true;
            }, cancel);
            log.Posted(one.Post.Domain, one.Post.Url, sent || !over ? reply : reply + "; given up after a day");
        }
    }

    async Task<(bool Sent, string Reply)> PostAsync(WaitingPost post, byte[] body, CancellationToken cancel)
    {
        using var limit = new CancellationTokenSource(Limit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        if (!Uri.TryCreate(post.Url, UriKind.Absolute, out var url) || url.Scheme != Uri.UriSchemeHttps) return (false, "this is no https URL");
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Version = HttpVersion.Version11, Content = new ByteArrayContent(body) };
        // RFC 8460 5.4, 6.5
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/tlsrpt+gzip");
        try
        {
            using var response = await Client.SendAsync(request, both.Token);
            return ((int)response.StatusCode is >= 200 and < 300, ((int)response.StatusCode).ToString(System.Globalization.CultureInfo.InvariantCulture));
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return (false, "no answer within half a minute");
        }
        catch (Exception error) when (error is HttpRequestException or IOException or SocketException)
        {
            return (false, ReportReader.Cut(error.InnerException?.Message ?? error.Message, 200));
        }
    }

    async ValueTask<Stream> ConnectAsync(DnsEndPoint where, CancellationToken cancel)
    {
        foreach (var address in await AddressesAsync(where.Host, cancel))
        {
            // a stranger's record must not make us post into our own net
            if (!settings.Evaluation && IsPrivate(address)) continue;
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(address, where.Port, cancel);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException)
            {
                socket.Dispose(); // the next address is tried
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
        throw new SocketException((int)SocketError.HostUnreachable);
    }

    async Task<IReadOnlyList<IPAddress>> AddressesAsync(string host, CancellationToken cancel)
    {
        if (IPAddress.TryParse(host, out var literal)) return [literal];
        var v4 = await resolver.AddressesAsync(host, v6: false, cancel);
        var v6 = Socket.OSSupportsIPv6 ? await resolver.AddressesAsync(host, v6: true, cancel) : null;
        return [.. v4.Records, .. v6?.Records ?? []];
    }

    static readonly IPNetwork[] PrivateNets =
    [
        .. new[] { "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3", "::/127", "fc00::/7", "fe80::/10", "ff00::/8", "64:ff9b::/96" }
            .Select(IPNetwork.Parse),
    ];

    internal static bool IsPrivate(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return Array.Exists(PrivateNets, net => net.Contains(address));
    }

    public void Dispose() => client?.Dispose();
}
