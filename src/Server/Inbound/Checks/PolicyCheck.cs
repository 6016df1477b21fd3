using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;

namespace CbaMail.Inbound.Checks;

/// <summary>Whether the recipient's policy, and its domain's, lets this mail in: TLS, who may write, how large; asked behind <see cref="RecipientCheck"/>.</summary>
public sealed class PolicyCheck(UserDirectory directory) : Check
{
    // RFC 5248 2.4 registry: X.7.10 encryption needed
    static readonly Refusal TlsNeeded = new(550, "5.7.10", "PRIVACYREQUIRED", 403, "This recipient takes mail over TLS only");
    static readonly Refusal NotFromYou = Refusal.NotPermitted.Because("This recipient does not take mail from this sender");

    public override ValueTask<Refusal?> AskAsync(Arrival arrival, CancellationToken cancel) => ValueTask.FromResult(Ask(arrival, arrival.Asked!.Address, arrival.DeclaredSize));

    internal Refusal? Ask(Arrival arrival, MailAddress recipient, long size)
    {
        if (size > MostForTheServer && IsForTheServer(arrival.Asked!)) return TooLargeForTheServer;
        if (arrival.SignedIn is null && directory.IsInternal(recipient)) return NotFromYou;
        var (own, domain) = directory.PoliciesFor(recipient);
        if (own.IsEmpty && domain.IsEmpty) return null;
        if ((own.RequireTls ?? domain.RequireTls) == true && arrival is { Protocol: Protocol.Smtp, IsSecure: false }) return TlsNeeded;
        if (!MayWrite(own, arrival, recipient) || !MayWrite(domain, arrival, recipient)) return NotFromYou;
        return (own.MaxSize ?? domain.MaxSize) is > 0 and var most && size > most ? Refusal.TooLarge.Because($"This recipient takes messages of at most {Sizes.Show(most)}") : null;
    }

    /// <summary>Larger mail is no report: those of the largest senders stay below 10 MB. No quota holds what the server itself reads.</summary>
    internal const long MostForTheServer = 20 << 20;

    internal static readonly Refusal TooLargeForTheServer = Refusal.TooLarge.Because($"This address takes reports of at most {Sizes.Show(MostForTheServer)}");

    internal static bool IsForTheServer(ArrivalRecipient recipient) => recipient.Targets is [var only] && only == Target.Nobody;

    static bool MayWrite(MailPolicy policy, Arrival arrival, MailAddress recipient)
    {
        if (policy.BlockedSenders is null && policy.AllowedSenders is null) return true;
        var isMember = arrival.SignedIn?.Address.DomainKey == recipient.DomainKey;
        if (policy.BlockedSenders?.Any(pattern => SenderPattern.Matches(pattern, arrival.Sender, isMember)) == true) return false;
        // a bounce has no sender to be asked for; it tells of mail that the recipient has sent
        return policy.AllowedSenders is not { } allowed || arrival.Sender is null && !allowed.Contains(SenderPattern.Members)
            || allowed.Any(pattern => SenderPattern.Matches(pattern, arrival.Sender, isMember));
    }
}

/// <summary>The sizes again, when the text is there: SIZE may not have been said, or not truly (RFC 1870 6.3).</summary>
public sealed class PolicySizeCheck(UserDirectory directory) : Check
{
    public override ValueTask<Refusal?> AskAsync(Arrival arrival, CancellationToken cancel) => ValueTask.FromResult(Ask(arrival));

    Refusal? Ask(Arrival arrival)
    {
        foreach (var recipient in arrival.Recipients)
        {
            if (arrival.Message.Length > PolicyCheck.MostForTheServer + Slack && PolicyCheck.IsForTheServer(recipient)) return PolicyCheck.TooLargeForTheServer;
            var (own, domain) = directory.PoliciesFor(recipient.Address);
            if ((own.MaxSize ?? domain.MaxSize) is > 0 and var most && arrival.Message.Length > most + Slack)
                return Refusal.TooLarge.Because($"{recipient.Address} takes messages of at most {Sizes.Show(most)}");
        }
        return null;
    }

    const int Slack = 2048; // our own fields on top
}
