using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailboxes;

namespace CbaMail.Http.Api;

/// <summary>/v1/mailboxes: those of an account, and the public folders of a domain; who may do what with them (RFC 4314).</summary>
static class MailboxesApi
{
    sealed record NewMailbox(string Owner, string Name);
    sealed record Share(string Owner, string Name, string Identifier, string Rights);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/mailboxes", async context =>
        {
            if (Owner(context, Query(context, "owner")) is not { Ok: true, Value: var owner } found) { await context.RefuseAsync(NoOwner(context)); return; }
            using var reader = context.Room<MailStore>().Read();
            await context.JsonAsync(reader.Mailboxes(owner).Select(Show).ToList());
        });
        routes.MapPost("/v1/mailboxes", async context =>
        {
            if (await context.ReadAsync<NewMailbox>() is not { } wanted) return;
            var owner = Owner(context, wanted.Owner);
            if (owner.Ok) await context.ResultAsync(await context.Room<MailStore>().CreateAsync(owner.Value, wanted.Name, null, context.RequestAborted), Show, 201);
            else await context.RefuseAsync(owner.Refusal);
        });
        routes.MapDelete("/v1/mailboxes", context => WithAsync(context, Query(context, "owner"), Query(context, "name"), async mailbox =>
        {
            if (await context.Room<MailStore>().DeleteAsync(mailbox.AccountId, mailbox.Name, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
            else await context.JsonAsync(Show(mailbox));
        }));
        routes.MapGet("/v1/mailboxes/rights", context => WithAsync(context, Query(context, "owner"), Query(context, "name"), mailbox => ListAsync(context, mailbox)));
        routes.MapPost("/v1/mailboxes/rights", async context =>
        {
            if (await context.ReadAsync<Share>() is { } wanted) await WithAsync(context, wanted.Owner, wanted.Name, mailbox => ShareAsync(context, mailbox, wanted));
        });
    }

    static string Query(HttpContext context, string name) => context.Request.Query[name].ToString();

    static Refusal NoOwner(HttpContext context) => Owner(context, Query(context, "owner")).Refusal!;

    static object Show(Mailbox mailbox) => new { name = mailbox.Name, messages = mailbox.Messages, unseen = mailbox.Unseen, bytes = mailbox.Bytes, shared = mailbox.IsShared };

    /// <summary>An account by its address, or the public folders of a domain by its name.</summary>
    static Result<long> Owner(HttpContext context, string name)
    {
        var directory = context.Room<UserDirectory>();
        if (name.Contains('@'))
            return MailAddress.TryParse(name, out var address) && directory.FindAccount(address) is { } account ? account.Id : Refusal.NoSuchUser.Because($"There is no account {name}");
        return directory.FindDomain(name) is { } domain ? -domain.Id : Refusal.NoSuchDomain.Because($"There is no domain {name}; the owner is an address, or a domain for its public folders");
    }

    static async Task WithAsync(HttpContext context, string owner, string name, Func<Mailbox, Task> use)
    {
        var id = Owner(context, owner);
        if (!id.Ok) { await context.RefuseAsync(id.Refusal); return; }
        Mailbox? mailbox;
        using (var reader = context.Room<MailStore>().Read()) mailbox = reader.Find(id.Value, name);
        if (mailbox is null) await context.RefuseAsync(Refusal.NoSuchMailbox.Because($"{owner} has no mailbox {name}"));
        else await use(mailbox);
    }

    static MailboxAccess Access(HttpContext context) => new(context.Room<UserDirectory>(), "", "");

    static async Task ListAsync(HttpContext context, Mailbox mailbox)
    {
        using var reader = context.Room<MailStore>().Read();
        await context.JsonAsync(Access(context).List(reader, mailbox).Select(entry => new { identifier = entry.Identifier, rights = RightsText.Show(entry.Rights) }).ToList());
    }

    static async Task ShareAsync(HttpContext context, Mailbox mailbox, Share wanted)
    {
        var identifier = Access(context).Identifier(mailbox, wanted.Identifier);
        if (!identifier.Ok) { await context.RefuseAsync(identifier.Refusal); return; }
        var mode = wanted.Rights.StartsWith('+') ? RightsMode.Add : wanted.Rights.StartsWith('-') ? RightsMode.Remove : RightsMode.Set;
        if (!RightsText.TryParse(wanted.Rights is "none" ? "" : mode == RightsMode.Set ? wanted.Rights : wanted.Rights.AsSpan(1), out var rights, out var unknown))
        {
            await context.RefuseAsync(Refusal.Invalid.Because($"\"{unknown}\" is not a right; they are the letters l r s w i p k x t e a, or \"none\""));
            return;
        }
        var isOwner = Access(context).IsOwner(mailbox, identifier.Value);
        if (await context.Room<MailStore>().SetAclAsync(mailbox.Id, identifier.Value, isOwner, mode, rights, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await ListAsync(context, mailbox);
    }
}
