using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailboxes;

namespace CbaMail.Http.Api;

/// <summary>/v1/accounts</summary>
static class AccountsApi
{
    sealed record AccountFields(
        string? Address = null, string? Name = null, long? Quota = null, string? Role = null, string? Groups = null,
        bool? Enabled = null, string? Password = null, bool Generate = false);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/accounts", ListAsync);
        routes.MapPost("/v1/accounts", AddAsync);
        routes.MapPost("/v1/accounts/import", AccountImportApi.RunAsync);
        routes.MapGet("/v1/accounts/export", ExportAsync);
        routes.MapGet("/v1/accounts/{address}", context => WithAsync(context, account => context.JsonAsync(Show(context, account, usage: true))));
        routes.MapPatch("/v1/accounts/{address}", context => WithAsync(context, account => SetAsync(context, account)));
        routes.MapDelete("/v1/accounts/{address}", context => WithAsync(context, account => RemoveAsync(context, account)));
    }

    static object Show(HttpContext context, Account account, bool usage = false, string? password = null)
    {
        var (bytes, messages) = usage ? Usage(context, account) : ((long?)null, (long?)null);
        return new
        {
            address = account.Address.ToString(),
            name = account.Name,
            role = Roles.Show(account.Role),
            quota = account.Quota,
            bytes,
            messages,
            groups = account.Groups,
            enabled = account.Enabled,
            hasPassword = context.Room<UserDirectory>().HasPassword(account),
            created = account.Created,
            password,
        };
    }

    static (long? Bytes, long? Messages) Usage(HttpContext context, Account account)
    {
        using var read = context.Room<MailStore>().Read();
        return read.Usage(account.Id);
    }

    static async Task ListAsync(HttpContext context)
    {
        if (await DomainOfQueryAsync(context) is not (true, var domain)) return;
        await context.JsonAsync(context.Room<UserDirectory>().ListAccounts(domain).Select(account => Show(context, account)));
    }

    static async Task ExportAsync(HttpContext context)
    {
        if (await DomainOfQueryAsync(context) is not (true, var domain)) return;
        context.Response.ContentType = "text/csv; charset=utf-8";
        await context.Response.WriteAsync("address,name,password,quota,groups\n");
        foreach (var account in context.Room<UserDirectory>().ListAccounts(domain))
            await context.Response.WriteAsync($"{Field(account.Address.ToString())},{Field(account.Name)},,{account.Quota},{Field(account.Groups)}\n");
    }

    // RFC 4180 2.6, 2.7
    static string Field(string text) => text.AsSpan().IndexOfAny(",;\"\r\n\t") < 0 ? text : "\"" + text.Replace("\"", "\"\"") + "\"";

    /// <summary>The domain that ?domain= names; the first is false where the answer is given already.</summary>
    internal static async Task<(bool Go, Domain? Domain)> DomainOfQueryAsync(HttpContext context)
    {
        if (context.Request.Query["domain"] is not [{ Length: > 0 } name]) return (true, null);
        if (context.Room<UserDirectory>().FindDomain(name) is { } domain) return (true, domain);
        await context.RefuseAsync(Refusal.NoSuchDomain.Because($"There is no domain {name}; list them with: cbamail domain list"));
        return (false, null);
    }

    static async Task AddAsync(HttpContext context)
    {
        if (await context.ReadAsync<AccountFields>() is not { } wanted) return;
        if (RoleOf(wanted) is not { Ok: true, Value: var role }) { await context.RefuseAsync(NoRole(wanted)); return; }
        var password = wanted.Generate ? Passwords.Generate() : wanted.Password;
        var added = await context.Room<UserDirectory>().AddAccountAsync(
            new(wanted.Address ?? "", wanted.Name ?? "", password, wanted.Quota, role ?? Role.User, wanted.Groups ?? ""), context.RequestAborted);
        await context.ResultAsync(added, account => Show(context, account, password: wanted.Generate ? password : null), 201);
    }

    static async Task SetAsync(HttpContext context, Account account)
    {
        if (await context.ReadAsync<AccountFields>() is not { } wanted) return;
        if (RoleOf(wanted) is not { Ok: true, Value: var role }) { await context.RefuseAsync(NoRole(wanted)); return; }
        var password = wanted.Generate ? Passwords.Generate() : wanted.Password;
        var changed = await context.Room<UserDirectory>().SetAccountAsync(
            account, new(wanted.Name, password, wanted.Quota, role, wanted.Groups, wanted.Enabled), context.RequestAborted);
        await context.ResultAsync(changed, now => Show(context, now, usage: true, password: wanted.Generate ? password : null));
    }

    static (bool Ok, Role? Value) RoleOf(AccountFields wanted) =>
        wanted.Role is null ? (true, null) : Roles.Parse(wanted.Role) is { } role ? (true, role) : (false, null);

    static Refusal NoRole(AccountFields wanted) => Refusal.Invalid.Because($"\"{wanted.Role}\" is no role; choose user, domain-admin or admin");

    static async Task RemoveAsync(HttpContext context, Account account)
    {
        if (await context.Room<UserDirectory>().RemoveAccountAsync(account, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(new { address = account.Address.ToString() });
    }

    static Task WithAsync(HttpContext context, Func<Account, Task> deed)
    {
        var text = context.Part("address");
        return Names.TryAddress(text, out var address) && context.Room<UserDirectory>().FindAccount(address) is { } account
            ? deed(account)
            : context.RefuseAsync(Refusal.NoSuchUser.Because($"There is no account {text}; list them with: cbamail account list"));
    }
}
