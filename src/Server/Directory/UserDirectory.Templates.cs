using System.Collections.Concurrent;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Directory;

/// <summary>Templates of accounts: named by who makes one, or by its domain for all of its own.</summary>
public sealed partial class UserDirectory
{
    const int MostTemplates = 1000;
    const int MostValidDays = 36_500;

    readonly ConcurrentDictionary<string, AccountTemplate> templates = new(StringComparer.Ordinal);

    public AccountTemplate? FindTemplate(string name) => templates.GetValueOrDefault(name);

    public IReadOnlyList<AccountTemplate> ListTemplates() => [.. templates.Values.OrderBy(template => template.Name, StringComparer.Ordinal)];

    public async ValueTask<Result<AccountTemplate>> AddTemplateAsync(AccountTemplate template, CancellationToken cancel = default)
    {
        if (template.Name.Length is 0 or > 64 || !template.Name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_' or '.'))
            return Refusal.Invalid.Because("A template is called by small letters, digits, \"-\", \"_\" and \".\", 64 at most").At("name");
        if (templates.Count >= MostTemplates) return Refusal.TooMany.Because($"There are {MostTemplates} templates already");
        var normal = Normalised(template);
        if (!normal.Ok) return normal;
        return await store.CommitAsync<Result<AccountTemplate>>(write =>
        {
            if (AccountTemplateTable.Find(write, template.Name) is not null) return Refusal.AlreadyExists.Because($"The template {template.Name} is there already");
            if (normal.Value.Domain is { } domain && !domains.ContainsKey(domain)) return NoDomain(domain);
            return Keep(write, normal.Value);
        }, cancel);
    }

    /// <summary>Changes a template; accounts that are there stay as they are.</summary>
    public async ValueTask<Result<AccountTemplate>> SetTemplateAsync(AccountTemplate template, CancellationToken cancel = default)
    {
        var normal = Normalised(template);
        if (!normal.Ok) return normal;
        return await store.CommitAsync<Result<AccountTemplate>>(write => AccountTemplateTable.Find(write, template.Name) is null ? NoTemplate(template.Name) : Keep(write, normal.Value), cancel);
    }

    AccountTemplate Keep(WriteTransaction write, AccountTemplate template)
    {
        AccountTemplateTable.Set(write, template);
        write.OnCommitted(() => templates[template.Name] = template);
        return template;
    }

    /// <summary>Removes it; domains that name it go without.</summary>
    public async ValueTask<Refusal?> RemoveTemplateAsync(string name, CancellationToken cancel = default) =>
        await store.CommitAsync(write => Remove(write, name), cancel) ? null : NoTemplate(name);

    bool Remove(WriteTransaction write, string template)
    {
        if (!AccountTemplateTable.Remove(write, template)) return false;
        write.OnCommitted(() => templates.TryRemove(template, out _));
        return true;
    }

    // the bounds of what stands in a profile are kept by who reads them
    static Result<AccountTemplate> Normalised(AccountTemplate template)
    {
        if (template.Quota < 0 || template.ValidDays is < 1 or > MostValidDays) return Refusal.Invalid.Because($"validDays is a number of days, 1 to {MostValidDays}").At("validDays");
        if (template.Description?.Length > 500 || template.Groups?.Length > 2000) return Refusal.Invalid.Because("A description has at most 500 characters, and groups have 2000").At("description");
        var groups = string.IsNullOrWhiteSpace(template.Groups) ? null : NormalGroups(template.Groups);
        if (template.Policy is null) return template with { Groups = groups };
        var policy = Normalised(template.Policy, "an account");
        return policy.Ok ? template with { Groups = groups, Policy = policy.Value.IsEmpty ? null : policy.Value } : policy.Refusal;
    }

    internal static Refusal NoTemplate(string name) => Refusal.NoSuchThing.Because($"There is no template {Printable(name)}; list them with: cbamail account-template list");

    /// <summary>The template that an account of the domain is made by: the one that is named, or its domain's, which is for users; "" is none.</summary>
    Result<AccountTemplate?> TemplateOf(NewAccount wanted, Domain domain)
    {
        if (wanted.Template is { Length: > 0 } name) return FindTemplate(name) is { } named && (named.Domain ?? domain.Name) == domain.Name ? named : NoTemplate(name).At("template");
        var usual = wanted is { Template: null, Role: Role.User, Profile.Origin: null } && domain.Profile.Template is { } of ? FindTemplate(of) : null;
        return new(usual?.Domain is null || usual.Domain == domain.Name ? usual : null, null);
    }

    /// <summary>What is wrong with a domain's own choice, or null.</summary>
    /// <param name="name">"" is none.</param>
    internal Refusal? MayBeTemplateOf(string name, string domain) =>
        name.Length == 0 || (FindTemplate(name) is { } template && (template.Domain ?? domain) == domain) ? null : NoTemplate(name).At("template");
}
