using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using CbaMail.Config;
using CbaMail.Dns;
using CbaMail.Net;
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
        // a stranger's record must not make us post into our own net
        ConnectCallback = (context, stop) => Outward.ConnectAsync(resolver, context.DnsEndPoint, address => settings.Evaluation || !Outward.IsPrivate(address), stop),
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

    public void Dispose() => client?.Dispose();
}
