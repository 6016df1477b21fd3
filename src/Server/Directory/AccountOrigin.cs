using CbaMail.Envelope;

namespace CbaMail.Directory;

/// <summary>The directory elsewhere that an account comes from, and what is its there.</summary>
/// <param name="Source">What the directory is called in the settings.</param>
/// <param name="Id">What never changes of the entry there: entryUUID, objectGUID.</param>
/// <param name="Name">The entry's name when it was last seen: its password is checked under it.</param>
public sealed record AccountOrigin(string Source, string Id, string Name)
{
    /// <summary>What is said there and nowhere else, beside address and password: name, quota, groups.</summary>
    public IReadOnlyList<string>? Masters { get; init; }

    /// <summary>Aliases that were made because the directory says so.</summary>
    public IReadOnlyList<string>? Aliases { get; init; }

    /// <summary>The directory has disabled it; one that was disabled here stays so.</summary>
    public bool? Off { get; init; }

    /// <summary>Since when nobody there is its owner.</summary>
    public DateTimeOffset? Gone { get; init; }

    /// <summary>Whether two say the same: lists are compared by what is in them.</summary>
    public bool Same(AccountOrigin other) =>
        this with { Masters = null, Aliases = null } == other with { Masters = null, Aliases = null } && Equal(Masters, other.Masters) && Equal(Aliases, other.Aliases);

    static bool Equal(IReadOnlyList<string>? one, IReadOnlyList<string>? other) => (one ?? []).SequenceEqual(other ?? []);
}

/// <summary>Whoever keeps passwords of accounts that come from elsewhere.</summary>
public interface IPasswordKeeper
{
    /// <summary>Whether the password is the account's; a temporary refusal where it cannot be asked.</summary>
    ValueTask<Result<bool>> CheckAsync(Account account, string password, CancellationToken cancel);

    /// <summary>Makes the account of somebody who is known there and not here, if the password is his; null where that is not so. Temporary refusals as above.</summary>
    ValueTask<Result<Account>?> WelcomeAsync(MailAddress address, string password, CancellationToken cancel);
}

/// <summary>One thing that a directory elsewhere wants done with an account here.</summary>
/// <param name="Id">The account's number; of a new one 0.</param>
public sealed record OriginDeed(long Id)
{
    /// <summary>To be made.</summary>
    public NewAccount? Add { get; init; }

    /// <summary>What becomes of it, of what it is in the transaction.</summary>
    public Func<Account, Account>? Change { get; init; }

    /// <summary>It was put away, and comes back.</summary>
    public bool BringBack { get; init; }

    public bool PutAway { get; init; }

    /// <summary>The password that it had here ends.</summary>
    public bool EndsPassword { get; init; }

    /// <summary>All the aliases that the directory says; null leaves them.</summary>
    public IReadOnlyList<MailAddress>? Aliases { get; init; }
}
