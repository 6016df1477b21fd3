using CbaMail.Directory;
using CbaMail.Envelope;

namespace CbaMail.Inbound.Checks;

/// <summary>Whether this sender may write to the groups that a recipient leads to; asked behind <see cref="RecipientCheck"/>.</summary>
public sealed class GroupCheck(UserDirectory directory) : Check
{
    static readonly Refusal NoBounces = Refusal.NotPermitted.Because("A group takes no bounces");
    static readonly Refusal NotYou = Refusal.NotPermitted.Because("This sender may not write to this group");

    public override ValueTask<Refusal?> AskAsync(Arrival arrival, CancellationToken cancel) => ValueTask.FromResult(Ask(arrival));

    Refusal? Ask(Arrival arrival)
    {
        MailGroup? asked = null;
        foreach (var target in arrival.Asked!.Targets)
        {
            if (target.Group is not { } group || group == asked) continue;
            asked = group;
            if (group.Profile.Hidden == true && arrival.SignedIn is null) return Refusal.NoSuchUser;
            if (arrival.Sender is not { } sender) return NoBounces;
            if (directory.MayWriteTo(group, sender, arrival.SignedIn) == GroupEntry.No) return NotYou;
        }
        return null;
    }
}

/// <summary>Whether a stranger who may write to a group by his address is the one he says; asked when the text has been judged.</summary>
public sealed class GroupProofCheck(UserDirectory directory) : Check
{
    static readonly Refusal Unproven = Refusal.NotPermitted.Because("A group takes mail from this sender only where SPF, DKIM or DMARC proves who it is");

    public override ValueTask<Refusal?> AskAsync(Arrival arrival, CancellationToken cancel) => ValueTask.FromResult(Ask(arrival));

    Refusal? Ask(Arrival arrival)
    {
        // where nothing is checked the envelope is all that there is, as for allowed-senders
        if (arrival is not { SignedIn: null, Sender: { } sender, Proof: { } proof } || proof.Sender?.Author == sender.DomainKey) return null;
        foreach (var recipient in arrival.Recipients)
            foreach (var target in recipient.Targets)
                if (target.Group is { } group && directory.MayWriteTo(group, sender, null) == GroupEntry.IfProven) return Unproven;
        return null;
    }
}
