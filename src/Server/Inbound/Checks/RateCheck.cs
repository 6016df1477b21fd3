using System.Globalization;
using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Net;

namespace CbaMail.Inbound.Checks;

/// <summary>How often a stranger may bring mail: by address and network, sender and sender's domain, and to one recipient (<see cref="RateSettings"/>).</summary>
public sealed class RateCheck : Check
{
    readonly TokenBuckets messages, networks, senders, domains, recipients, toRecipient;

    public RateCheck(Settings settings, TimeProvider time)
    {
        var rates = settings.Inbound.Rates;
        TokenBuckets Of(Rate? given, int count) => new(RateSettings.Of(given, settings.Evaluation, count, 60), time);
        messages = Of(rates.Messages, 600);
        networks = Of(rates.NetworkMessages, 3000);
        senders = Of(rates.SenderMessages, 300);
        domains = new TokenBuckets(rates.DomainMessages ?? Rate.None, time);
        recipients = Of(rates.Recipients, 3000);
        toRecipient = Of(rates.RecipientMessages, 600);
    }

    /// <summary>Whether anything is counted.</summary>
    public bool IsOn => messages.IsOn || networks.IsOn || senders.IsOn || domains.IsOn || recipients.IsOn || toRecipient.IsOn;

    public override ValueTask<Refusal?> AskAsync(Arrival arrival, CancellationToken cancel) =>
        ValueTask.FromResult(arrival.Visit.Standing is { IsAllowed: false } standing && arrival.SignedIn is null ? Ask(arrival, standing) : null);

    Refusal? Ask(Arrival arrival, Standing standing)
    {
        var address = ConnectionLimits.Household(standing.Address).ToString();
        if (arrival.Asked is { } asked)
            return Take(recipients, address, "recipients", address) ?? Take(toRecipient, asked.Address.Key, "messages for", asked.Address.ToString());
        var network = ConnectionLimits.Network(standing.Address).ToString();
        return Take(messages, address, "messages from", address)
            ?? Take(networks, network, "messages from", network)
            ?? (arrival.Sender is not { } sender ? null
                : Take(senders, sender.Key, "messages of", sender.ToString()) ?? Take(domains, sender.DomainKey, "messages of", sender.DomainKey));
    }

    static Refusal? Take(TokenBuckets buckets, string key, string what, string whose)
    {
        if (!buckets.IsOn) return null;
        var wait = buckets.Take(key);
        if (wait == TimeSpan.Zero) return null;
        return new Refusal(450, "4.7.1", "LIMIT", 429, string.Create(CultureInfo.InvariantCulture,
            $"Too many {what}{(what.EndsWith("recipients", StringComparison.Ordinal) ? " from" : "")} {whose} in a short time; try again in {Math.Ceiling(wait.TotalSeconds)} seconds"));
    }
}
