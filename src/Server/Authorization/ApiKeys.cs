using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Authorization;

/// <summary>A key of the API; the key itself is shown once, when it is made.</summary>
/// <param name="AccountId">Who it acts for; 0: the server itself.</param>
/// <param name="Permissions">Names; none: all that its owner may do.</param>
/// <param name="Networks">From where it may be used; none: from anywhere.</param>
public sealed record ApiKey(long Id, long AccountId, string Name, IReadOnlyList<string> Permissions, IReadOnlyList<string> Networks, DateTimeOffset Created, DateTimeOffset? Expires);

/// <summary>A key to make.</summary>
/// <param name="Expires">When it ends, or null: never.</param>
public sealed record NewApiKey(string Name, IReadOnlyList<string>? Permissions = null, IReadOnlyList<string>? Networks = null, DateTimeOffset? Expires = null);

/// <summary>Keys by which programs use the API: held in memory by their digests, written through.</summary>
public sealed class ApiKeys
{
    /// <summary>What every key begins with, so that a scanner for secrets knows it.</summary>
    public const string Prefix = "cbak_";
    const int MostOfOne = 100;
    const int LongestName = 100;
    const int MostNetworks = 64;

    static readonly Refusal NoKey = new(550, "5.1.1", "NONEXISTENT", 404, "There is no such key");

    readonly Store store;
    readonly TimeProvider time;
    readonly ConcurrentDictionary<string, Held> byDigest = new(StringComparer.Ordinal);
    readonly ConcurrentDictionary<long, (DateTimeOffset At, string From)> uses = new(); // since the start: not worth a flush each

    sealed record Held(ApiKey Key, IPNetwork[] Networks);

    public ApiKeys(Store store, TimeProvider time)
    {
        (this.store, this.time) = (store, time);
        using var read = store.Read();
        foreach (var (digest, key) in AuthorizationTable.ApiKeys(read)) Keep(digest, key);
    }

    void Keep(byte[] digest, ApiKey key) => byDigest[Convert.ToHexString(digest)] = new(key, [.. key.Networks.Select(text => Networks.TryParse(text, out var network) ? network : default)]);

    /// <summary>Whether who comes from one of <paramref name="inner"/> comes from one of <paramref name="outer"/>, too; none is all of them.</summary>
    internal static bool Hold(IReadOnlyList<string> outer, IReadOnlyList<string> inner) => outer.Count == 0 || (inner.Count > 0 && inner.All(text => !Networks.TryParse(text, out var one)
        || outer.Any(wide => Networks.TryParse(wide, out var all) && all.PrefixLength <= one.PrefixLength && all.Contains(one.BaseAddress))));

    static byte[] Digest(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    /// <summary>The key, where it is one and may be used from there now.</summary>
    public ApiKey? Check(string text, IPAddress? from)
    {
        if (!text.StartsWith(Prefix, StringComparison.Ordinal) || text.Length > 200) return null;
        if (!byDigest.TryGetValue(Convert.ToHexString(Digest(text)), out var held)) return null;
        if (held.Key.Expires is { } end && end <= time.GetUtcNow()) return null;
        if (held.Networks.Length > 0 && (from is null || !held.Networks.Any(network => network.Contains(from)))) return null;
        uses[held.Key.Id] = (time.GetUtcNow(), from?.ToString() ?? "");
        return held.Key;
    }

    /// <summary>When and from where it was used last since the server started, or null.</summary>
    public (DateTimeOffset At, string From)? LastUse(ApiKey key) => uses.TryGetValue(key.Id, out var use) ? use : null;

    /// <param name="account">Null: all there are.</param>
    public IReadOnlyList<ApiKey> List(long? account) => [.. byDigest.Values.Select(held => held.Key).Where(key => account is null || key.AccountId == account).OrderBy(key => key.Id)];

    /// <returns>The key, and the text that is shown this once.</returns>
    public async ValueTask<Result<(ApiKey Key, string Text)>> AddAsync(long account, NewApiKey wanted, CancellationToken cancel)
    {
        var name = (wanted.Name ?? "").Trim();
        if (name.Length is 0 or > LongestName || name.Any(char.IsControl)) return Refusal.Invalid.Because($"A key needs a name of 1 to {LongestName} characters: what it is for");
        if (wanted.Permissions?.Select(one => one ?? "").FirstOrDefault(one => Permissions.Find(one) is null) is { } unknown) return Refusal.Invalid.Because($"\"{unknown}\" is no permission; they are in docs/en/permissions.md");
        if (wanted.Networks?.Select(one => one ?? "").FirstOrDefault(one => !Networks.TryParse(one, out _)) is { } bad) return Refusal.Invalid.Because($"\"{bad}\" is no address and no network; write it as in 192.0.2.1 or 192.0.2.0/24");
        if (wanted.Networks?.Count > MostNetworks) return Refusal.Invalid.Because($"A key has at most {MostNetworks} networks");
        if (wanted.Expires <= time.GetUtcNow()) return Refusal.Invalid.Because("That time has passed already");
        var text = Prefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        var digest = Digest(text);
        var created = DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());
        var made = await store.CommitAsync(write =>
        {
            if (AuthorizationTable.CountApiKeys(write, account) >= MostOfOne) return null;
            var key = new ApiKey(0, account, name, [.. wanted.Permissions?.Distinct() ?? []], [.. wanted.Networks ?? []], created, wanted.Expires);
            key = key with { Id = AuthorizationTable.AddApiKey(write, digest, key) };
            write.OnCommitted(() => Keep(digest, key));
            return key;
        }, cancel);
        return made is null ? Refusal.TooMany.Because($"There are {MostOfOne} keys already; remove those that nobody uses") : (made, text);
    }

    /// <param name="account">Whose it must be; null: anybody's.</param>
    public async ValueTask<Refusal?> RemoveAsync(long id, long? account, CancellationToken cancel)
    {
        var (digest, held) = byDigest.FirstOrDefault(pair => pair.Value.Key.Id == id);
        if (held is null || (account is not null && held.Key.AccountId != account)) return NoKey;
        await store.CommitAsync(write =>
        {
            AuthorizationTable.RemoveApiKey(write, id);
            write.OnCommitted(() => byDigest.TryRemove(digest, out _));
            return true;
        }, cancel);
        return null;
    }

    /// <summary>Those of an account that goes.</summary>
    internal void RemoveAll(WriteTransaction write, Account account)
    {
        AuthorizationTable.RemoveApiKeys(write, account.Id);
        write.OnCommitted(() =>
        {
            foreach (var (digest, held) in byDigest)
                if (held.Key.AccountId == account.Id) byDigest.TryRemove(digest, out _);
        });
    }
}
