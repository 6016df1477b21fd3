namespace CbaMail.Delivery;

/// <summary>
/// The part of Delivery that brings mail to other servers: RemoteDelivery starts workers, Remote/ holds what one does
/// (MxLookup: where to; TlsDemands with DaneLookup and StsPolicies: how sure we must be of whom; Connector: the connection; RemoteWorker: the
/// order of commits; Outcomes: what a reply means; PaceSignals: what it says of our pace), Bounce writes notices.
///
/// Rules that a change must keep:
/// - All recipients of a claim are settled in one transaction with the notices about them and the mailing ledger's rows.
/// - Next server on a lost or refused connection; a reply of the peer to the envelope or the message is final for this attempt.
/// - Notices go from the null reverse-path and never about mail that came from it (RFC 5321 4.5.5, RFC 3461 6.1).
/// - Permanent failures of DNS are those that DNS states: no such domain, null MX (RFC 7505), no address; silence is temporary.
/// - A server that cannot show what its domain has published gets no mail, and no fallback leads around that. TlsReports counts what happened.
///
/// RFC 5321 5 (finding servers), 4.5.4; RFC 7505; RFC 3461, 3464, 6522, 6533 (notices); RFC 7435 (opportunistic TLS); RFC 7672, 8461, 8689, 8460.
/// </summary>
public static class RemoteDeliveryRoom
{
    public static IServiceCollection AddRemoteDelivery(this IServiceCollection services) =>
        services.AddSingleton<BounceDelivery>().AddSingleton<OwnSignatures>().AddSingleton<RemoteDelivery>().AddSingleton<Remote.RecipientProbe>()
            .AddHostedService(static provider => provider.GetRequiredService<RemoteDelivery>());
}
