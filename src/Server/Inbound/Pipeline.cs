using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Inbound.Checks;
using CbaMail.Mailboxes;
using CbaMail.Net;

namespace CbaMail.Inbound;

/// <summary>
/// The policy for mail that arrives, as a list that one can read: at each moment the checks are asked in this order,
/// and the first refusal ends it. Later checks may rely on what earlier ones have filled in.
/// </summary>
public sealed class Pipeline
{
    readonly (Moment Moment, Check Check)[] checks;

    public Pipeline(Settings settings, UserDirectory directory, MailStore mail, MemoryGate? memory = null, IEnumerable<(Moment, Check)>? filters = null) => checks =
    [
        (Moment.Sender, new StorageCheck(mail.Store)),     // can anything be stored at all
        (Moment.Sender, new MemoryCheck(memory)),          // is there memory for it
        (Moment.Recipient, new RecipientCheck(directory)), // is it here, or may it be relayed
        (Moment.Recipient, new PolicyCheck(directory)),    // does it want this mail
        (Moment.Recipient, new QuotaCheck(mail)),          // is there room for it
        (Moment.Message, new LoopCheck(settings.Smtp.Hops)),
        (Moment.Message, new PolicySizeCheck(directory)),
        .. filters ?? [],                                  // milters and hooks of the settings, at each moment
    ];

    internal Pipeline(params (Moment, Check)[] checks) => this.checks = checks;

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
