using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Admission;

/// <summary>Recovery addresses: one counts once its owner has shown that he reads what goes there. Until then the one before counts.</summary>
public sealed class RecoveryAddresses(Store store, UserDirectory directory, AdmissionPost post, Settings settings, TimeProvider time)
{
    const int MostPerDay = 5;
    static readonly TimeSpan Lasts = TimeSpan.FromDays(3);

    static readonly Refusal NoProof = Refusal.NoSuchThing.Because("This link is not valid: it was used, or its time is over. Give the address again");

    long Today => time.GetUtcNow().ToUnixTimeSeconds() / 86_400;

    /// <summary>Mails a link to the address.</summary>
    public async ValueTask<Refusal?> AskAsync(Account account, string address, string language, CancellationToken cancel)
    {
        var normal = Recovery.Normal(address, account.Address);
        if (!normal.Ok) return normal.Refusal.At("address");
        var link = await LinkAsync(account, normal.Value, cancel);
        if (link is null) return Refusal.TooMany.Because($"There were {MostPerDay} such messages today already; try again tomorrow").At("address");
        return MailAddress.TryParse(normal.Value, out var to) ? await post.SendAsync(account.Address.Domain, to, Letters.Confirm(language, account.Address.ToString(), link, time.GetUtcNow() + Lasts), null, cancel) : Refusal.BadAddress;
    }

    /// <summary>A link that shows the address to be his; null where there have been enough for today.</summary>
    internal async ValueTask<string?> LinkAsync(Account account, string address, CancellationToken cancel)
    {
        var (token, digest) = OneTimeToken.Make();
        var kept = await store.CommitAsync(write => RecoveryTable.AskProof(write, account.Id, digest, address, time.GetUtcNow() + Lasts, Today, MostPerDay), cancel);
        return kept ? $"{settings.Admission.Root(settings)}/recovery/{token}" : null;
    }

    /// <summary>The address that is still to be confirmed, or null.</summary>
    public string? Awaited(Account account)
    {
        using var read = store.Read();
        return RecoveryTable.Awaited(read, account.Id, time.GetUtcNow());
    }

    /// <summary>Whose address a link confirms, and which.</summary>
    public Result<(Account Account, string Address)> Look(string? token)
    {
        if (OneTimeToken.Read(token) is not { } digest) return NoProof;
        using var read = store.Read();
        return RecoveryTable.Proof(read, digest) is var (id, address, expires) && expires > time.GetUtcNow() && directory.GetAccount(id) is { Enabled: true } account ? (account, address) : NoProof;
    }

    public async ValueTask<Result<(Account Account, string Address)>> ConfirmAsync(string? token, CancellationToken cancel)
    {
        var found = Look(token);
        if (!found.Ok) return found;
        if (!await store.CommitAsync(write => RecoveryTable.TakeProof(write, OneTimeToken.Read(token)!), cancel)) return NoProof;
        var changed = await directory.SetAccountAsync(found.Value.Account, new(Profile: profile => profile with { Recovery = found.Value.Address }), cancel);
        return changed.Ok ? (changed.Value, found.Value.Address) : changed.Refusal;
    }

    public async ValueTask<Refusal?> RemoveAsync(Account account, CancellationToken cancel)
    {
        await store.CommitAsync(write => { RecoveryTable.End(write, account.Id); return true; }, cancel);
        return (await directory.SetAccountAsync(account, new(Profile: profile => profile with { Recovery = null }), cancel)).Refusal;
    }
}
