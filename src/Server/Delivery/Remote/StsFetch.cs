using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using CbaMail.Dns;
using CbaMail.MailAuth.Sts;
using CbaMail.Smtp.Client;

namespace CbaMail.Delivery.Remote;

/// <summary>A policy, or why there is none.</summary>
internal sealed record StsFetched(StsPolicy? Policy, TlsFailure Failure = TlsFailure.StsPolicyFetchError, string Problem = "");

/// <summary>
/// Fetches a domain's policy (RFC 8461 3.3): https only, of mta-sts.DOMAIN with a certificate for that name, no redirects, text/plain,
/// at most 64 KB within a minute. The host's addresses come from the same resolver as all of ours.
/// </summary>
internal sealed class StsFetch(IResolver resolver, int port, X509Certificate2Collection roots, TimeProvider time, Func<IPAddress, bool>? allowed = null)
{
    static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    public async Task<StsFetched> GetAsync(string domain, CancellationToken cancel)
    {
        var host = "mta-sts." + domain;
        using var limit = new CancellationTokenSource(Limit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        ProofResult? judged = null;
        using var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            MaxResponseHeadersLength = 16,
            ConnectCallback = (context, stop) => ConnectAsync(context.DnsEndPoint.Host, stop),
            SslOptions = new SslClientAuthenticationOptions
            {
                TargetHost = host,
                CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck },
                RemoteCertificateValidationCallback = (_, certificate, chain, _) => (judged = Judge(host, certificate, chain)) is { Failure: null },
            },
        };
        using var client = new HttpMessageInvoker(handler);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://{host}:{port}/.well-known/mta-sts.txt") { Version = HttpVersion.Version11 };
        try
        {
            using var response = await client.SendAsync(request, both.Token);
            if (response.StatusCode != HttpStatusCode.OK) return Fetch($"{host} answered {(int)response.StatusCode} instead of 200"); // RFC 8461 3.3: redirects are failures too
            if (!"text/plain".Equals(response.Content.Headers.ContentType?.MediaType, StringComparison.OrdinalIgnoreCase))
                return new StsFetched(null, TlsFailure.StsPolicyInvalid, $"the policy of {domain} is not text/plain"); // RFC 8461 3.2
            if (await TextAsync(response, both.Token) is not { } text) return new StsFetched(null, TlsFailure.StsPolicyInvalid, $"the policy of {domain} is longer than 64 KB");
            return StsPolicy.TryParse(text, out var policy, out var problem) ? new StsFetched(policy) : new StsFetched(null, TlsFailure.StsPolicyInvalid, $"the policy of {domain}: {problem}");
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return Fetch($"{host} took longer than a minute");
        }
        catch (Exception error) when (error is HttpRequestException or IOException or SocketException)
        {
            if (judged is { Failure: not null } bad) return new StsFetched(null, TlsFailure.StsWebpkiInvalid, $"{host}: {bad.Text}");
            return Fetch($"{host}: {error.InnerException?.Message ?? error.Message}");
        }
    }

    static StsFetched Fetch(string problem) => new(null, TlsFailure.StsPolicyFetchError, problem);

    ProofResult Judge(string host, X509Certificate? certificate, X509Chain? chain)
    {
        if (certificate is null) return new ProofResult(TlsFailure.StsWebpkiInvalid, "the server showed no certificate");
        using var own = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return new PkixProof(new Names(host), CommonName: false, Roots: roots).Judge(own, chain is null ? [] : [.. chain.ChainPolicy.ExtraStore], time.GetUtcNow());
    }

    static async Task<string?> TextAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        using var body = await response.Content.ReadAsStreamAsync(cancel);
        var bytes = new byte[StsPolicy.MaxLength + 1];
        var count = await body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancel);
        return count > StsPolicy.MaxLength ? null : Encoding.UTF8.GetString(bytes, 0, count);
    }

    async ValueTask<Stream> ConnectAsync(string host, CancellationToken cancel)
    {
        var v4 = await resolver.AddressesAsync(host, v6: false, cancel);
        IReadOnlyList<IPAddress> addresses = v4.Records.Count > 0 || !Socket.OSSupportsIPv6 ? v4.Records : (await resolver.AddressesAsync(host, v6: true, cancel)).Records;
        SocketException? last = null;
        foreach (var address in addresses)
        {
            // whoever names one of our own net would learn from our reports (RFC 8460) what is open there
            if (allowed?.Invoke(address) == false) continue;
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(address, port, cancel);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException error)
            {
                socket.Dispose();
                last = error;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
        throw last ?? new SocketException((int)SocketError.HostNotFound);
    }
}
