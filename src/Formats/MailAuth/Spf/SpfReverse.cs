using CbaMail.Dns;

namespace CbaMail.MailAuth.Spf;

/// <summary>The names that DNS has for the client's address, and whether they lead back to it (RFC 7208 5.5). Asked for once an evaluation.</summary>
sealed class SpfReverse(IResolver resolver, SpfAddress client, CancellationToken deadline)
{
    /// <summary>RFC 7208 4.6.4: further names are ignored, for the client's owner writes them and not the domain's.</summary>
    const int MaxNames = 10;

    List<string>? names;
    bool?[] validated = [];
    bool isEmpty;

    async ValueTask<List<string>> NamesAsync()
    {
        if (names is not null) return names;
        var answer = await resolver.PtrAsync(client.Value, deadline);
        // RFC 7208 5.5: an error here is no match, and no error of the evaluation
        isEmpty = answer.Status is DnsStatus.NoData or DnsStatus.NoSuchName;
        names = [];
        foreach (var name in answer.Records.Take(MaxNames))
            if (SpfName.Checked(name) is { } host) names.Add(host);
        validated = new bool?[names.Count];
        return names;
    }

    /// <summary>Whether the address has no name at all.</summary>
    public async ValueTask<bool> IsEmptyAsync()
    {
        await NamesAsync();
        return isEmpty;
    }

    /// <summary>The first name that is wanted and leads back to the client.</summary>
    public async ValueTask<string?> FindAsync(Func<string, bool> wanted)
    {
        var all = await NamesAsync();
        for (var i = 0; i < all.Count; i++)
            if (wanted(all[i]) && (validated[i] ??= await LeadsBackAsync(all[i]))) return all[i];
        return null;
    }

    async ValueTask<bool> LeadsBackAsync(string name)
    {
        var answer = await resolver.AddressesAsync(name, client.IsV6, deadline);
        foreach (var address in answer.Records)
            if (client.IsIn(address, client.IsV6 ? 128 : 32)) return true;
        return false;
    }
}
