using CbaMail.Delivery.Remote;
using CbaMail.Directory;
using CbaMail.Envelope;

namespace CbaMail.Inbound.Checks;

/// <summary>Whether the next server of a relay domain knows the name, asked of it unless the domain's policy says otherwise.</summary>
public sealed class RelayCheck(UserDirectory directory, RecipientProbe probe) : Check
{
    public override async ValueTask<Refusal?> AskAsync(Arrival arrival, CancellationToken cancel)
    {
        if (arrival.Asked!.Targets is not [{ Remote: { } remote, Via: null }]) return null;
        if (directory.FindDomain(remote.Domain)?.Policy is not { RelayTo: not null, RelayVerify: null or RelayVerify.CallOut }) return null;
        return await probe.AskAsync(remote).WaitAsync(cancel);
    }
}
