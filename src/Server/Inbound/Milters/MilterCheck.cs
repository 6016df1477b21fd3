using CbaMail.Envelope;

namespace CbaMail.Inbound.Milters;

/// <summary>Asks the milters, in the order of the settings: each sees the message as the ones before have left it, and the first refusal ends it.</summary>
sealed class MilterCheck(Moment moment, IReadOnlyList<Milter> milters, MilterMacros macros, ContentShop content) : Check
{
    public override string Name => "Milter";

    public override async ValueTask<Refusal?> AskAsync(Arrival arrival, CancellationToken cancel)
    {
        foreach (var milter in milters)
        {
            if (!milter.IsFor(arrival.Protocol)) continue;
            if (await Conversation(milter, arrival).AskAsync(moment, arrival, null, cancel) is { } refusal) return refusal;
            if (arrival.Disposition == Disposition.Discard) return null;
        }
        return null;
    }

    public override async ValueTask ToldAsync(Arrival arrival, Refusal refused, CancellationToken cancel)
    {
        if (moment != Moment.Recipient) return;
        foreach (var milter in milters)
            if (milter.IsFor(arrival.Protocol)) await Conversation(milter, arrival).AskAsync(moment, arrival, refused, cancel);
    }

    MilterConversation Conversation(Milter milter, Arrival arrival)
    {
        if (arrival.Visit.Find<MilterConversation>(milter) is { } going) return going;
        var begun = new MilterConversation(milter, macros, content);
        arrival.Visit.Keep(milter, begun);
        return begun;
    }
}
