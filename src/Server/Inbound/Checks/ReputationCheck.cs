using System.Globalization;
using CbaMail.Config;
using CbaMail.Envelope;

namespace CbaMail.Inbound.Checks;

/// <summary>
/// Whether lists in DNS and what else was found speak too strongly against the client. Asked at RCPT, when the log can tell whom it concerns,
/// and before it is said whether the recipient exists; postmaster and abuse can be reached by everybody (RFC 5321 4.5.1, RFC 2142 4).
/// </summary>
public sealed class ReputationCheck(Settings settings, ClientLookups lookups) : Check
{
    readonly double refuseAt = settings.Inbound.RefuseAt;

    public override ValueTask<Refusal?> AskAsync(Arrival arrival, CancellationToken cancel) =>
        arrival.Visit.Standing is { IsAllowed: false } standing && arrival.SignedIn is null ? JudgeAsync(standing, arrival, cancel) : ValueTask.FromResult<Refusal?>(null);

    async ValueTask<Refusal?> JudgeAsync(Standing standing, Arrival arrival, CancellationToken cancel)
    {
        await lookups.SettleAsync(standing);
        arrival.Visit.RemoteName = standing.Reverse.Name;
        if (standing.IsAllowed || IsForThePostmaster(arrival.Asked!.Address)) return null;
        List<Finding> findings = [.. standing.Findings];
        if (arrival.OfSender is { } ofSender)
            foreach (var finding in await ofSender)
                if (finding is not null) findings.Add(finding);
        var sum = findings.Sum(finding => finding.Weight);
        arrival.Weight = sum;
        if (sum < refuseAt || findings.Count == 0) return null;
        var worst = findings.MaxBy(finding => finding.Weight)!;
        var why = await lookups.ReasonAsync(worst, cancel) is { } reason ? $"{worst.What}: {reason}" : worst.What;
        return new Refusal(550, "5.7.1", "NOPERM", 403, string.Create(CultureInfo.InvariantCulture, $"Not accepted, since {why}. Write to postmaster@{settings.Hostname} if this is wrong"));
    }

    static bool IsForThePostmaster(MailAddress address) =>
        address.LocalPart.Equals("postmaster", StringComparison.OrdinalIgnoreCase) || address.LocalPart.Equals("abuse", StringComparison.OrdinalIgnoreCase);
}
