using System.Buffers;
using CbaMail.Config;
using CbaMail.Mailboxes;
using CbaMail.Queue;
using CbaMail.Smtp.Client;

namespace CbaMail.Delivery.Remote;

/// <summary>What the workers share.</summary>
internal sealed record RemoteParts(
    MailQueue Queue, MailStore Mail, MxLookup Lookup, TlsDemands Demands, TlsReports Reports, Sources Sources, BounceDelivery Bounces, Settings Settings, TimeProvider Time, ILogger Log,
    OutgoingSignatures? Signatures = null);

/// <summary>
/// Sends what is ready for one lane (the domains of one operator, or a route) over one connection at a time. The outcome of a message is being committed while the next
/// one is under way, but is durable before the next one's final dot: a crash leaves one message unclear.
/// </summary>
internal sealed class RemoteWorker(RemoteParts parts, string lane)
{
    // How many claims are deferred in one commit when the destination cannot be reached.
    const int FailTogether = 100;

    // Messages of one destination in a row while others of the lane wait.
    const int Turn = 50;

    readonly Connector connector = new(parts, lane);
    string? stay;
    int turn;
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
                if (parts.Queue.Claim(lane, fresh, turn < Turn ? stay : null) is { } claim)
                {
                    fresh = false;
                    (stay, turn) = (claim.Destination, claim.Destination == stay ? turn + 1 : 0);
                    if (!await WorkAsync(claim, abort)) break;
                    continue;
                }
                if (!await pending || !connector.IsUsable) break;
                if (!await parts.Queue.Schedule.IdleAsync(lane, Queue.IdleConnection, parts.Time, stop)) break;
                fresh = true;
            }
        }
        finally
        {
            await pending;
            await connector.DisposeAsync();
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
            return await CommitAsync(claim, null, Same(claim, ClientReply.Local(451, "4.3.0", "The message could not be read from the store")), "", null);
        }
        var header = MessageHeader.Of(content);
        if (header.Hops > Queue.HopLimit)
            // RFC 5321 6.3
            return await CommitAsync(claim, content, Same(claim, ClientReply.Local(554, "5.4.6", "The message goes round in circles: too many Received fields")), "", null);

        // what must not or need not go is told without asking anybody
        if (Outcomes.TooLate(claim.Message, parts.Queue.Now) is { } late) return await CommitAsync(claim, content, Same(claim, late), "", null);
        if (LeftOut(claim) is { } left) return await CommitAsync(claim, content, left, "", null);

        var errand = new Errand(claim.Recipients[0].Domain, Wish(claim.Message, header), claim.Message.ReversePath?.DomainKey ?? "");
        if (await connector.OperatorAsync(errand, cancel) is { } @operator && parts.Queue.Learn(claim.Destination, @operator, lane))
        {
            parts.Queue.Return(claim);
            return true;
        }
        var message = await MessageAsync(claim, content, header, cancel);
        for (var tries = 0; ; tries++)
        {
            if (await connector.ConnectAsync(errand, cancel) is { } failure)
                // what only this message asks for says nothing about the others, and where our pace is the matter they wait for their turn
                return errand.Wish != TlsWish.Usual || connector.IsSpent || (Queue.LearnPace && PaceSignals.Of(failure, connected: false) is not null)
                    ? await CommitAsync(claim, content, Same(claim, failure), "", null)
                    : await FailAsync(claim, content, failure, cancel);
            var (client, source) = (connector.Client, connector.Source);
            if (parts.Sources.Reserve(source) is { } spent) return await CommitAsync(claim, content, Same(claim, spent), "", null);
            var result = await SendAsync(client, source, message, cancel);
            Observe(result, client);
            // a kept connection that was closed meanwhile is no attempt
            if (!result.Begun && tries == 0) continue;
            // RFC 5321 5.1: the next server may take what this one broke off
            if (result.Broken && !result.Unclear && result.PutsOff && connector.HasNext) continue;
            if (!result.Broken && !result.Unclear && result.PutsOff && await connector.ElsewhereAsync(message, cancel) is { } better) (result, client) = (better, connector.Client);
            return await CommitAsync(claim, content, result.Replies, client.Target.ToString(), client.Tls, client.Extensions, client.Local);
        }
    }

    async Task<ClientResult> SendAsync(SmtpClient client, Source? source, ClientMessage message, CancellationToken cancel)
    {
        var taken = false;
        try
        {
            var result = await client.SendAsync(message, cancel);
            taken = result.Unclear || result.Replies.Any(reply => reply.IsPositive);
            return result;
        }
        finally
        {
            parts.Sources.Settle(source, taken);
        }
    }

    /// <summary>One word for the whole transaction: the first refusal that is about our pace, else that something was taken.</summary>
    void Observe(ClientResult result, SmtpClient client)
    {
        var taken = false;
        foreach (var reply in result.Replies)
        {
            if (PaceSignals.Of(reply, connected: true) is not { } signal) continue;
            taken |= signal == PaceSignal.Taken;
            if (signal == PaceSignal.Taken) continue;
            parts.Queue.Observe(lane, signal, reply.ToString(), client.Messages);
            RemoteTelemetry.Slowed(parts.Log, lane, signal.ToString(), reply.ToString());
            return;
        }
        if (taken) parts.Queue.Observe(lane, PaceSignal.Taken, "", client.Messages);
    }

    /// <summary>RFC 8689 4.1: the parameter goes before the field; a notice is brought as well as it can be (RFC 8689 5).</summary>
    static TlsWish Wish(QueuedMessage message, MessageHeader header) =>
        message.RequireTls ? message.ReversePath is null ? TlsWish.Usual : TlsWish.Required
        : header.Relaxed ? TlsWish.Relaxed : TlsWish.Usual;

    MessageContent? Content(long id)
    {
        using var reader = parts.Mail.Read();
        return reader.Content(id);
    }

    static ClientReply[] Same(QueueClaim claim, ClientReply reply) => [.. claim.Recipients.Select(_ => reply)];

    async ValueTask<ClientMessage> MessageAsync(QueueClaim claim, MessageContent content, MessageHeader header, CancellationToken cancel)
    {
        var message = claim.Message;
        var fields = parts.Signatures is { } signatures ? await signatures.FieldsAsync(message, content, cancel) : message.Top ?? [];
        // SMTPUTF8 was asked for by the sender, but is needed only where the header has UTF-8 (RFC 6531 3.4)
        return new ClientMessage(message.ReversePath, [.. claim.Recipients.Select(r => new ClientRecipient(r.Address, r.Notify, r.OriginalRecipient))],
            fields.Length + content.Size, message.EightBit, message.SmtpUtf8 && header.HasUtf8, message.Return, message.EnvelopeId,
            (output, cancel) =>
            {
                if (fields.Length > 0) output.Write(fields);
                return content.CopyToAsync(output, 0, content.Size, cancel);
            },
            async () =>
            {
                if (!await pending) throw new IOException("The last message's outcome could not be stored");
            }, message.RequireTls)
        {
            Priority = message.Priority,
            // RFC 2852 4.1.4: whole seconds that are left, so that the deadline does not move with each server
            By = message.By is { } by ? new ClientDeadline(() => (long)Math.Floor((by.Deadline - parts.Queue.Now).TotalSeconds), by.Return, by.Trace) : null,
        };
    }

    /// <summary>Bulk mail of our people to those who are all left out of it; null where somebody is to have it.</summary>
    ClientReply[]? LeftOut(QueueClaim claim)
    {
        if (!claim.Message.Bulk || claim.Message.Mailing is not null) return null;
        var replies = new List<ClientReply>();
        foreach (var recipient in claim.Recipients)
        {
            if (parts.Queue.Suppressions.Find(recipient.Address) is not { } found) return null;
            replies.Add(ClientReply.Local(550, "5.1.1", $"{recipient.Address} is left out of mail to many: {found.Sentence}"));
        }
        return [.. replies];
    }

    /// <summary>Nobody could be reached: what else is ready for the destination is put off (or returned) with the same reason, untried.</summary>
    async Task<bool> FailAsync(QueueClaim claim, MessageContent content, ClientReply failure, CancellationToken cancel)
    {
        RemoteTelemetry.Unreachable(parts.Log, claim.Destination, failure.Text);
        connector.Forget();
        if (!await CommitAsync(claim, content, Same(claim, failure), "", null) || !await pending) return false;
        while (!cancel.IsCancellationRequested)
        {
            var claims = new List<QueueClaim>();
            while (claims.Count < FailTogether && parts.Queue.Claim(lane, fresh: false, claim.Destination, only: true) is { } other) claims.Add(other);
            if (claims.Count == 0) return true;
            var stored = await Task.WhenAll(claims.Select(other => SettleAsync(other, Content(other.Message.ContentId), Same(other, failure), "", null)));
            if (!stored.All(ok => ok)) return false;
        }
        return false;
    }

    /// <summary>Starts the commit of a claim's outcomes once the last one is durable.</summary>
    async Task<bool> CommitAsync(
        QueueClaim claim, MessageContent? content, IReadOnlyList<ClientReply> replies, string host, string? tls, ClientExtensions? peer = null, string source = "-")
    {
        var stored = await pending;
        pending = SettleAsync(claim, content, replies, host, tls, peer, source);
        return stored;
    }

    async Task<bool> SettleAsync(
        QueueClaim claim, MessageContent? content, IReadOnlyList<ClientReply> replies, string host, string? tls, ClientExtensions? peer = null, string source = "-")
    {
        try
        {
            var outcomes = Outcomes.Of(claim, replies, host, tls, parts.Queue.Now, Queue, Random.Shared.NextDouble);
            var tidings = Outcomes.Tell(claim.Message, outcomes, passedOn: peer is { Dsn: true }, knowsDeadlines: peer is { DeliverBy: true });
            var notices = content is null ? [] : parts.Bounces.Prepare(claim.Message, tidings, content);
            try
            {
                await parts.Mail.Store.StartCommit(transaction =>
                {
                    parts.Reports.Save(transaction);
                    parts.Queue.SavePace(transaction, lane);
                    parts.Sources.Save(transaction);
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
                RemoteTelemetry.Outcome(parts.Log, claim.Message.Id, outcome.State.ToString(), outcome.Recipient.Address.ToString(), host.Length > 0 ? host : "-", tls ?? "-", source, outcome.Reply);
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
