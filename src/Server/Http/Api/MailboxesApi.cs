using System.Globalization;
using CbaMail.Authorization;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailboxes;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/mailboxes: those of an account, and the public folders of a domain; who may do what with them (RFC 4314).</summary>
static class MailboxesApi
{
    /// <param name="Bytes">As RFC 8438 counts them.</param>
    /// <param name="Keep">How long it keeps a message: forever, a number of days as in 30d, or default, which is what the server says of Junk and Trash, and forever for others.</param>
    /// <param name="KeepDays">What that comes to; null: for ever.</param>
    sealed record MailboxView(string Name, string? SpecialUse, long Messages, long Unseen, long Bytes, bool Shared, string Keep, int? KeepDays);

    /// <param name="Rights">Letters of RFC 4314.</param>
    sealed record RightsView(string Identifier, string Rights);
    sealed record NewMailbox(string Owner, string Name);

    /// <param name="Keep">forever, default, or whole days as in 30d.</param>
    sealed record Keeping(string Owner, string Name, string Keep);

    /// <param name="Keep">forever, default, or whole days as in 30d.</param>
    sealed record OwnKeeping(string Name, string Keep);
    sealed record Share(string Owner, string Name, string Identifier, string Rights);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/mailboxes", Permissions.MailboxesRead, About.Asked, "Mailboxes of an account, or a domain's public folders", ListAsync) { Query = ["owner"], Gives = typeof(MailboxView[]) },
        new("POST", "/mailboxes", Permissions.MailboxesWrite, About.Asked, "Make a mailbox", Requests.With<NewMailbox>(AddAsync)) { Takes = typeof(NewMailbox), Gives = typeof(MailboxView) },
        new("PATCH", "/mailboxes", Permissions.MailboxesWrite, About.Asked, "Say how long a mailbox keeps its messages; what is flagged stays", Requests.With<Keeping>((context, wanted) =>
            WithAsync(context, Permissions.MailboxesWrite, wanted.Owner, wanted.Name, mailbox => KeepAsync(context, mailbox, wanted.Keep)))) { Takes = typeof(Keeping), Gives = typeof(MailboxView) },
        new("GET", "/me/mailboxes", Permissions.OwnMail, About.Asked, "One's own mailboxes", CredentialsApi.WithMe((context, me) => ListAsync(context, me.Id))) { Gives = typeof(MailboxView[]) },
        new("PATCH", "/me/mailboxes", Permissions.OwnMail, About.Asked, "Say how long one of them keeps its messages; what is flagged stays", Requests.With<OwnKeeping>((context, wanted) => CredentialsApi.WithMe((_, me) =>
            WithAsync(context, me.Id, me.Address.ToString(), wanted.Name, mailbox => KeepAsync(context, mailbox, wanted.Keep)))(context))) { Takes = typeof(OwnKeeping), Gives = typeof(MailboxView) },
        new("DELETE", "/mailboxes", Permissions.MailboxesWrite, About.Asked, "Remove a mailbox with its mail", context => WithAsync(context, Permissions.MailboxesWrite, Query(context, "owner"), Query(context, "name"), async mailbox =>
        {
            if (await context.Room<MailStore>().DeleteAsync(mailbox.AccountId, mailbox.Name, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
            else await context.JsonAsync(Show(context, mailbox));
        })) { Query = ["owner", "name"], Gives = typeof(MailboxView) },
        new("GET", "/mailboxes/rights", Permissions.MailboxesRead, About.Asked, "Who may do what with a mailbox (RFC 4314)", context => WithAsync(context, Permissions.MailboxesRead, Query(context, "owner"), Query(context, "name"), mailbox => RightsAsync(context, mailbox))) { Query = ["owner", "name"], Gives = typeof(RightsView[]) },
        new("POST", "/mailboxes/rights", Permissions.MailboxesWrite, About.Asked, "Let somebody use it, or not any more", Requests.With<Share>((context, wanted) =>
            WithAsync(context, Permissions.MailboxesWrite, wanted.Owner, wanted.Name, mailbox => ShareAsync(context, mailbox, wanted)))) { Takes = typeof(Share), Gives = typeof(RightsView[]) },
    ];

    static string Query(HttpContext context, string name) => context.Request.Query[name].ToString();

    static async Task ListAsync(HttpContext context)
    {
        var owner = Owner(context, Permissions.MailboxesRead, Query(context, "owner"));
        if (!owner.Ok) await context.RefuseAsync(owner.Refusal);
        else await ListAsync(context, owner.Value);
    }

    static async Task ListAsync(HttpContext context, long owner)
    {
        using var reader = context.Room<MailStore>().Read();
        await context.JsonAsync(reader.Mailboxes(owner).Select(mailbox => Show(context, mailbox)).ToList());
    }

    static async Task KeepAsync(HttpContext context, Mailbox mailbox, string keep)
    {
        int? days = null;
        if (keep is "forever") days = 0;
        else if (keep is not "default")
        {
            if (!keep.EndsWith('d') || !int.TryParse(keep.AsSpan(0, keep.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number is < 1 or > Retention.MostDays)
            {
                await context.RefuseAsync(Refusal.Invalid.Because($"A mailbox keeps its messages forever, for a number of days as in 30d (at most {Retention.MostDays}), or as the server says: default").At("keep"));
                return;
            }
            days = number;
        }
        await context.Room<MailStore>().SetKeepDaysAsync(mailbox.Id, days, context.RequestAborted);
        await context.JsonAsync(Show(context, mailbox with { KeepDays = days }));
    }

    static async Task AddAsync(HttpContext context, NewMailbox wanted)
    {
        var owner = Owner(context, Permissions.MailboxesWrite, wanted.Owner);
        if (owner.Ok) await context.ResultAsync(await context.Room<MailStore>().CreateAsync(owner.Value, wanted.Name, null, context.RequestAborted), mailbox => Show(context, mailbox), 201);
        else await context.RefuseAsync(owner.Refusal);
    }

    static MailboxView Show(HttpContext context, Mailbox mailbox) => new(mailbox.Name, mailbox.SpecialUse, mailbox.Messages, mailbox.Unseen, mailbox.Bytes, mailbox.IsShared,
        mailbox.KeepDays switch { null => "default", 0 => "forever", { } days => string.Create(CultureInfo.InvariantCulture, $"{days}d") }, context.Room<Retention>().Of(mailbox));

    /// <summary>An account by its address, or the public folders of a domain by its name.</summary>
    static Result<long> Owner(HttpContext context, Permission permission, string name)
    {
        var directory = context.Room<UserDirectory>();
        if (name.Contains('@'))
            return MailAddress.TryParse(name, out var address) && directory.FindAccount(address) is { } account
                ? context.Forbids(permission, account) is { } refusal ? refusal : account.Id : Refusal.NoSuchUser.Because($"There is no account {name}");
        return directory.FindDomain(name) is { } domain ? context.Forbids(permission, domain) is { } forbidden ? forbidden : -domain.Id : Refusal.NoSuchDomain.Because($"There is no domain {name}; the owner is an address, or a domain for its public folders");
    }

    static async Task WithAsync(HttpContext context, Permission permission, string owner, string name, Func<Mailbox, Task> use)
    {
        var id = Owner(context, permission, owner);
        if (!id.Ok) await context.RefuseAsync(id.Refusal);
        else await WithAsync(context, id.Value, owner, name, use);
    }

    static async Task WithAsync(HttpContext context, long id, string owner, string name, Func<Mailbox, Task> use)
    {
        Mailbox? mailbox;
        using (var reader = context.Room<MailStore>().Read()) mailbox = reader.Find(id, name);
        if (mailbox is null) await context.RefuseAsync(Refusal.NoSuchMailbox.Because($"{owner} has no mailbox {name}"));
        else await use(mailbox);
    }

    static MailboxAccess Access(HttpContext context) => new(context.Room<UserDirectory>(), "", "");

    static async Task RightsAsync(HttpContext context, Mailbox mailbox)
    {
        using var reader = context.Room<MailStore>().Read();
        await context.JsonAsync(Access(context).List(reader, mailbox).Select(entry => new RightsView(entry.Identifier, RightsText.Show(entry.Rights))).ToList());
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
        else await RightsAsync(context, mailbox);
    }
}
