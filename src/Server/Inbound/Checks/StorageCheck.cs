using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Inbound.Checks;

/// <summary>Whether mail can be stored now, asked at MAIL: a full disk costs nobody a transfer (RFC 1870 6.1). The commit asks again.</summary>
public sealed class StorageCheck(Store store) : Check
{
    public override ValueTask<Refusal?> AskAsync(Arrival arrival, CancellationToken cancel) =>
        ValueTask.FromResult(store.Condition.RefusalFor(arrival.DeclaredSize));
}
