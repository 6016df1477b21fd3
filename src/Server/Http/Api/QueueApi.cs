using System.Globalization;
using CbaMail.Envelope;
using CbaMail.Queue;

namespace CbaMail.Http.Api;

/// <summary>/v1/queue: what waits to leave, by id or by any field (the query's parameters are those of <see cref="QueueFilter.Fields"/>).</summary>
static class QueueApi
{
    const int MostListed = 5000;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/queue", ListAsync);
        routes.MapGet("/v1/queue/destinations", context => context.JsonAsync(context.Room<MailQueue>().Destinations()));
        routes.MapGet("/v1/queue/summary", SummaryAsync);
        routes.MapGet("/v1/queue/{id:long}", context => context.ResultAsync(context.Room<MailQueue>().Show(Id(context)), entry => entry));
        routes.MapPost("/v1/queue/apply", ApplyAsync);
        routes.MapPost("/v1/queue/retry", context => RetryAsync(context, null));
        routes.MapPost("/v1/queue/hold", context => HoldAllAsync(context, true));
        routes.MapPost("/v1/queue/release", context => HoldAllAsync(context, false));
        routes.MapPost("/v1/queue/{id:long}/retry", context => RetryAsync(context, Id(context)));
        routes.MapPost("/v1/queue/{id:long}/hold", context => DeedAsync(context, context.Room<MailQueue>().HoldAsync(Id(context), context.RequestAborted)));
        routes.MapPost("/v1/queue/{id:long}/release", context => DeedAsync(context, context.Room<MailQueue>().ReleaseAsync(Id(context), context.RequestAborted)));
        routes.MapDelete("/v1/queue/{id:long}", context => DeedAsync(context, context.Room<MailQueue>().DropAsync(Id(context), context.RequestAborted)));
        routes.MapGet("/v1/queue-rules", context => context.JsonAsync(context.Room<MailQueue>().Rules.List().Select(Show)));
        routes.MapPost("/v1/queue-rules", AddRuleAsync);
        routes.MapDelete("/v1/queue-rules/{id:long}", RemoveRuleAsync);
    }

    static Result<QueueFilter> Filter(HttpContext context) =>
        QueueFilter.Parse(name => context.Request.Query[name] is [{ } value] ? value : null, context.Room<MailQueue>().Time.GetUtcNow());

    static async Task ListAsync(HttpContext context)
    {
        var filter = Filter(context);
        if (!filter.Ok) { await context.RefuseAsync(filter.Refusal); return; }
        if (Number(context, "limit", 1000) is not { } limit || Number(context, "after", 0) is not { } after)
        {
            await context.RefuseAsync(Refusal.Invalid.Because("limit and after are numbers"));
            return;
        }
        await context.JsonAsync(context.Room<MailQueue>().Find(filter.Value, after, (int)Math.Clamp(limit, 1, MostListed)));
    }

    static Task SummaryAsync(HttpContext context)
    {
        var queue = context.Room<MailQueue>();
        var counts = queue.Counts();
        return context.JsonAsync(new { held = queue.IsHeld, messages = counts.Messages, recipients = counts.Recipients, deferred = counts.Deferred, heldRecipients = counts.Held, active = counts.Active, domains = queue.Domains() });
    }

    static long? Number(HttpContext context, string name, long otherwise) =>
        context.Request.Query[name] is not [{ } text] ? otherwise : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>Does something to all that fits; with dry=true it only counts.</summary>
    static async Task ApplyAsync(HttpContext context)
    {
        var filter = Filter(context);
        if (!filter.Ok) { await context.RefuseAsync(filter.Refusal); return; }
        if (!Enum.TryParse<QueueDeed>(context.Request.Query["deed"], ignoreCase: true, out var deed) || !Enum.IsDefined(deed))
        {
            await context.RefuseAsync(Refusal.Invalid.Because("deed is one of hold, release, retry, drop"));
            return;
        }
        if (filter.Value.IsEmpty)
        {
            await context.RefuseAsync(Refusal.Invalid.Because("Name at least one field to go by, such as from or domain"));
            return;
        }
        if (!TryAt(context, out var at)) { await context.RefuseAsync(BadTime); return; }
        var dry = context.Request.Query["dry"] == "true";
        var report = await context.Room<MailQueue>().ApplyAsync(deed, filter.Value, at, dry, context.RequestAborted);
        await context.JsonAsync(new { messages = report.Messages, recipients = report.Recipients, done = !dry });
    }

    static readonly Refusal BadTime = Refusal.Invalid.Because("at is a time such as 2026-03-02T09:00Z, or a span from now such as 2h");

    /// <summary>A point in time, or a span from now on.</summary>
    static bool TryAt(HttpContext context, out DateTimeOffset? at)
    {
        at = null;
        if (context.Request.Query["at"] is not [{ Length: > 0 } text]) return true;
        var now = context.Room<MailQueue>().Time.GetUtcNow();
        if (!QueueFilter.TryTime(text, now, out var time)) return false;
        at = time <= now && Config.Times.TryParse(text, out var span) ? now + span : time;
        return at < now.AddYears(1);
    }

    static async Task RetryAsync(HttpContext context, long? id)
    {
        if (TryAt(context, out var at)) await DeedAsync(context, context.Room<MailQueue>().RetryAsync(id, context.RequestAborted, at));
        else await context.RefuseAsync(BadTime);
    }

    static async Task HoldAllAsync(HttpContext context, bool held)
    {
        context.Room<MailQueue>().IsHeld = held;
        await context.JsonAsync(new { held });
    }

    static long Id(HttpContext context) => long.Parse(context.Part("id"), CultureInfo.InvariantCulture);

    static async Task DeedAsync(HttpContext context, ValueTask<Result<int>> deed) =>
        await context.ResultAsync(await deed, count => new { recipients = count });

    // ---- rules

    static object Show(QueueRule rule) => new { id = rule.Id, action = "hold", filter = rule.Filter.ToString(), note = rule.Note, hits = rule.Hits, created = rule.Created };

    static async Task AddRuleAsync(HttpContext context)
    {
        var filter = Filter(context);
        if (!filter.Ok) { await context.RefuseAsync(filter.Refusal); return; }
        await context.ResultAsync(await context.Room<MailQueue>().Rules.AddAsync(filter.Value, context.Request.Query["note"].ToString(), context.RequestAborted), Show, 201);
    }

    static async Task RemoveRuleAsync(HttpContext context)
    {
        if (await context.Room<MailQueue>().Rules.RemoveAsync(Id(context), context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(new { id = Id(context) });
    }
}
