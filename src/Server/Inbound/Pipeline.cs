using CbaMail.Config;
using CbaMail.Correspondents;
using CbaMail.Directory;
using CbaMail.Inbound.Checks;
using CbaMail.Mailboxes;
using CbaMail.Net;
using CbaMail.Queue;

namespace CbaMail.Inbound;

/// <summary>
/// The policy for mail that arrives, as a list that one can read: at each moment the checks are asked in this order,
/// and the first refusal ends it. Later checks may rely on what earlier ones have filled in.
/// </summary>
public sealed class Pipeline
{
    readonly (Moment Moment, Check Check)[] checks;

    /// <param name="edge">What is known of strangers, or null where nobody is asked (tests).</param>
    public Pipeline(
        Settings settings, UserDirectory directory, MailStore mail, MemoryGate? memory = null, IEnumerable<(Moment, Check)>? filters = null, Edge? edge = null,
        CorrespondentBook? correspondents = null, TimeProvider? time = null, ILogger? log = null, BounceAddresses? bounces = null,
        AuthenticationCheck? authentication = null, RelayCheck? relay = null)
    {
        var inbound = settings.Inbound;
        var rates = new RateCheck(settings, time ?? TimeProvider.System);
        var greylist = edge is not null && inbound.Greylist.IsOn(settings.Evaluation) ? new GreylistCheck(edge.Acquaintances, edge.Lookups, correspondents) : null;
        (Moment, Check?)[] all =
        [
            (Moment.Hello, edge is null ? null : new HelloCheck(settings, edge.Lookups)),                              // is it our own name
            (Moment.Sender, edge is null || !rates.IsOn ? null : rates),                                               // does he come too often
            (Moment.Sender, new StorageCheck(mail.Store)),                                                             // can anything be stored at all
            (Moment.Sender, new MemoryCheck(memory)),                                                                  // is there memory for it
            (Moment.Sender, edge is { Lookups.IsOn: true } ? new SenderLookupCheck(edge.Lookups) : null),               // ask lists of the sender's domain
            (Moment.Recipient, edge is { Lookups.IsOn: true } ? new ReputationCheck(settings, edge.Lookups) : null),    // do lists speak against him
            (Moment.Recipient, edge is null || !rates.IsOn ? null : rates),
            (Moment.Recipient, new RecipientCheck(directory, bounces)),                                                // is it here, or may it be relayed
            (Moment.Recipient, relay),                                                                                 // does the next server know the name
            (Moment.Recipient, new PolicyCheck(directory)),                                                            // does it want this mail
            (Moment.Recipient, new GroupCheck(directory)),                                                             // may he write to the group
            (Moment.Recipient, new QuotaCheck(mail)),                                                                  // is there room for it
            (Moment.Recipient, authentication is null ? null : new SpfCheck(authentication, wait: greylist is not null)), // may the host send in this name
            (Moment.Recipient, greylist),                                                                              // has he been here before
            (Moment.Data, greylist),                                                                                   // the same for the null sender
            (Moment.Message, new LoopCheck(settings.Smtp.Hops)),
            (Moment.Message, new PolicySizeCheck(directory)),
            (Moment.Message, authentication),                                                                          // who sent it, and does he own up to it
            (Moment.Message, new GroupProofCheck(directory)),                                                          // is he the member that he says
            .. (filters ?? []).Select(filter => (filter.Item1, (Check?)filter.Item2)),                                 // milters and hooks of the settings, at each moment
            (Moment.Message, edge is not null && inbound.FirstSender(settings.Evaluation) > TimeSpan.Zero
                ? new FirstSenderCheck(settings, edge.Acquaintances, correspondents, time ?? TimeProvider.System, log ?? Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance) : null), // a stranger waits
        ];
        checks = [.. all.Where(row => row.Item2 is not null).Select(row => (row.Item1, row.Item2!))];
    }

    internal Pipeline(params (Moment, Check)[] checks) => this.checks = checks;

    /// <summary>Whether anybody asks at this moment.</summary>
    public bool Asks(Moment moment) => Array.Exists(checks, check => check.Moment == moment);

    public async ValueTask<Verdict> AskAsync(Moment moment, Arrival arrival, CancellationToken cancel)
    {
        for (var i = 0; i < checks.Length; i++)
        {
            var (when, check) = checks[i];
            if (when != moment) continue;
            if (await check.AskAsync(arrival, cancel) is { } refusal)
            {
                for (i++; i < checks.Length; i++)
                    if (checks[i].Moment == moment) await checks[i].Check.ToldAsync(arrival, refusal, cancel);
                return new Verdict(refusal, check.Name);
            }
            if (arrival.Disposition == Disposition.Discard) break; // nobody will see it: no more work for it
        }
        return Verdict.Accept;
    }
}
