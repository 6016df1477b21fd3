using CbaMail.Envelope;
using CbaMail.Mailboxes;

namespace CbaMail.Inbound.Checks;

/// <summary>
/// Whether the mailbox has room for what SIZE declared, asked at RCPT so that a full mailbox costs nobody a transfer
/// (RFC 1870 6.1). The commit asks again with the real size.
/// </summary>
public sealed class QuotaCheck(MailStore mail) : Check
{
    public override ValueTask<Refusal?> AskAsync(Arrival arrival, CancellationToken cancel) => ValueTask.FromResult(Ask(arrival));

    // an alias is refused only where all its targets are full: the others shall have their mail
    Refusal? Ask(Arrival arrival)
    {
        MailReader? reader = null;
        try
        {
            foreach (var target in arrival.Asked!.Targets)
            {
                if (target.Account is not { Quota: > 0 } account) return null;
                reader ??= mail.Read();
                if (reader.Usage(account.Id).Bytes + Math.Max(1, arrival.DeclaredSize) <= account.Quota) return null;
            }
            return arrival.Asked.Targets.Count == 0 ? null : Refusal.OverQuota;
        }
        finally { reader?.Dispose(); }
    }
}
