using CbaMail.Envelope;
using CbaMail.MailAuth;

namespace CbaMail.Inbound.Checks;

/// <summary>
/// Asks SPF when the first recipient has been found to be somebody here, not at MAIL: who only guesses names sets no look-ups going. The answer is
/// waited for where it spares a sender that is proven from greylisting, else when the text is there. It refuses nothing: what follows from the
/// answer <see cref="AuthenticationCheck"/> says.
/// </summary>
/// <param name="wait">Somebody wants the answer at once.</param>
public sealed class SpfCheck(AuthenticationCheck authentication, bool wait) : Check
{
    public override async ValueTask<Refusal?> AskAsync(Arrival arrival, CancellationToken cancel)
    {
        if (!authentication.Asks(arrival)) return null;
        arrival.Spf ??= authentication.StartSpf(arrival);
        if (wait && arrival.Authenticated is null && await arrival.Spf is { Result: AuthResult.Pass } spf) arrival.Authenticated = spf.Domain;
        return null;
    }
}
