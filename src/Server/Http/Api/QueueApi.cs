using System.Globalization;
using CbaMail.Authorization;
using CbaMail.Envelope;
using CbaMail.Queue;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/queue: what waits to leave, by id or by any field (the query's parameters are those of <see cref="QueueFilter.Fields"/>).</summary>
static class QueueApi
{
    const int MostListed = 5000;

    sealed record SummaryView(bool Held, long Messages, long Recipients, long Deferred, long HeldRecipients, long Active, IReadOnlyList<QueueDomain> Domains);

    /// <param name="Done">False where it was only counted.</param>
    sealed record Applied(long Messages, long Recipients, bool Done);
    sealed record HeldView(bool Held);
    sealed record RecipientCount(int Recipients);
    sealed record RuleView(long Id, string Action, string Filter, string Note, long Hits, DateTimeOffset Created);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/queue", Permissions.QueueRead, About.Server, "What waits to leave, by any field", ListAsync) { Query = [.. QueueFilter.Fields, "after", "limit"], Gives = typeof(QueueEntry[]) },
        new("GET", "/queue/destinations", Permissions.QueueRead, About.Server, "How fast mail goes where", context => context.JsonAsync(context.Room<MailQueue>().Destinations())) { Gives = typeof(QueueDestination[]) },
        new("GET", "/queue/summary", Permissions.QueueRead, About.Server, "How much waits, and whether all is held", SummaryAsync) { Gives = typeof(SummaryView) },
        new("GET", "/queue/{id:long}", Permissions.QueueRead, About.Server, "One message with its recipients and attempts", context => context.ResultAsync(context.Room<MailQueue>().Show(Id(context)), entry => entry)) { Gives = typeof(QueueEntry) },
        new("POST", "/queue/apply", Permissions.QueueWrite, About.Server, "Hold, release, retry or drop all that fits; dry=true only counts", ApplyAsync) { Query = [.. QueueFilter.Fields, "deed", "at", "dry"], Gives = typeof(Applied) },
        new("POST", "/queue/retry", Permissions.QueueWrite, About.Server, "Try everything again", context => RetryAsync(context, null)) { Query = ["at"], Gives = typeof(RecipientCount) },
        new("POST", "/queue/hold", Permissions.QueueWrite, About.Server, "Hold everything", context => HoldAllAsync(context, true)) { Gives = typeof(HeldView) },
        new("POST", "/queue/release", Permissions.QueueWrite, About.Server, "Let everything go on", context => HoldAllAsync(context, false)) { Gives = typeof(HeldView) },
        new("POST", "/queue/{id:long}/retry", Permissions.QueueWrite, About.Server, "Try one message again", context => RetryAsync(context, Id(context))) { Query = ["at"], Gives = typeof(RecipientCount) },
        new("POST", "/queue/{id:long}/hold", Permissions.QueueWrite, About.Server, "Hold one message", context => DeedAsync(context, context.Room<MailQueue>().HoldAsync(Id(context), context.RequestAborted))) { Gives = typeof(RecipientCount) },
        new("POST", "/queue/{id:long}/release", Permissions.QueueWrite, About.Server, "Let one message go on", context => DeedAsync(context, context.Room<MailQueue>().ReleaseAsync(Id(context), context.RequestAborted))) { Gives = typeof(RecipientCount) },
        new("DELETE", "/queue/{id:long}", Permissions.QueueWrite, About.Server, "Drop one message", context => DeedAsync(context, context.Room<MailQueue>().DropAsync(Id(context), context.RequestAborted))) { Gives = typeof(RecipientCount) },
        new("GET", "/queue-rules", Permissions.QueueRead, About.Server, "What is held when it is queued", context => context.JsonAsync(context.Room<MailQueue>().Rules.List().Select(Show))) { Gives = typeof(RuleView[]) },
        new("POST", "/queue-rules", Permissions.QueueWrite, About.Server, "Hold what fits from now on", AddRuleAsync) { Query = [.. QueueFilter.Fields, "note"], Gives = typeof(RuleView) },
        new("DELETE", "/queue-rules/{id:long}", Permissions.QueueWrite, About.Server, "End a rule", RemoveRuleAsync) { Gives = typeof(NumberDone) },
    ];

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
        return context.JsonAsync(new SummaryView(queue.IsHeld, counts.Messages, counts.Recipients, counts.Deferred, counts.Held, counts.Active, queue.Domains()));
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
        await context.JsonAsync(new Applied(report.Messages, report.Recipients, !dry));
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
        await context.JsonAsync(new HeldView(held));
    }

    static long Id(HttpContext context) => long.Parse(context.Part("id"), CultureInfo.InvariantCulture);

    static async Task DeedAsync(HttpContext context, ValueTask<Result<int>> deed) =>
        await context.ResultAsync(await deed, count => new RecipientCount(count));

    // ---- rules

    static RuleView Show(QueueRule rule) => new(rule.Id, "hold", rule.Filter.ToString(), rule.Note, rule.Hits, rule.Created);

    static async Task AddRuleAsync(HttpContext context)
    {
        var filter = Filter(context);
        if (!filter.Ok) { await context.RefuseAsync(filter.Refusal); return; }
        await context.ResultAsync(await context.Room<MailQueue>().Rules.AddAsync(filter.Value, context.Request.Query["note"].ToString(), context.RequestAborted), Show, 201);
    }

    static async Task RemoveRuleAsync(HttpContext context)
    {
        if (await context.Room<MailQueue>().Rules.RemoveAsync(Id(context), context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(new NumberDone(Id(context)));
    }
}
