using System.Text;
using CbaMail.Directory;
using CbaMail.Storage;

namespace CbaMail.Backup;

/// <summary>Whose a message was of which only itself is left: to whom it was delivered, whom it names, and at last who administers the server.</summary>
sealed class Owners
{
    /// <summary>Where they find it.</summary>
    public const string Mailbox = "Recovered";

    readonly Dictionary<string, long> accounts = new(StringComparer.Ordinal);
    readonly long? administrator;

    public Owners(ReadTransaction read)
    {
        foreach (var (account, _, _) in DirectoryTable.Accounts(read))
        {
            accounts[account.Address.Key] = account.Id;
            if (account.Role == Role.Admin) administrator ??= account.Id;
        }
    }

    /// <summary>Of a row: one account; empty where not even an administrator has one.</summary>
    public IReadOnlyList<long> Of(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> envelope)
    {
        foreach (var line in Encoding.UTF8.GetString(prefix).Split("\r\n"))
            if (line.StartsWith("Delivered-To:", StringComparison.OrdinalIgnoreCase) && Find(line["Delivered-To:".Length..]) is { } one) return [one];
        return Named(StoredEnvelope.Parse(envelope)) is [var first, ..] ? [first] : Last();
    }

    /// <summary>Of a body without a row: everybody here whom it names as recipient, else its sender.</summary>
    public IReadOnlyList<long> Of(ReadOnlySpan<byte> envelope) => Named(StoredEnvelope.Parse(envelope)) is { Count: > 0 } named ? named : Last();

    /// <summary>Of a message that was to leave: its sender.</summary>
    public IReadOnlyList<long> OfSender(string sender) => Find(sender) is { } one ? [one] : Last();

    List<long> Named(StoredEnvelope envelope)
    {
        var named = Found(envelope.To.Concat(envelope.Cc));
        return named.Count > 0 ? named : Found(envelope.From);
    }

    List<long> Found(IEnumerable<(string Name, string Address)> people) => [.. people.Select(one => Find(one.Address)).OfType<long>().Distinct()];

    List<long> Last() => administrator is { } one ? [one] : [];

    long? Find(string text)
    {
        if (!Names.TryAddress(text.Trim().Trim('<', '>'), out var address)) return null;
        if (accounts.TryGetValue(address.Key, out var id)) return id;
        var plus = address.LocalPart.IndexOf('+', StringComparison.Ordinal);
        return plus > 0 && accounts.TryGetValue((address with { LocalPart = address.LocalPart[..plus] }).Key, out id) ? id : null;
    }
}
