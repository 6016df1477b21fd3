using CbaMail.Config;
using CbaMail.Mailboxes;
using CbaMail.Queue;
using CbaMail.Smtp.Client;

namespace CbaMail.Delivery.Remote;

/// <summary>What the workers share.</summary>
internal sealed record RemoteParts(
    MailQueue Queue, MailStore Mail, MxLookup Lookup, BounceDelivery Bounces, Settings Settings, TimeProvider Time, ILogger Log);

/// <summary>
/// Sends what is ready for one destination over one connection at a time. The outcome of a message is being committed while the next
/// one is under way, but is durable before the next one's final dot: a crash leaves one message unclear.
/// </summary>
internal sealed class RemoteWorker(RemoteParts parts, string destination)
{
    // How many claims are deferred in one commit when the destination cannot be reached.
    const int FailTogether = 100;
    const int MaxHeader = 64 * 1024;

    SmtpClient? client;
    Targets? targets;
    int next;
    Task<bool> pending = Task.FromResult(true);

    QueueSettings Queue => parts.Settings.Queue;

    /// <param name="stop">No further message is begun.</param>
    /// <param name="abort">The one under way is cut off.</param>
    public async Task RunAsync(CancellationToken stop, CancellationToken abort)
    {
        try
        {
            var fresh = true;
            while (!stop.IsCancellationRequested)
            {
                if (parts.Mail.Store.Condition.IsFailing) break;
                if (parts.Queue.Claim(destination, fresh) is { } claim)
                {
                    fresh = false;
                    if (!await WorkAsync(claim, abort)) break;
                    continue;
                }
                if (!await pending || client is not { Usable: true }) break;
                if (!await parts.Queue.Schedule.IdleAsync(destination, Queue.IdleConnection, parts.Time, stop)) break;
                fresh = true;
            }
        }
        finally
        {
            await pending;
            if (client is not null) await client.DisposeAsync();
        }
    }

    /// <returns>Whether the worker goes on.</returns>
    async Task<bool> WorkAsync(QueueClaim claim, CancellationToken cancel)
    {
        try
        {
            return await DeliverAsync(claim, cancel);
        }
        catch (Exception error)
        {
            parts.Queue.Abandon(claim);
            if (error is OperationCanceledException && cancel.IsCancellationRequested) return false;
            throw;
        }
    }

    async Task<bool> DeliverAsync(QueueClaim claim, CancellationToken cancel)
    {
        var content = Content(claim.Message.ContentId);
        if (content is null)
        {
            RemoteTelemetry.ContentLost(parts.Log, claim.Message.Id, claim.Message.ContentId);
            return await CommitAsync(claim, null, Same(claim, ClientReply.Local(451, "4.3.0", "The message could not be read from the store")), "", null, false);
        }
        if (Hops(content) > Queue.HopLimit)
            // RFC 5321 6.3
            return await CommitAsync(claim, content, Same(claim, ClientReply.Local(554, "5.4.6", "The message goes round in circles: too many Received fields")), "", null, false);

        var message = Message(claim, content);
        for (var tries = 0; ; tries++)
        {
            if (await ConnectAsync(claim, cancel) is { } failure) return await FailAsync(claim, content, failure, cancel);
            var result = await client!.SendAsync(message, cancel);
            // a kept connection that was closed meanwhile is no attempt
            if (!result.Begun && tries == 0) continue;
            // RFC 5321 5.1: the next server may take what this one broke off
            if (result.Broken && !result.Unclear && result.Replies.All(reply => reply.IsTemporary) && next < targets!.List.Count) continue;
            var (host, tls, dsn) = (client.Target.ToString(), client.Tls, client.Extensions.Dsn);
            if (!result.Broken && !result.Unclear && PutsOff(result) && await ElsewhereAsync(claim, message, cancel) is { } better)
                (result, host, tls, dsn) = (better, client.Target.ToString(), client.Tls, client.Extensions.Dsn);
            return await CommitAsync(claim, content, result.Replies, host, tls, dsn);
        }
    }

    static bool PutsOff(ClientResult result) => result.Replies.All(reply => reply.IsTemporary);

    /// <summary>
    /// RFC 5321 5.1: the servers are tried until one takes the message, and one that puts everybody off has not taken it. One further
    /// server and not all: a domain that limits our rate is not to be asked five times.
    /// </summary>
    /// <returns>Null where there is no other server, or it does no better; the next message begins with the best one again.</returns>
    async Task<ClientResult?> ElsewhereAsync(QueueClaim claim, ClientMessage message, CancellationToken cancel)
    {
        var first = client!.Target.Host;
        if (targets is null || targets.List.Skip(next).All(target => target.Host == first)) return null;
        while (targets.List[next].Host == first) next++;
        await client.DisposeAsync();
        client = null;
        if (await ConnectAsync(claim, cancel) is null)
        {
            var result = await client!.SendAsync(message, cancel);
            if (!PutsOff(result)) return result;
            await client.DisposeAsync();
            client = null;
        }
        targets = null;
        return null;
    }

    MessageContent? Content(long id)
    {
        using var reader = parts.Mail.Read();
        return reader.Content(id);
    }

    static ClientReply[] Same(QueueClaim claim, ClientReply reply) => [.. claim.Recipients.Select(_ => reply)];

    int Hops(MessageContent content)
    {
        var header = Bounce.Header(content.Read(0, (int)Math.Min(content.Size, MaxHeader))).Span;
        var hops = 0;
        while (!header.IsEmpty)
        {
            if (header.Length >= 9 && header[0] is (byte)'R' or (byte)'r' && System.Text.Ascii.EqualsIgnoreCase(header[..Math.Min(9, header.Length)], "received:"u8)) hops++;
            var end = header.IndexOf((byte)'\n');
            if (end < 0) break;
            header = header[(end + 1)..];
        }
        return hops;
    }

    ClientMessage Message(QueueClaim claim, MessageContent content)
    {
        var message = claim.Message;
        // SMTPUTF8 was asked for by the sender, but is needed only where the header has UTF-8 (RFC 6531 3.4)
        var header = message.SmtpUtf8 && Bounce.Header(content.Read(0, (int)Math.Min(content.Size, MaxHeader))).Span.ContainsAnyExceptInRange((byte)0, (byte)127);
        return new ClientMessage(message.ReversePath, [.. claim.Recipients.Select(r => new ClientRecipient(r.Address, r.Notify, r.OriginalRecipient))],
            content.Size, message.EightBit, header, message.Return, message.EnvelopeId,
            (output, cancel) => content.CopyToAsync(output, 0, content.Size, cancel),
            async () =>
            {
                if (!await pending) throw new IOException("The last message's outcome could not be stored");
            });
    }

    /// <summary>Keeps the connection, or makes one to the next server of the list.</summary>
    async Task<ClientReply?> ConnectAsync(QueueClaim claim, CancellationToken cancel)
    {
        if (client is { Usable: true } && client.Messages < Queue.MessagesPerConnection) return null;
        if (client is not null)
        {
            var whole = client.Messages >= Queue.MessagesPerConnection || client.Messages > 0;
            await client.DisposeAsync();
            client = null;
            if (whole) targets = null; // it worked: look afresh, from the best one on
        }
        var domain = claim.Recipients[0].Domain;
        var where = Destination.Of(domain, Queue.Routes);
        if (targets is not null && next >= targets.List.Count) targets = null; // the last one broke off on some message: begin again
        if (targets is null) (targets, next) = (await parts.Lookup.FindAsync(where, domain, cancel), 0);
        if (targets.Failure is { } nowhere) return nowhere;
        var options = where.Route is { } route
            ? new ClientOptions(parts.Settings.Hostname, Queue, route.Tls, route.VerifyCertificate ?? route.Tls is RouteTls.Required or RouteTls.Implicit, route.User, route.Password)
            : new ClientOptions(parts.Settings.Hostname, Queue);
        ClientReply? last = null;
        while (next < targets.List.Count)
        {
            (client, last) = await SmtpClient.ConnectAsync(targets.List[next++], options, parts.Time, cancel);
            if (client is null) continue;
            RemoteTelemetry.Connected(parts.Log, client.Target.ToString(), client.Tls ?? "-");
            return null;
        }
        return last ?? ClientReply.Local(421, "4.4.1", "None of the servers could be reached");
    }

    /// <summary>Nobody could be reached: what else is ready for the destination is put off (or returned) with the same reason, untried.</summary>
    async Task<bool> FailAsync(QueueClaim claim, MessageContent content, ClientReply failure, CancellationToken cancel)
    {
        RemoteTelemetry.Unreachable(parts.Log, destination, failure.Text);
        targets = null;
        if (!await CommitAsync(claim, content, Same(claim, failure), "", null, false) || !await pending) return false;
        while (!cancel.IsCancellationRequested)
        {
            var claims = new List<QueueClaim>();
            while (claims.Count < FailTogether && parts.Queue.Claim(destination, fresh: false) is { } other) claims.Add(other);
            if (claims.Count == 0) return false;
            var stored = await Task.WhenAll(claims.Select(other => SettleAsync(other, Content(other.Message.ContentId), Same(other, failure), "", null, false)));
            if (!stored.All(ok => ok)) return false;
        }
        return false;
    }

    /// <summary>Starts the commit of a claim's outcomes once the last one is durable.</summary>
    async Task<bool> CommitAsync(QueueClaim claim, MessageContent? content, IReadOnlyList<ClientReply> replies, string host, string? tls, bool dsn)
    {
        var stored = await pending;
        pending = SettleAsync(claim, content, replies, host, tls, dsn);
        return stored;
    }

    async Task<bool> SettleAsync(QueueClaim claim, MessageContent? content, IReadOnlyList<ClientReply> replies, string host, string? tls, bool dsn)
    {
        try
        {
            var outcomes = Outcomes.Of(claim, replies, host, tls, parts.Queue.Now, Queue, Random.Shared.NextDouble);
            var tidings = Outcomes.Tell(claim.Message, outcomes, passedOn: dsn);
            var notices = content is null ? [] : parts.Bounces.Prepare(claim.Message, tidings, content);
            try
            {
                await parts.Mail.Store.StartCommit(transaction =>
                {
                    // whoever dropped the message meanwhile wants nobody told
                    if (parts.Queue.Settle(transaction, claim, outcomes) > 0) parts.Bounces.Deliver(transaction, claim.Message, notices);
                    return true;
                });
            }
            finally
            {
                foreach (var notice in notices) notice.Dispose();
            }
            foreach (var outcome in outcomes)
                RemoteTelemetry.Outcome(parts.Log, claim.Message.Id, outcome.State.ToString(), outcome.Recipient.Address.ToString(), host, tls ?? "-", outcome.Reply);
            return true;
        }
        catch (Exception error)
        {
            RemoteTelemetry.NotStored(parts.Log, error, claim.Message.Id);
            parts.Queue.Abandon(claim);
            return false;
        }
    }
}
