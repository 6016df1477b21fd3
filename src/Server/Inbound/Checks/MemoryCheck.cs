using CbaMail.Envelope;
using CbaMail.Net;
using CbaMail.Storage;

namespace CbaMail.Inbound.Checks;

/// <summary>Whether there is memory for another message, asked at MAIL.</summary>
public sealed class MemoryCheck(MemoryGate? memory) : Check
{
    public override ValueTask<Refusal?> AskAsync(Arrival arrival, CancellationToken cancel) =>
        ValueTask.FromResult(memory is { IsShort: true } ? StoreTrouble.Memory : null);
}
