using System.Security.Cryptography;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Directory;

/// <summary>Aliases that end, that are counted, and that people make for themselves.</summary>
public sealed partial class UserDirectory
{
    // l and 1, o and 0 are mistaken for one another on paper
    const string RandomLetters = "abcdefghijkmnpqrstuvwxyz23456789";
    const int RandomLength = 12, UsualOwnAliases = 20;

    // who has such a name is taken for the server's or the domain's keeper (RFC 2142, and what authorities of certificates write to)
    static readonly HashSet<string> KeepersNames = new(StringComparer.Ordinal)
    {
        "postmaster", "abuse", "hostmaster", "webmaster", "admin", "administrator", "root", "security", "noc", "mailer-daemon", "noreply", "no-reply", "info", "support", "sales", "marketing", "billing", "help",
        "dmarc-reports", "tls-reports", "usenet", "news", "www", "uucp", "ftp", "ssladmin", "ssl", "it", "staff", "everyone", "all",
    };

    volatile bool hasSpecialAliases;

    /// <summary>Whether mail for it goes anywhere now.</summary>
    public bool IsOpen(Alias alias) => alias.Profile is var profile && (ReferenceEquals(profile, AliasProfile.None)
        || (profile.Pending != true && !(profile.Expires <= time.GetUtcNow()) && !(profile.Messages >= profile.MaxMessages)));

    /// <summary>A local part that nobody has yet or can guess.</summary>
    public static string RandomName() => RandomNumberGenerator.GetString(RandomLetters, RandomLength);

    public async ValueTask<Result<Alias>> SetAliasAsync(Alias alias, Func<AliasProfile, AliasProfile> change, CancellationToken cancel = default) => await store.CommitAsync<Result<Alias>>(write =>
    {
        if (DirectoryTable.FindAlias(write, alias.DomainId, alias.Address.LocalPart) is not { } now) return NoAlias(alias.Address.ToString());
        var next = now with { Profile = change(now.Profile) };
        DirectoryTable.SetProfile(write, next);
        write.OnCommitted(() => Keep(next));
        return next;
    }, cancel);

    /// <summary>Those that the account made for itself.</summary>
    public IReadOnlyList<Alias> OwnAliasesOf(Account account) => [.. ListAliases().Where(alias => alias.Profile.Owner == account.Id)];

    void RemoveOwnAliases(WriteTransaction write, Account account)
    {
        foreach (var alias in OwnAliasesOf(account))
        {
            DirectoryTable.RemoveAlias(write, alias.Id);
            write.OnCommitted(() => aliases.TryRemove(Key(alias.Address), out _));
        }
    }

    /// <summary>An alias that somebody makes for himself, as its domain lets him.</summary>
    /// <param name="local">A name that he has chosen; null: one is made.</param>
    public async ValueTask<Result<Alias>> AddOwnAliasAsync(Account me, string? local, AliasProfile profile, CancellationToken cancel = default)
    {
        if (!domains.TryGetValue(me.Address.Domain, out var domain) || domain.Profile.OwnAliases is null or OwnAliases.None) return Refusal.NotPermitted.Because("Your domain does not let people make aliases for themselves; ask its administrator");
        var most = domain.Profile.MaxOwnAliases ?? UsualOwnAliases;
        if (OwnAliasesOf(me).Count >= most) return Refusal.Conflict.Because($"You have {most} aliases already, which is all that you may have");
        if (local is not null && (local.Contains('@', StringComparison.Ordinal) || local.Contains('+', StringComparison.Ordinal) || KeepersNames.Contains(local.ToLowerInvariant()) || local.ToLowerInvariant().EndsWith(MailGroup.OwnerEnd, StringComparison.Ordinal) || ServedNames.Contains(local.ToLowerInvariant())))
            return Refusal.NotPermitted.Because($"The name {Printable(local)} is not for people").At("name");
        return await AddAliasAsync($"{local ?? RandomName()}@{domain.Name}", [me.Address.ToString()], cancel, profile with { Owner = me.Id, Pending = local is not null && domain.Profile.OwnAliases == OwnAliases.Approval ? true : null });
    }

    /// <summary>A message has come for these addresses; in the commit that places it.</summary>
    internal void Count(WriteTransaction write, IEnumerable<MailAddress> recipients)
    {
        if (!hasSpecialAliases) return;
        foreach (var address in recipients)
        {
            if (Special(address) is not { Profile.MaxMessages: not null } known || DirectoryTable.FindAlias(write, known.DomainId, known.Address.LocalPart) is not { } now) continue;
            var next = now with { Profile = now.Profile with { Messages = (now.Profile.Messages ?? 0) + 1 } };
            DirectoryTable.SetProfile(write, next);
            write.OnCommitted(() => Keep(next));
        }
    }

    /// <summary>Whether only those who have signed in may write to it.</summary>
    public bool IsInternal(MailAddress address) => hasSpecialAliases && Special(address)?.Profile.InternalOnly == true;

    // without "+" detail, where there is none of exactly this name
    Alias? Special(MailAddress address)
    {
        if (!TryLocal(address, out var normal, out _)) return null;
        if (aliases.TryGetValue(Key(normal), out var alias)) return alias;
        var plus = normal.LocalPart.IndexOf('+', StringComparison.Ordinal);
        return plus > 0 && !accounts.ContainsKey(Key(normal)) ? aliases.GetValueOrDefault(Key(normal with { LocalPart = normal.LocalPart[..plus] })) : null;
    }

    void Keep(Alias alias)
    {
        aliases[Key(alias.Address)] = alias;
        if (alias.Profile is { MaxMessages: not null } or { InternalOnly: not null }) hasSpecialAliases = true;
    }

    static Refusal NoAlias(string address) => Refusal.NoSuchThing.Because($"There is no alias {Printable(address)}; list them with: cbamail alias list");
}
