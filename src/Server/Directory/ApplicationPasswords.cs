using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Directory;

/// <summary>The last time a password was taken.</summary>
/// <param name="By">The protocol.</param>
public sealed record PasswordUse(DateTimeOffset At, string From, string By);

/// <summary>A password of one program; it is shown once, when it is made.</summary>
/// <param name="Protocols">Of <see cref="ApplicationPasswords.Protocols"/>; none: all.</param>
/// <param name="Networks">From where it may be used; none: from anywhere.</param>
/// <param name="Use">To within a few minutes; null: never.</param>
public sealed record ApplicationPassword(
    long Id, long AccountId, string Name, IReadOnlyList<string> Protocols, IReadOnlyList<string> Networks, DateTimeOffset Created, DateTimeOffset? Expires, PasswordUse? Use = null);

/// <summary>An application password to make.</summary>
/// <param name="Expires">When it ends, or null: never.</param>
public sealed record NewApplicationPassword(string Name, IReadOnlyList<string>? Protocols = null, IReadOnlyList<string>? Networks = null, DateTimeOffset? Expires = null);

/// <summary>
/// Passwords that the server makes, one for each program: random, so that one SHA-256 keeps them and a check costs nothing. Held in memory by their
/// digests, written through.
/// </summary>
public sealed class ApplicationPasswords
{
    /// <summary>What they can be narrowed to.</summary>
    public static readonly IReadOnlyList<string> Protocols = ["imap", "pop3", "submission"];
    const int MostOfOne = 50;
    const int LongestName = 100;
    const int MostNetworks = 64;
    static readonly TimeSpan Told = TimeSpan.FromMinutes(5); // how exactly the last use is kept

    static readonly Refusal NoPassword = new(550, "5.1.1", "NONEXISTENT", 404, "There is no such application password");

    readonly Store store;
    readonly TimeProvider time;
    readonly ConcurrentDictionary<string, Held> byDigest = new(StringComparer.Ordinal);

    sealed record Held(ApplicationPassword Password, IPNetwork[] Networks);

    public ApplicationPasswords(Store store, TimeProvider time, UserDirectory directory)
    {
        (this.store, this.time) = (store, time);
        using var read = store.Read();
        foreach (var (digest, password) in ApplicationPasswordTable.All(read)) Keep(digest, password);
        directory.AccountRemoving += RemoveAll;
    }

    void Keep(byte[] digest, ApplicationPassword password) =>
        byDigest[Convert.ToHexString(digest)] = new(password, [.. password.Networks.Select(text => Networks.TryParse(text, out var network) ? network : default)]);

    static byte[] Digest(long account, string plain) => SHA256.HashData(Encoding.ASCII.GetBytes(account.ToString(CultureInfo.InvariantCulture) + " " + plain));

    /// <summary>Whether it is one of the account's, and may be used from there by that protocol now. The account is enabled: its name has been looked up.</summary>
    public bool Check(Account account, string text, string protocol, IPAddress from)
    {
        if (!Passwords.TryPlain(text, out var plain) || !byDigest.TryGetValue(Convert.ToHexString(Digest(account.Id, plain)), out var held)) return false;
        var (password, now) = (held.Password, time.GetUtcNow());
        if (password.Expires <= now || (password.Protocols.Count > 0 && !password.Protocols.Contains(protocol))) return false;
        if (from.IsIPv4MappedToIPv6) from = from.MapToIPv4();
        if (held.Networks.Length > 0 && !held.Networks.Any(network => network.Contains(from))) return false;
        var use = new PasswordUse(DateTimeOffset.FromUnixTimeMilliseconds(now.ToUnixTimeMilliseconds()), from.ToString(), protocol);
        if (password.Use is not { } last || now - last.At >= Told || (last.From, last.By) != (use.From, use.By) && now - last.At >= TimeSpan.FromSeconds(10))
        {
            var digest = Convert.ToHexString(Digest(account.Id, plain));
            if (byDigest.TryUpdate(digest, held with { Password = password with { Use = use } }, held))
                _ = store.StartCommit(write => { ApplicationPasswordTable.Used(write, password.Id, use); return true; });
        }
        return true;
    }

    public IReadOnlyList<ApplicationPassword> List(long account) => [.. byDigest.Values.Select(held => held.Password).Where(one => one.AccountId == account).OrderBy(one => one.Id)];

    /// <returns>The application password, and its text, which is shown this once.</returns>
    public async ValueTask<Result<(ApplicationPassword Password, string Text)>> AddAsync(Account account, NewApplicationPassword wanted, CancellationToken cancel)
    {
        var name = (wanted.Name ?? "").Trim();
        if (name.Length is 0 or > LongestName || name.Any(char.IsControl)) return Refusal.Invalid.Because($"An application password needs a name of 1 to {LongestName} characters: the program it is for").At("name");
        if (wanted.Protocols?.FirstOrDefault(one => !Protocols.Contains(one)) is { } unknown) return Refusal.Invalid.Because($"There is no protocol \"{unknown}\" here; there are imap, pop3 and submission").At("protocols");
        if (wanted.Networks?.FirstOrDefault(one => !Networks.TryParse(one, out _)) is { } bad) return Refusal.Invalid.Because($"\"{bad}\" is no address and no network; write it as in 192.0.2.1 or 192.0.2.0/24").At("networks");
        if (wanted.Networks?.Count > MostNetworks) return Refusal.Invalid.Because($"An application password has at most {MostNetworks} networks").At("networks");
        if (wanted.Expires <= time.GetUtcNow()) return Refusal.Invalid.Because("That time has passed already").At("expires");
        var text = Passwords.GenerateStrong();
        Passwords.TryPlain(text, out var plain);
        var digest = Digest(account.Id, plain);
        var made = new ApplicationPassword(0, account.Id, name, [.. wanted.Protocols?.Distinct() ?? []], [.. wanted.Networks ?? []], DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds()), wanted.Expires);
        var added = await store.CommitAsync(write =>
        {
            if (ApplicationPasswordTable.Count(write, account.Id) >= MostOfOne) return null;
            var password = made with { Id = ApplicationPasswordTable.Add(write, digest, made) };
            write.OnCommitted(() => Keep(digest, password));
            return password;
        }, cancel);
        return added is not null ? (added, text) : Refusal.TooMany.Because($"There are {MostOfOne} application passwords already; remove those that nobody uses");
    }

    public async ValueTask<Refusal?> RemoveAsync(long account, long id, CancellationToken cancel)
    {
        var (digest, held) = byDigest.FirstOrDefault(pair => pair.Value.Password.Id == id && pair.Value.Password.AccountId == account);
        if (held is null) return NoPassword;
        await store.CommitAsync(write =>
        {
            ApplicationPasswordTable.Remove(write, id);
            write.OnCommitted(() => byDigest.TryRemove(digest, out _));
            return true;
        }, cancel);
        return null;
    }

    /// <summary>Those of an account that goes, or whose owner has lost one.</summary>
    internal void RemoveAll(WriteTransaction write, Account account)
    {
        ApplicationPasswordTable.RemoveAll(write, account.Id);
        write.OnCommitted(() =>
        {
            foreach (var (digest, held) in byDigest)
                if (held.Password.AccountId == account.Id) byDigest.TryRemove(digest, out _);
        });
    }
}
