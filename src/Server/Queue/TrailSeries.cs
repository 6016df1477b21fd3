using CbaMail.Storage;

namespace CbaMail.Queue;

/// <summary>The mail of a step of time.</summary>
/// <param name="Received">Messages of other servers that were taken, and of this one's own.</param>
/// <param name="Submitted">Messages of those who signed in.</param>
/// <param name="Refused">Messages and recipients that were not taken.</param>
/// <param name="Delivered">Recipients elsewhere whose servers took the message. Copies of mailings stand in their ledgers.</param>
/// <param name="Bounced">Recipients elsewhere whose servers refused it for good, or too long.</param>
public sealed record MailStep(DateTimeOffset At, long Received, long ReceivedBytes, long Submitted, long SubmittedBytes, long Refused, long Delivered, long Bounced);

/// <summary>What came, went and was refused, step by step: for charts. One walk over the trail, as far as it is kept.</summary>
public sealed class TrailSeries(Store store, Trail trail, TimeProvider time)
{
    /// <summary>More steps are no chart any more.</summary>
    public const int MostSteps = 2000;

    /// <param name="domain">Only mail from or to its addresses; null is all.</param>
    public async Task<IReadOnlyList<MailStep>> MakeAsync(DateTimeOffset since, DateTimeOffset until, TimeSpan step, string? domain, CancellationToken cancel)
    {
        await trail.FlushAsync(cancel);
        if (until > time.GetUtcNow()) until = time.GetUtcNow();
        var steps = new MailStep[(int)Math.Clamp(Math.Ceiling((until - since) / step), 1, MostSteps)];
        for (var i = 0; i < steps.Length; i++) steps[i] = new(since + step * i, 0, 0, 0, 0, 0, 0, 0);
        var suffix = "@" + domain;
        int Place(DateTimeOffset at) => (int)Math.Clamp((at - since) / step, 0, steps.Length - 1);
        using var read = store.Read();
        TrailTable.Walk(read, since, until, (at, entry) =>
        {
            cancel.ThrowIfCancellationRequested();
            if (domain is not null && !entry.Sender.EndsWith(suffix, StringComparison.OrdinalIgnoreCase) && !IsTo(entry.Recipients, suffix)) return;
            ref var one = ref steps[Place(at)];
            if (entry.Kind == TrailKind.Refused) one = one with { Refused = one.Refused + TrailSummary.Refusal(entry).Count };
            else if (entry.Origin.Split('\t') is { Length: > 2 } origin && origin[2].Length > 0) one = one with { Submitted = one.Submitted + 1, SubmittedBytes = one.SubmittedBytes + entry.Size };
            else one = one with { Received = one.Received + 1, ReceivedBytes = one.ReceivedBytes + entry.Size };
        });
        TrailTable.WalkFinished(read, since, until, (at, sender, outcome) =>
        {
            if (domain is not null && !sender.EndsWith(suffix, StringComparison.OrdinalIgnoreCase)) return;
            ref var one = ref steps[Place(at)];
            if (outcome == "delivered") one = one with { Delivered = one.Delivered + 1 };
            else if (outcome == "bounced") one = one with { Bounced = one.Bounced + 1 };
        });
        return steps;
    }

    // a line each: address, tab, what became of it
    static bool IsTo(string recipients, string suffix) => recipients.Contains(suffix + "\t", StringComparison.OrdinalIgnoreCase);
}
