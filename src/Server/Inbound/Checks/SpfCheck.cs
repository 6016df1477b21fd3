using CbaMail.Envelope;
using CbaMail.MailAuth;

namespace CbaMail.Inbound.Checks;

/// <summary>
/// Asks SPF at MAIL without waiting for it, and takes the answer at RCPT where somebody wants it then: a sender that is proven is not
/// greylisted. It refuses nothing: what follows from the answer is said when the text is there (<see cref="AuthenticationCheck"/>).
/// </summary>
public sealed class SpfCheck(AuthenticationCheck authentication) : Check
{
    public override async ValueTask<Refusal?> AskAsync(Arrival arrival, CancellationToken cancel)
    {
        if (!authentication.Asks(arrival)) return null;
        if (arrival.Asked is null) arrival.Spf ??= authentication.StartSpf(arrival);
        else if (arrival.Spf is { } asked && arrival.Authenticated is null && await asked is { Result: AuthResult.Pass } spf) arrival.Authenticated = spf.Domain;
        return null;
    }
}
