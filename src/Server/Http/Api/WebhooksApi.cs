using System.Globalization;
using System.Text.Json.Serialization;
using CbaMail.Authorization;
using CbaMail.Envelope;
using CbaMail.Webhooks;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/webhooks: addresses of the web that events are told to.</summary>
static class WebhooksApi
{
    const int MostOfLog = 1000;

    sealed record NewWebhook(string Url, IReadOnlyList<string> Events, string? Description = null, bool? Enabled = null);

    /// <param name="Failing">Since when nothing gets through.</param>
    /// <param name="Problem">Why it was switched off by itself.</param>
    /// <param name="Secret">What events are signed with, this once.</param>
    sealed record WebhookView(long Id, string Url, IReadOnlyList<string> Events, string Description, bool Enabled, DateTimeOffset Created, DateTimeOffset? Failing, string Problem, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Secret = null);

    /// <param name="EventId">As the header Webhook-Id of the event says it.</param>
    sealed record Told(string EventId);

    sealed record NewSecret(long Id, string Secret);

    sealed record EventView(string Event);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/webhooks", Permissions.WebhooksRead, About.Server, "Webhooks", context => context.ListAsync(context.Room<WebhookBook>().List(), hook => Key(hook.Id), hook => Show(hook))) { Gives = typeof(WebhookView), IsList = true },
        new("POST", "/webhooks", Permissions.WebhooksWrite, About.Server, "Make a webhook; the answer shows its secret, this once", Requests.With<NewWebhook>(AddAsync)) { Takes = typeof(NewWebhook), Gives = typeof(WebhookView) },
        new("GET", "/webhooks/{id:long}", Permissions.WebhooksRead, About.Server, "One webhook", context => context.ResultAsync(context.Room<WebhookBook>().Find(Id(context)), hook => Show(hook))) { Gives = typeof(WebhookView) },
        new("PATCH", "/webhooks/{id:long}", Permissions.WebhooksWrite, About.Server, "Change a webhook", Requests.With<WebhookChange>(async (context, change) =>
            await context.ResultAsync(await context.Room<WebhookBook>().ChangeAsync(Id(context), change, Events, context.RequestAborted), hook => Show(hook)))) { Takes = typeof(WebhookChange), Gives = typeof(WebhookView) },
        new("DELETE", "/webhooks/{id:long}", Permissions.WebhooksWrite, About.Server, "Remove a webhook; what waits for it is not told", RemoveAsync) { Gives = typeof(NumberDone) },
        new("POST", "/webhooks/{id:long}/test", Permissions.WebhooksWrite, About.Server, "Send it the event \"test\"", async context =>
            await context.ResultAsync(await context.Room<WebhookBook>().TestAsync(Id(context), context.RequestAborted), name => new Told(name), 202)) { Gives = typeof(Told) },
        new("POST", "/webhooks/{id:long}/secret", Permissions.WebhooksWrite, About.Server, "Give it a new secret; the answer shows it, this once", async context =>
            await context.ResultAsync(await context.Room<WebhookBook>().RenewSecretAsync(Id(context), context.RequestAborted), secret => new NewSecret(Id(context), secret))) { Gives = typeof(NewSecret) },
        new("GET", "/webhooks/{id:long}/deliveries", Permissions.WebhooksRead, About.Server, "The last events that it was told, each with its attempts, newest first", DeliveriesAsync) { Gives = typeof(WebhookDelivery), IsList = true },
        new("GET", "/webhook-events", Permissions.WebhooksRead, About.Server, "The names of events", context => context.ListAsync(Events, name => name, name => new EventView(name))) { Gives = typeof(EventView), IsList = true },
    ];

    static readonly Lazy<IReadOnlyList<string>> events = new(() =>
        [.. ApiRoutes.All.Where(route => !route.OnlyReads).Select(route => WebhookEvents.NameOf(route.Name)).Concat(WebhookEvents.OfMail).Distinct().Order(StringComparer.Ordinal)]);

    static IReadOnlyList<string> Events => events.Value;

    static long Id(HttpContext context) => long.TryParse(context.Part("id"), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0;

    static string Key(long id) => id.ToString("D19", CultureInfo.InvariantCulture);

    static WebhookView Show(Webhook hook, string? secret = null) => new(hook.Id, hook.Url, hook.Events, hook.Description, hook.Enabled, hook.Created, hook.Failing, hook.Problem, secret);

    static async Task AddAsync(HttpContext context, NewWebhook wanted)
    {
        if (wanted.Url is null || wanted.Events is null) { await context.RefuseAsync(Refusal.Invalid.Because("A webhook needs a url and events")); return; }
        var made = await context.Room<WebhookBook>().AddAsync(wanted.Url, wanted.Events, wanted.Description ?? "", wanted.Enabled ?? true, Events, context.RequestAborted);
        await context.ResultAsync(made, one => Show(one.Webhook, one.Secret), 201);
    }

    static async Task RemoveAsync(HttpContext context)
    {
        if (await context.Room<WebhookBook>().RemoveAsync(Id(context), context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(new NumberDone(Id(context)));
    }

    static Task DeliveriesAsync(HttpContext context)
    {
        var book = context.Room<WebhookBook>();
        var found = book.Find(Id(context));
        if (!found.Ok) return context.RefuseAsync(found.Refusal);
        return context.ListAsync(book.Deliveries(found.Value!.Id, MostOfLog), one => Key(long.MaxValue - one.Id), one => one);
    }
}
