using CbaMail.Config;
using CbaMail.Dns;
using CbaMail.Envelope;
using CbaMail.Queue;
using CbaMail.Smtp.Client;

namespace CbaMail.Delivery.Remote;

/// <summary>
/// Asks the next server of a relay domain whether it knows a name, so that mail that it would refuse is refused here and no bounce is
/// written to who may never have sent it. Only a refusal for good counts: a server that is away is what a backup MX is for. Answers are
/// kept, at most some ten thousand of them, the same question is on the way once, and few at a time are: strangers say which names are asked for,
/// and must not make us flood the next server. Who finds no turn in time is taken.
/// </summary>
public sealed class RecipientProbe(MailQueue queue, IResolver resolver, Settings settings, TimeProvider time)
{
    const int Most = 20_000;
    static readonly TimeSpan KnownFor = TimeSpan.FromDays(7), UnknownFor = TimeSpan.FromHours(1), UnclearFor = TimeSpan.FromMinutes(1), Patience = TimeSpan.FromSeconds(20);

    readonly SemaphoreSlim turns = new(10);
    readonly Dictionary<string, (Task<Refusal?> Answer, DateTimeOffset Until)> answers = [];
    readonly Lock gate = new();
    readonly MxLookup lookup = new(resolver, settings);

    /// <returns>The next server's refusal, or null: it takes the name, or cannot be asked.</returns>
    public Task<Refusal?> AskAsync(MailAddress recipient)
    {
        var (key, now) = (recipient.Key, time.GetUtcNow());
        lock (gate)
        {
            if (answers.TryGetValue(key, out var known) && (!known.Answer.IsCompleted || known.Until > now)) return known.Answer;
            if (answers.Count >= Most) Shrink(now);
            var asking = ProbeAsync(recipient, key); // it ends behind the lock at the earliest
            answers[key] = (asking, now + UnclearFor);
            return asking;
        }
    }

    void Shrink(DateTimeOffset now)
    {
        foreach (var (key, kept) in answers)
            if (kept.Until <= now && kept.Answer.IsCompleted) answers.Remove(key);
        if (answers.Count >= Most) answers.Clear();
    }

    async Task<Refusal?> ProbeAsync(MailAddress recipient, string key)
    {
        await Task.Yield();
        var reply = await ReplyAsync(recipient);
        var refusal = reply.IsPermanent ? Refusal.NoSuchUser.Because($"The server of {recipient.Domain} does not take mail for {recipient}: {reply}") : null;
        lock (gate)
        {
            if (answers.TryGetValue(key, out var kept)) answers[key] = (kept.Answer, time.GetUtcNow() + (refusal is not null ? UnknownFor : reply.IsPositive ? KnownFor : UnclearFor));
        }
        return refusal;
    }

    async Task<ClientReply> ReplyAsync(MailAddress recipient)
    {
        using var limit = new CancellationTokenSource(Patience, time);
        try
        {
            await turns.WaitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            return ClientReply.Local(451, "4.4.1", "Too many names are being asked for");
        }
        try
        {
            var destination = queue.DestinationOf(recipient.DomainKey);
            var targets = await lookup.FindAsync(destination, recipient.DomainKey, limit.Token);
            if (targets.Failure is not null || targets.List.Count == 0) return ClientReply.Local(451, "4.4.4", "There is no server to ask");
            var (client, failure) = await SmtpClient.ConnectAsync(targets.List[0].Target, new ClientOptions(settings.Hostname, settings.Queue), time, limit.Token);
            if (client is null) return failure!.IsPermanent ? ClientReply.Local(451, "4.4.1", failure.Text) : failure;
            await using (client) return await client.ProbeAsync(recipient, limit.Token);
        }
        catch (OperationCanceledException)
        {
            return ClientReply.Local(451, "4.4.1", "The server took too long to answer");
        }
        finally
        {
            turns.Release();
        }
    }
}
