using System.Net;
using System.Security.Cryptography;
using System.Text;
using CbaMail.Config;
using CbaMail.Envelope;

namespace CbaMail.Directory;

public sealed partial class UserDirectory
{
    const int MostWords = 1000;

    /// <summary>Sets the policy of the domain, account or alias that is called so.</summary>
    /// <returns>The policy as it is kept.</returns>
    public ValueTask<Result<MailPolicy>> SetPolicyAsync(string subject, MailPolicy policy, CancellationToken cancel = default) => ChangePolicyAsync(subject, _ => policy, cancel);

    /// <summary>Makes of the policy as it stands the next one, so that of two who change other parts of it neither loses; the lists are brought into the form in which they are compared.</summary>
    /// <param name="change">Runs within the commit.</param>
    /// <returns>The policy as it is kept.</returns>
    public async ValueTask<Result<MailPolicy>> ChangePolicyAsync(string subject, Func<MailPolicy, Result<MailPolicy>> change, CancellationToken cancel = default)
    {
        if (subject.Contains('@') ? !Names.TryAddress(subject, out var address) : (address = null) is not null)
            return Refusal.BadAddress.Because($"\"{Printable(subject)}\" is not a valid address");
        var (account, alias) = address is null ? (null, null) : (FindAccount(address), FindAlias(address));
        var domain = address is null ? FindDomain(subject) : null;
        if (domain is null && account is null && alias is null) return NobodyCalled(subject);
        var kind = domain is not null ? "a domain" : account is not null ? "an account" : "an alias";
        Result<MailPolicy> Next(MailPolicy now) => change(now) is var wanted && wanted.Ok ? Normalised(wanted.Value, kind) : wanted;
        return await store.CommitAsync(write =>
        {
            Result<MailPolicy> next;
            if (domain is not null)
            {
                if (DirectoryTable.FindDomain(write, domain.Id) is not { } now) return NobodyCalled(subject);
                if (!(next = Next(now.Policy)).Ok) return next;
                DirectoryTable.SetPolicy(write, now = now with { Policy = next.Value });
                write.OnCommitted(() => domains[now.Name] = now);
            }
            else if (account is not null)
            {
                if (DirectoryTable.FindAccount(write, account.Id) is not var (now, password, scram)) return NobodyCalled(subject);
                if (!(next = Next(now.Policy)).Ok) return next;
                DirectoryTable.SetPolicy(write, now = now with { Policy = next.Value });
                write.OnCommitted(() => Keep(now, new(password, Open(now, scram))));
            }
            else
            {
                if (DirectoryTable.FindAlias(write, alias!.DomainId, alias.Address.LocalPart) is not { } now) return NobodyCalled(subject);
                if (!(next = Next(now.Policy)).Ok) return next;
                DirectoryTable.SetPolicy(write, now = now with { Policy = next.Value });
                write.OnCommitted(() => aliases[Key(now.Address)] = now);
            }
            return next;
        }, cancel);
    }

    /// <summary>The policy of the domain, account or alias that is called so.</summary>
    public Result<MailPolicy> PolicyOf(string subject)
    {
        if (!subject.Contains('@')) return FindDomain(subject) is { } domain ? domain.Policy : NobodyCalled(subject);
        if (!Names.TryAddress(subject, out var address)) return Refusal.BadAddress.Because($"\"{Printable(subject)}\" is not a valid address");
        return FindAccount(address)?.Policy ?? FindAlias(address)?.Policy ?? new Result<MailPolicy>(null!, NobodyCalled(subject));
    }

    static Refusal NobodyCalled(string subject) =>
        Refusal.NoSuchThing.Because($"There is no domain, account or alias {Printable(subject)}; list them with: cbamail domain list, account list, alias list");

    /// <summary>The word of the domain that an account is in.</summary>
    public MailPolicy DomainPolicy(Account account) => domains.TryGetValue(account.Address.Domain, out var domain) ? domain.Policy : MailPolicy.None;

    /// <summary>Whether somebody who has proved to be its owner may come in by a protocol of <see cref="MailPolicy.ForbiddenProtocols"/>.</summary>
    public bool MayUse(Account account, string protocol) =>
        account.Policy.ForbiddenProtocols?.Contains(protocol) != true && DomainPolicy(account).ForbiddenProtocols?.Contains(protocol) != true;

    /// <summary>Whether somebody who has proved to be its owner may come in from this address.</summary>
    /// <param name="from">Null: from this machine, by no network.</param>
    public bool MayComeFrom(Account account, IPAddress? from)
    {
        if (from is null || (account.Policy.AllowedNetworks ?? DomainPolicy(account).AllowedNetworks) is not { } allowed) return true;
        foreach (var text in allowed)
            if (Networks.TryParse(text, out var network) && network.Contains(from)) return true;
        return false;
    }

    /// <summary>What IMAP leaves out for this account, in capitals.</summary>
    public IReadOnlyList<string> DisabledCapabilities(Account account) =>
        [.. account.Policy.DisabledCapabilities ?? [], .. DomainPolicy(account).DisabledCapabilities ?? []];

    /// <summary>What the address itself asks for, as an account or an alias, and what its domain does; empty ones where it is not ours.</summary>
    public (MailPolicy Own, MailPolicy Domain) PoliciesFor(MailAddress address)
    {
        if (!TryLocal(address, out var normal, out var domain)) return (MailPolicy.None, MailPolicy.None);
        if (PolicyOf(normal) is { } own) return (own, domain.Policy);
        var plus = normal.LocalPart.IndexOf('+');
        return (plus > 0 && PolicyOf(normal with { LocalPart = normal.LocalPart[..plus] }) is { } plain ? plain : MailPolicy.None, domain.Policy);
    }

    MailPolicy? PolicyOf(MailAddress normal) =>
        accounts.TryGetValue(Key(normal), out var account) ? account.Policy : aliases.TryGetValue(Key(normal), out var alias) ? alias.Policy : null;

    // ---- mail that is passed on

    /// <summary>The reverse-path under which an address of ours passes mail on: one that leads a bounce back to the sender.</summary>
    public MailAddress RewriteSender(MailAddress sender, MailAddress via) => SenderRewriting.Rewrite(sender, via.Domain, rewritingKey, Today) ?? via;

    /// <summary>The sender behind a rewritten address of ours, or null.</summary>
    public MailAddress? SenderBehind(MailAddress address) => SenderRewriting.Reverse(address.LocalPart, rewritingKey, Today);

    /// <summary>
    /// What nobody can work out who lacks the server's key, the same each time: for names that must not be guessed.
    /// </summary>
    /// <param name="purpose">Each has a key of its own.</param>
    public byte[] Secret(string purpose, string text) =>
        HMACSHA256.HashData(HMACSHA256.HashData(rewritingKey, Encoding.UTF8.GetBytes(purpose)), Encoding.UTF8.GetBytes(text));

    long Today => time.GetUtcNow().ToUnixTimeSeconds() / 86_400;

    static Result<MailPolicy> Normalised(MailPolicy policy, string subject)
    {
        Refusal? wrong = null;
        var addresses = (IReadOnlyList<string>? list, string name) => List(list, name, "an address as in anna@example.org",
            text => Names.TryAddress(text, out var address) ? address.ToString() : null, ref wrong);
        var patterns = (IReadOnlyList<string>? list, string name) => List(list, name, "an address, @domain, @*.domain or members", SenderPattern.Normal, ref wrong);
        var lent = (IReadOnlyList<string>? list, string name) => List(list, name, "an address or @domain",
            text => SenderPattern.Normal(text) is { } pattern && pattern != SenderPattern.Members ? pattern : null, ref wrong);
        var normal = policy with
        {
            AllowedSenders = patterns(policy.AllowedSenders, "allowed-senders"),
            BlockedSenders = patterns(policy.BlockedSenders, "blocked-senders"),
            Forward = addresses(policy.Forward, "forward"),
            SendAs = lent(policy.SendAs, "send-as"),
            SendOnBehalf = lent(policy.SendOnBehalf, "send-on-behalf"),
            BccIncoming = addresses(policy.BccIncoming, "bcc-incoming"),
            BccOutgoing = addresses(policy.BccOutgoing, "bcc-outgoing"),
            FooterExcept = addresses(policy.FooterExcept, "footer-except"),
            ForbiddenProtocols = List(policy.ForbiddenProtocols, "forbidden-protocols", "imap, pop3, submission or web",
                text => Array.Find(MailPolicy.Protocols, one => one.Equals(text.Trim(), StringComparison.OrdinalIgnoreCase)), ref wrong),
            AllowedNetworks = List(policy.AllowedNetworks, "allowed-networks", "an address or a network as in 192.0.2.0/24", text => Networks.TryParse(text, out var network) ? Networks.Show(network) : null, ref wrong),
            DisabledCapabilities = List(policy.DisabledCapabilities, "disabled-capabilities", "the name of a capability as in QRESYNC",
                text => text.Length is > 0 and <= 64 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '=' or '-' or '+') ? text.ToUpperInvariant() : null, ref wrong),
        };
        wrong ??= OutOfRange(normal) ?? OutOfPlace(normal, subject);
        return wrong is null ? normal : wrong;
    }

    static IReadOnlyList<string>? List(IReadOnlyList<string>? list, string name, string kind, Func<string, string?> normal, ref Refusal? wrong)
    {
        if (list is null or { Count: 0 }) return null;
        if (list.Count > MostWords) wrong ??= Refusal.Invalid.Because($"{name} has at most {MostWords} entries");
        var kept = new List<string>(list.Count);
        foreach (var text in list)
        {
            if (normal(text) is not { } word) wrong ??= Refusal.Invalid.Because($"{name}: \"{Printable(text)}\" is not {kind}");
            else if (!kept.Contains(word)) kept.Add(word);
        }
        return kept;
    }

    static Refusal? OutOfRange(MailPolicy policy)
    {
        if (policy is { SendOnly: true, ReceiveOnly: true }) return Refusal.Invalid.Because("Give one of send-only and receive-only: with both nothing is left to do");
        if (policy.MaxSize is < 0) return Refusal.Invalid.Because("max-size is a size, or 0 for the server's own limit");
        if (policy.MessagesPerDay is < 0 || policy.NewRecipientsPerDay is < 0) return Refusal.Invalid.Because("A limit a day is a number, or 0 for none at all");
        if (policy.FooterText is { Length: > 10_000 } || policy.FooterHtml is { Length: > 50_000 }) return Refusal.Invalid.Because("A footer has at most 10,000 characters of text and 50,000 of HTML");
        if (policy.FooterHtml is not null && policy.FooterText is null) return Refusal.Invalid.Because("footer-html needs footer-text for messages without HTML");
        return policy.RelayTo is { } relay && RelayAddress.Parse(relay) is null ? Refusal.Invalid.Because($"relay-to: \"{Printable(relay)}\" is not host, host:port or mx") : null;
    }

    static Refusal? OutOfPlace(MailPolicy policy, string subject)
    {
        static Refusal? OnlyFor(Func<string, Refusal> say, params (string Name, object? Value)[] keys) =>
            Array.Find(keys, key => key.Value is not null).Name is { } name ? say(name) : null;
        Refusal? wrong = null;
        if (subject != "an account") wrong ??= OnlyFor(name => Refusal.Invalid.Because($"{name} is set for an account only"), ("forward", policy.Forward), ("keep-copy", policy.KeepCopy), ("send-as", policy.SendAs), ("send-on-behalf", policy.SendOnBehalf),
                ("send-only", policy.SendOnly), ("receive-only", policy.ReceiveOnly));
        if (subject != "a domain")
            wrong ??= OnlyFor(name => Refusal.Invalid.Because($"{name} is set for a domain only"), ("footer-text", policy.FooterText), ("footer-html", policy.FooterHtml), ("footer-except", policy.FooterExcept),
                ("dmarc", policy.Dmarc), ("relay-to", policy.RelayTo), ("relay-verify", policy.RelayVerify));
        if (subject == "an alias")
            wrong ??= OnlyFor(name => Refusal.Invalid.Because($"{name} is set for a domain or an account only"), ("bcc-incoming", policy.BccIncoming), ("bcc-outgoing", policy.BccOutgoing),
                ("messages-per-day", policy.MessagesPerDay), ("new-recipients-per-day", policy.NewRecipientsPerDay), ("forbidden-protocols", policy.ForbiddenProtocols), ("allowed-networks", policy.AllowedNetworks),
                ("disabled-capabilities", policy.DisabledCapabilities));
        return wrong;
    }

    // ---- the recipient map

    public IReadOnlyList<RecipientMapping> ListMappings() => [.. mappings.Values.OrderBy(mapping => mapping.Address, StringComparer.Ordinal)];

    /// <summary>From now on the address stands for the target; both may be "@domain".</summary>
    public async ValueTask<Result<RecipientMapping>> SetMappingAsync(string address, string target, CancellationToken cancel = default)
    {
        if (Side(address) is not { } from) return Refusal.BadAddress.Because($"\"{Printable(address)}\" is not an address or @domain");
        if (Side(target) is not { } to) return Refusal.BadAddress.Because($"\"{Printable(target)}\" is not an address or @domain");
        if (from == to) return Refusal.Invalid.Because($"{from} cannot stand for itself");
        if (to.StartsWith('@') && !from.StartsWith('@')) return Refusal.Invalid.Because($"One address stands for one address: name the target in full, as in anna{to}");
        var mapping = new RecipientMapping(from, to, Rounded(time.GetUtcNow()));
        await store.CommitAsync(write =>
        {
            DirectoryTable.SetMapping(write, mapping);
            write.OnCommitted(() => mappings[from] = mapping);
            return true;
        }, cancel);
        return mapping;
    }

    public async ValueTask<Refusal?> RemoveMappingAsync(string address, CancellationToken cancel = default)
    {
        var from = Side(address) ?? address;
        var done = await store.CommitAsync(write =>
        {
            if (!DirectoryTable.RemoveMapping(write, from)) return false;
            write.OnCommitted(() => mappings.TryRemove(from, out _));
            return true;
        }, cancel);
        return done ? null : Refusal.NoSuchThing.Because($"Nothing is mapped from {Printable(address)}; list what is with: cbamail recipient-map list");
    }

    static string? Side(string text)
    {
        text = text.Trim();
        if (text.StartsWith('@')) return Names.TryDomain(text[1..], out var domain) ? "@" + domain : null;
        return Names.TryAddress(text, out var address) ? Key(address) : null;
    }
}

/// <summary>Where a relay domain's mail goes: <c>mx</c>, or a host with a port.</summary>
/// <param name="Host">Null for the domain's other MX hosts.</param>
public sealed record RelayAddress(string? Host, int Port)
{
    public static RelayAddress? Parse(string text)
    {
        text = text.Trim();
        if (text.Equals("mx", StringComparison.OrdinalIgnoreCase)) return new RelayAddress(null, 25);
        var (host, port) = (text, 25);
        var colon = text.LastIndexOf(':');
        if (text.StartsWith('['))
        {
            var close = text.IndexOf(']');
            if (close < 0) return null;
            host = text[1..close];
            if (close + 1 < text.Length && (text[close + 1] != ':' || !TryPort(text[(close + 2)..], out port))) return null;
            return System.Net.IPAddress.TryParse(host, out _) ? new RelayAddress(host, port) : null;
        }
        if (colon >= 0)
        {
            host = text[..colon];
            if (!TryPort(text[(colon + 1)..], out port)) return null;
        }
        return System.Net.IPAddress.TryParse(host, out _) ? new RelayAddress(host, port) : Names.TryDomain(host, out var name) ? new RelayAddress(name, port) : null;
    }

    static bool TryPort(string text, out int port) => int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out port) && port is > 0 and < 65536;
}
