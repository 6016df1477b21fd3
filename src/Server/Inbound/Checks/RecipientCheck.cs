using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Queue;

namespace CbaMail.Inbound.Checks;

/// <summary>
/// Whether the recipient is ours, or may be relayed to: only those who have signed in relay (RFC 5321 3.6.2; never an open relay).
/// Fills the recipient's targets.
/// </summary>
public sealed class RecipientCheck(UserDirectory directory, BounceAddresses? bounces = null) : Check
{
    public override ValueTask<Refusal?> AskAsync(Arrival arrival, CancellationToken cancel) => ValueTask.FromResult(Ask(arrival));

    Refusal? Ask(Arrival arrival)
    {
        var recipient = arrival.Asked!;
        if (recipient.Address.Domain.Length == 0 && Postmaster() is { } postmaster) recipient.Address = postmaster;
        if (recipient.Address.Domain.Length == 0) return Refusal.NoSuchUser;
        var asked = recipient.Address;
        recipient.Address = directory.Map(asked);
        if (!directory.IsLocal(recipient.Address))
        {
            // a name of ours may be mapped to one elsewhere: that is passed on in our name
            var via = directory.IsLocal(asked) ? asked : null;
            if (arrival.SignedIn is null && via is null) return Refusal.NoRelay;
            recipient.Targets = [new Target(null, null, recipient.Address, via)];
            return null;
        }
        // "user%elsewhere@here", "elsewhere!user@here", "user@elsewhere"@here: nobody's name here, and no way to elsewhere;
        // not even a catch-all takes them, for what it forwards might be read as a route further on
        if (recipient.Address.LocalPart.AsSpan().IndexOfAny('%', '!', '@') >= 0 &&
            directory.FindAccount(recipient.Address) is null && directory.FindAlias(recipient.Address) is null)
            return Refusal.NoRelay;
        if (bounces is not null && BounceAddresses.LooksLikeOne(recipient.Address))
        {
            if ((recipient.Bounce = bounces.Read(recipient.Address)) is not null) return null;
            // not even a catch-all takes what somebody made up
            var owner = recipient.Address with { LocalPart = recipient.Address.LocalPart[..recipient.Address.LocalPart.IndexOf('+')] };
            if (directory.FindAccount(owner) is null && directory.FindAlias(owner) is null) return Refusal.NoSuchUser.Because("This return address is not valid, or not any more");
        }
        var targets = directory.Resolve(recipient.Address, new Poster(arrival.SignedIn?.Id));
        if (SenderRewriting.IsRewritten(recipient.Address.LocalPart) && directory.FindAccount(recipient.Address) is null) return Bounced(arrival, recipient);
        if (!targets.Ok) return targets.Refusal;
        recipient.Targets = targets.Value;
        return null;
    }

    // what comes back of mail that was passed on for somebody here goes to who sent it; nothing but bounces goes that way
    Refusal? Bounced(Arrival arrival, ArrivalRecipient recipient)
    {
        if (directory.SenderBehind(recipient.Address) is not { } sender) return Refusal.NoSuchUser.Because("This address led back to a sender and is not valid any more");
        if (arrival.Sender is not null) return Refusal.NotPermitted.Because("This address takes bounces only");
        var targets = directory.IsLocal(sender) ? directory.Resolve(sender) : new Result<IReadOnlyList<Target>>([new Target(null, null, sender)], null);
        if (!targets.Ok) return targets.Refusal;
        recipient.Targets = targets.Value;
        return null;
    }

    // RFC 5321 4.1.1.3: <postmaster> without a domain is ours; it leads where the first domain's does
    MailAddress? Postmaster() =>
        directory.ListDomains().MinBy(domain => domain.Id) is { } first ? new MailAddress("postmaster", first.Name) : null;
}
