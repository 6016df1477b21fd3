using System.Buffers;
using CbaMail.Tls;
using CbaMail.Tls.Acme;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace CbaMail.Http;

/// <summary>
/// The TLS of the HTTPS ports: the certificate for the name that the client asks for, looked up for each handshake. While an authority checks a
/// name by TLS-ALPN-01 (RFC 8737), the hello is read before the handshake, which does not tell what protocols the client named.
/// </summary>
public static class HttpsDoor
{
    static readonly object validation = new();

    public static void UseCertificates(this ListenOptions listen)
    {
        var certificates = listen.ApplicationServices.GetRequiredService<Certificates>();
        var challenges = listen.ApplicationServices.GetRequiredService<AcmeChallenges>();
        var time = listen.ApplicationServices.GetRequiredService<TimeProvider>();
        listen.Use(next => async connection =>
        {
            if (challenges.AwaitsHandshake) await LookAsync(connection, time);
            await next(connection);
        });
        listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            OnConnection = context => ValueTask.FromResult(
                context.Connection.Items.ContainsKey(validation) && challenges.Handshake(context.ClientHelloInfo.ServerName.ToLowerInvariant()) is { } proof
                    ? proof : certificates.Select(context.ClientHelloInfo.ServerName).Web),
        });
    }

    /// <summary>Marks a connection that asks for the authority's protocol; its bytes stay where they are.</summary>
    static async Task LookAsync(ConnectionContext connection, TimeProvider time)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(10), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, connection.ConnectionClosed);
        try
        {
            while (true)
            {
                var read = await connection.Transport.Input.ReadAsync(either.Token);
                var bytes = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, ClientHello.Longest)).ToArray();
                var known = ClientHello.TryRead(bytes, out var hello);
                var enough = known || read.IsCompleted || read.Buffer.Length >= ClientHello.Longest;
                connection.Transport.Input.AdvanceTo(read.Buffer.Start, enough ? read.Buffer.Start : read.Buffer.End);
                if (hello is not null && hello.Protocols.Contains(AcmeChallenges.Protocol)) connection.Items[validation] = true;
                if (enough) return;
            }
        }
        catch (OperationCanceledException)
        {
            return; // the handshake has a limit of its own
        }
    }
}
