using CbaMail.Config;
using CbaMail.Queue;
using CbaMail.Smtp.Client;

namespace CbaMail.Delivery.Remote;

/// <summary>What a connection is wanted for.</summary>
/// <param name="Domain">The recipients' domain.</param>
/// <param name="Sender">The sender's domain; empty for &lt;&gt;.</param>
internal readonly record struct Errand(string Domain, TlsWish Wish, string Sender);

/// <summary>
/// The one connection that a worker has: to the best server of a domain that can be reached and is what it must be (RFC 5321 5.1).
/// Servers that fail are passed over; a later call begins at the best one again.
/// </summary>
internal sealed class Connector(RemoteParts parts, string lane) : IAsyncDisposable
{
    SmtpClient? client;
    Targets? targets;
    int next;
    Errand errand;
    TlsDemand? made;

    QueueSettings Queue => parts.Settings.Queue;

    /// <summary>The connection, after <see cref="ConnectAsync"/> brought no failure.</summary>
    public SmtpClient Client => client!;

    public bool IsUsable => client is { Usable: true };

    /// <summary>Whether a server is left to try for the domain.</summary>
    public bool HasNext => targets is not null && next < targets.List.Count;

    bool CanGoOn => client is { Usable: true } && client.Messages < parts.Queue.Schedule.PerConnection(lane);

    /// <summary>Whose servers a domain has, by the name of the best; null where the connection serves it, or there is no saying.</summary>
    public async Task<string?> OperatorAsync(Errand errand, CancellationToken cancel)
    {
        if (CanGoOn && Serves(errand)) return null;
        await FindAsync(errand, cancel);
        return targets!.NextHop.All.Count > 0 && targets.Exchanges.Count > 0 ? MxOperator.Of(targets.Exchanges[0]) : null;
    }

    /// <summary>The servers of the domain, as they were found before where some are left.</summary>
    async Task FindAsync(Errand errand, CancellationToken cancel)
    {
        var same = this.errand == errand;
        if (!same && CanGoOn && await AdoptAsync(errand, cancel)) return;
        if (client is not null) // it does not serve
        {
            var worked = client.Messages > 0;
            await client.DisposeAsync();
            client = null;
            if (worked) targets = null; // look afresh, from the best one on
        }
        if (!same || (targets is { Failure: null } && !HasNext)) targets = null; // the last one broke off on some message: begin again
        this.errand = errand;
        if (targets is null) (targets, next) = (await parts.Lookup.FindAsync(parts.Queue.DestinationOf(errand.Domain), errand.Domain, cancel), 0);
    }

    /// <summary>
    /// Takes the connection over for another domain: it is to one of that domain's servers, and made under what that domain demands too.
    /// </summary>
    async Task<bool> AdoptAsync(Errand errand, CancellationToken cancel)
    {
        var domain = errand.Domain;
        if (errand.Wish == TlsWish.Required || this.errand.Wish != TlsWish.Usual || !FitsSource(errand)) return false;
        var where = parts.Queue.DestinationOf(domain);
        if (where.Route is not null || parts.Queue.DestinationOf(this.errand.Domain).Route is not null) return false;
        var others = await parts.Lookup.FindAsync(where, domain, cancel);
        for (var i = 0; i < others.List.Count; i++)
        {
            if (others.List[i].Target != client!.Target) continue;
            if ((await parts.Demands.RuleAsync(where, domain, others, others.List[i], errand.Wish, cancel)).Demand is not { } demand || demand != made) return false;
            (targets, next, this.errand) = (others, i + 1, errand);
            return true;
        }
        return false;
    }

    /// <summary>Keeps the connection where it serves, or makes one to the next server of the list.</summary>
    /// <returns>Null, or why there is none.</returns>
    public async Task<ClientReply?> ConnectAsync(Errand errand, CancellationToken cancel)
    {
        if (CanGoOn && Serves(errand)) return null;
        await FindAsync(errand, cancel);
        if (CanGoOn) return null; // taken over
        if (targets!.Failure is { } nowhere)
        {
            targets = null;
            return nowhere;
        }
        var where = parts.Queue.DestinationOf(errand.Domain);
        ClientReply? failure = null;
        while (HasNext)
        {
            var candidate = targets.List[next++];
            var reply = await TryAsync(where, candidate, cancel);
            if (reply is null) return null;
            // one that may work later is worth waiting for
            if (failure is null || reply.IsTemporary || failure.IsPermanent) failure = reply;
        }
        return failure ?? ClientReply.Local(421, "4.4.1", "None of the servers could be reached");
    }

    /// <summary>What was made for one wish serves another that asks for no more.</summary>
    bool Serves(Errand wanted) =>
        (errand.Domain == wanted.Domain || parts.Queue.DestinationOf(wanted.Domain) is { Route: not null } where && where == parts.Queue.DestinationOf(errand.Domain))
        && (wanted.Wish == errand.Wish || wanted.Wish == TlsWish.Relaxed || (wanted.Wish == TlsWish.Usual && errand.Wish == TlsWish.Required))
        && FitsSource(wanted);

    /// <summary>Whether the connection comes from the address that the sender's mail is to come from, and that may send more today.</summary>
    bool FitsSource(Errand wanted) => parts.Sources.For(wanted.Sender, client!.Target.Address.AddressFamily) is var (source, refused) && source == Source && refused is null;

    /// <summary>The address of ours has sent its share of today: that says nothing of the servers.</summary>
    public bool IsSpent { get; private set; }

    /// <summary>The address of ours that the connection comes from; null: the system's choice.</summary>
    public Source? Source { get; private set; }

    async Task<ClientReply?> TryAsync(Destination where, Candidate candidate, CancellationToken cancel)
    {
        (Source, var spent) = parts.Sources.For(errand.Sender, candidate.Target.Address.AddressFamily);
        IsSpent = spent is not null;
        if (spent is not null) return spent;
        var wish = errand.Wish;
        var ruling = await parts.Demands.RuleAsync(where, errand.Domain, targets!, candidate, wish, cancel);
        if (ruling.Demand is not { } demand)
        {
            Report(ruling, candidate.Target, ruling.Refused!);
            return ruling.Refused;
        }
        var options = new ClientOptions(Source?.Hostname ?? parts.Settings.Hostname, Queue, demand.Tls, demand.Proof, where.Route?.User ?? "", where.Route?.Password ?? "") { Enforce = demand.Enforce, Source = Source?.Address };
        made = demand;
        (client, var failure) = await SmtpClient.ConnectAsync(candidate.Target, options, parts.Time, cancel);
        if (failure is not null && PaceSignals.Of(failure, connected: false) is { } signal)
        {
            parts.Queue.Observe(lane, signal, failure.Text, 0);
            RemoteTelemetry.Slowed(parts.Log, lane, signal.ToString(), failure.Text);
        }
        Report(ruling, candidate.Target, failure);
        if (client is null) return wish == TlsWish.Required ? AsRequired(failure!) : failure;
        if (wish == TlsWish.Required && !client.Extensions.RequireTls)
        {
            await client.DisposeAsync();
            client = null;
            return ClientReply.Local(550, "5.7.30", $"The message requires TLS all its way, and {candidate.Target} does not support that (REQUIRETLS)");
        }
        RemoteTelemetry.Connected(parts.Log, client.Target.ToString(), client.Tls ?? "-");
        return null;
    }

    /// <summary>RFC 8689 4.2.1: a server that cannot show who it is ends the matter; one that cannot be reached does not.</summary>
    static ClientReply AsRequired(ClientReply reply) =>
        reply.TlsFailure is null or TlsFailure.DnssecInvalid ? reply : ClientReply.Local(550, "5.7.10", $"The message requires TLS (REQUIRETLS): {reply.Text}");

    /// <summary>RFC 8460 4.1: a session that could not be secured is a failure, and so is a policy that could not be had.</summary>
    void Report(TlsRuling ruling, ClientTarget target, ClientReply? failure)
    {
        if ((failure?.TlsFailure ?? client?.TlsFailure) is { } found) RemoteTelemetry.Untrusted(parts.Log, target.ToString(), TlsReports.Result(found), failure?.Text ?? client?.TlsProblem ?? "-");
        if (ruling.Report is not { } key) return;
        var trouble = failure is { TlsFailure: not null } ? failure : client?.TlsFailure is { } fault ? ClientReply.Untrusted(fault, "4.7.5", client.TlsProblem) : ruling.Trouble;
        if (trouble is { TlsFailure: { } what }) parts.Reports.Failed(key, what, client?.Local ?? "", target, trouble.Text);
        else if (client?.Tls is not null) parts.Reports.Succeeded(key);
    }

    /// <summary>
    /// RFC 5321 5.1: the servers are tried until one takes the message, and one that puts everybody off has not taken it. One further
    /// server and not all: a domain that limits our rate is not to be asked five times.
    /// </summary>
    /// <returns>Null where there is no other server, or it does no better; the next message begins with the best one again.</returns>
    public async Task<ClientResult?> ElsewhereAsync(ClientMessage message, CancellationToken cancel)
    {
        var first = client!.Target.Host;
        if (targets is null || targets.List.Skip(next).All(candidate => candidate.Target.Host == first)) return null;
        while (targets.List[next].Target.Host == first) next++;
        await client.DisposeAsync();
        client = null;
        if (await ConnectAsync(errand, cancel) is null && parts.Sources.Reserve(Source) is null)
        {
            ClientResult? result = null;
            try { result = await client!.SendAsync(message, cancel); }
            finally { parts.Sources.Settle(Source, result is not null && (result.Unclear || result.Replies.Any(reply => reply.IsPositive))); }
            if (!result.PutsOff) return result;
            await client.DisposeAsync();
            client = null;
        }
        targets = null;
        return null;
    }

    /// <summary>The next call looks the servers up again.</summary>
    public void Forget() => targets = null;

    public ValueTask DisposeAsync() => client is null ? ValueTask.CompletedTask : client.DisposeAsync();
}
