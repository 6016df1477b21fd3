using System.Text.Json.Nodes;
using CbaMail.Authorization;
using CbaMail.Directory;
using CbaMail.Envelope;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/account-templates: what new accounts begin with.</summary>
static class AccountTemplatesApi
{
    /// <param name="Quota">Bytes; 0 is none, -1 leaves it to the domain.</param>
    /// <param name="Groups">Separated by spaces; "" takes it away, as with every text and list.</param>
    /// <param name="ValidDays">The account ends so many days after it was made; 0: it does not.</param>
    /// <param name="ExpiryNoticeDays">So many days before, its owner is told.</param>
    /// <param name="Attributes">What is named is set, null takes it away (RFC 7396).</param>
    /// <param name="MustChangePassword">At the first sign-in by a browser a password of one's own is to be taken.</param>
    /// <param name="Policy">That the account begins with, the whole of it: protocols, networks, forwarding and so on; {} takes it away.</param>
    record AccountTemplateFields(
        string? Description = null, long? Quota = null, string? Groups = null, int? ValidDays = null, int? ExpiryNoticeDays = null, IReadOnlyList<string>? Tags = null, JsonObject? Attributes = null,
        string? Language = null, string? Zone = null, bool? MustChangePassword = null, MailPolicy? Policy = null)
    {
        internal Result<AccountTemplate> Apply(AccountTemplate old, UserDirectory directory)
        {
            var noted = new AccountDetails(null, ExpiryNoticeDays, Tags, Attributes, Language, Zone).Apply(old.Noted, null, directory);
            if (!noted.Ok) return noted.Refusal;
            return old with
            {
                Description = Description is null ? old.Description : Description.Length == 0 ? null : Description,
                Quota = Quota is null ? old.Quota : Quota < 0 ? null : Quota,
                Groups = Groups ?? old.Groups,
                ValidDays = ValidDays is null ? old.ValidDays : ValidDays == 0 ? null : ValidDays,
                ExpiryNoticeDays = noted.Value.ExpiryNoticeDays,
                Tags = noted.Value.Tags,
                Attributes = noted.Value.Attributes,
                Language = noted.Value.Language,
                Zone = noted.Value.Zone,
                MustChangePassword = MustChangePassword is null ? old.MustChangePassword : MustChangePassword == true ? true : null,
                Policy = Policy ?? old.Policy,
            };
        }
    }

    /// <param name="Name">Small letters, digits, "-", "_" and ".".</param>
    /// <param name="Domain">Whose it is; without one accounts of all domains may be made by it.</param>
    sealed record NewAccountTemplate(string Name, string? Domain = null) : AccountTemplateFields;

    sealed record AccountTemplateGone(string Name);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/account-templates", Permissions.AccountsWrite, About.Asked, "Templates of accounts", ListAsync) { IsList = true, Query = ["domain"], Gives = typeof(AccountTemplate) },
        new("POST", "/account-templates", Permissions.AccountsWrite, About.Asked, "Make a template of accounts", Requests.With<NewAccountTemplate>(AddAsync)) { Takes = typeof(NewAccountTemplate), Gives = typeof(AccountTemplate), CanRehearse = true },
        new("GET", "/account-templates/{name}", Permissions.AccountsWrite, About.Asked, "One template of accounts", context => WithTemplateAsync(context, changes: false, template => context.JsonAsync(template))) { Gives = typeof(AccountTemplate) },
        new("PATCH", "/account-templates/{name}", Permissions.AccountsWrite, About.Asked, "Change a template; accounts that were made by it stay as they are", Requests.With<AccountTemplateFields>(SetAsync)) { Takes = typeof(AccountTemplateFields), Gives = typeof(AccountTemplate), CanRehearse = true },
        new("DELETE", "/account-templates/{name}", Permissions.AccountsWrite, About.Asked, "Remove a template; accounts that were made by it stay as they are", RemoveAsync) { Gives = typeof(AccountTemplateGone), CanRehearse = true },
    ];

    static Task ListAsync(HttpContext context)
    {
        var domain = context.Asked("domain");
        return context.ListAsync(context.Room<UserDirectory>().ListTemplates().Where(template => Sees(context, template) && (domain is null || template.Domain is null || template.Domain == domain)), template => template.Name, template => template);
    }

    // that of all domains is seen by everybody who makes accounts
    static bool Sees(HttpContext context, AccountTemplate template) => template.Domain is null || May(context, Permissions.AccountsWrite, template.Domain);

    static bool May(HttpContext context, Permission permission, string? domain) =>
        domain is null ? context.Caller().MayEverywhere(permission) : context.Room<UserDirectory>().FindDomain(domain) is { } found && context.Caller().May(permission, found);

    /// <summary>Of a template that is seen; or the answer is given.</summary>
    static Task WithTemplateAsync(HttpContext context, bool changes, Func<AccountTemplate, Task> deed)
    {
        var name = context.Part("name");
        if (context.Room<UserDirectory>().FindTemplate(name) is not { } template || !Sees(context, template)) return context.RefuseAsync(UserDirectory.NoTemplate(name));
        return changes && !May(context, Permissions.AccountsWrite, template.Domain) ? context.RefuseAsync(Requests.MayNot(Permissions.AccountsWrite)) : deed(template);
    }

    /// <summary>A policy is set by who may set it for all whom the template is for.</summary>
    static Refusal? Forbids(HttpContext context, AccountTemplateFields wanted, string? domain) =>
        !May(context, Permissions.AccountsWrite, domain) ? Requests.MayNot(Permissions.AccountsWrite)
        : wanted.Policy is not null && !May(context, Permissions.PoliciesWrite, domain) ? Requests.MayNot(Permissions.PoliciesWrite) : null;

    static async Task AddAsync(HttpContext context, NewAccountTemplate wanted)
    {
        var directory = context.Room<UserDirectory>();
        string? domain = null;
        if (!string.IsNullOrEmpty(wanted.Domain))
        {
            if (directory.FindDomain(wanted.Domain) is not { } found) { await context.RefuseAsync(Requests.NoDomain(wanted.Domain).At("domain")); return; }
            domain = found.AliasOf ?? found.Name;
        }
        if (Forbids(context, wanted, domain) is { } forbidden) { await context.RefuseAsync(forbidden); return; }
        var template = wanted.Apply(new AccountTemplate(wanted.Name ?? "") { Domain = domain }, directory);
        if (!template.Ok) { await context.RefuseAsync(template.Refusal); return; }
        await context.ResultAsync(await directory.AddTemplateAsync(template.Value, context.RequestAborted), made => made, 201);
    }

    static Task SetAsync(HttpContext context, AccountTemplateFields wanted) => WithTemplateAsync(context, changes: true, async old =>
    {
        if (Forbids(context, wanted, old.Domain) is { } forbidden) { await context.RefuseAsync(forbidden); return; }
        var template = wanted.Apply(old, context.Room<UserDirectory>());
        if (!template.Ok) { await context.RefuseAsync(template.Refusal); return; }
        await context.ResultAsync(await context.Room<UserDirectory>().SetTemplateAsync(template.Value, context.RequestAborted), now => now);
    });

    static Task RemoveAsync(HttpContext context) => WithTemplateAsync(context, changes: true, async old =>
    {
        if (await context.Room<UserDirectory>().RemoveTemplateAsync(old.Name, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(new AccountTemplateGone(old.Name));
    });
}
