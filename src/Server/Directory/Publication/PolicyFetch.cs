using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using CbaMail.Config;
using CbaMail.Dns;
using CbaMail.Net;

namespace CbaMail.Directory.Publication;

/// <summary>Gets a domain's policy of MTA-STS as senders do (RFC 8461 3.3): over HTTPS with a certificate that is trusted, and no redirects.</summary>
static class PolicyFetch
{
    const int Longest = 64 * 1024;
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <returns>The text, or why there is none.</returns>
    public static async Task<(string? Text, string? Problem)> GetAsync(string domain, Settings settings, IResolver resolver, TimeProvider time, CancellationToken cancel)
    {
        var host = "mta-sts." + domain;
        using var late = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancel);
        using var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, ConnectCallback = (_, token) => ConnectAsync(host, settings, resolver, token) };
        if (settings.Tls.Acme.TrustRoot is { } roots)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.ImportFromPemFile(roots);
            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
        }
        using var http = new HttpMessageInvoker(handler);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"https://{host}/.well-known/mta-sts.txt");
            using var response = await http.SendAsync(request, either.Token);
            if (response.StatusCode != HttpStatusCode.OK) return (null, $"https://{host}/.well-known/mta-sts.txt answers {(int)response.StatusCode}");
            await using var body = await response.Content.ReadAsStreamAsync(either.Token);
            var bytes = new byte[Longest];
            var count = await body.ReadAtLeastAsync(bytes, Longest, throwOnEndOfStream: false, either.Token);
            return (Encoding.UTF8.GetString(bytes, 0, count), null);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return (null, $"{host} gives no answer over HTTPS");
        }
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException)
        {
            var why = e;
            while (why.InnerException is { } inner) why = inner;
            // the framework lists the names of its flags
            var sentence = why is not AuthenticationException ? why.Message.ReplaceLineEndings(" ").TrimEnd('.')
                : why.Message.Contains("NameMismatch", StringComparison.Ordinal) ? $"the certificate shown there is for other names than {host}"
                : why.Message.Contains("NotTimeValid", StringComparison.Ordinal) ? "the certificate shown there has run out, or a clock is wrong"
                : why.Message.Contains("certificate", StringComparison.Ordinal) ? "the certificate shown there is not of an authority that is trusted"
                : "TLS fails: " + why.Message.ReplaceLineEndings(" ").TrimEnd('.');
            return (null, $"https://{host}/.well-known/mta-sts.txt cannot be read: {sentence}");
        }
    }

    /// <summary>Of the open net, or this machine's own: a name that leads elsewhere inside tells nobody what is open there.</summary>
    static bool IsFit(IPAddress address, Settings settings) => settings.Evaluation || !Outward.IsPrivate(address)
        || System.Net.NetworkInformation.NetworkInterface.GetAllNetworkInterfaces().SelectMany(one => one.GetIPProperties().UnicastAddresses).Any(one => one.Address.Equals(address));

    static async ValueTask<Stream> ConnectAsync(string host, Settings settings, IResolver resolver, CancellationToken cancel)
    {
        var port = settings.PortOffset + 443;
        IPAddress[] addresses = [.. (await resolver.AddressesAsync(host, v6: false, cancel)).Records, .. (await resolver.AddressesAsync(host, v6: true, cancel)).Records];
        if (addresses.Length == 0) throw new IOException($"{host} has no address");
        addresses = [.. addresses.Where(address => IsFit(address, settings))];
        if (addresses.Length == 0) throw new IOException($"{host} leads into a private network, where servers elsewhere do not reach it");
        for (var i = 0; ; i++)
        {
            var socket = new Socket(addresses[i].AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(addresses[i], port, cancel);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException) when (i < addresses.Length - 1)
            {
                socket.Dispose(); // the next address
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }
}
