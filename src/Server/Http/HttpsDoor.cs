using CbaMail.Tls;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace CbaMail.Http;

/// <summary>The TLS of the HTTPS ports: the certificate for the name that the client asks for, looked up for each handshake.</summary>
public static class HttpsDoor
{
    public static void UseCertificates(this ListenOptions listen)
    {
        var certificates = listen.ApplicationServices.GetRequiredService<Certificates>();
        listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            OnConnection = context => ValueTask.FromResult(certificates.Select(context.ClientHelloInfo.ServerName).Web),
        });
    }
}
