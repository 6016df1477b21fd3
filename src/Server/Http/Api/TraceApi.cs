using System.Globalization;
using CbaMail.Authorization;
using CbaMail.Delivery;
using CbaMail.Envelope;
using CbaMail.Queue;

namespace CbaMail.Http.Api;

/// <summary>GET /api/v1/messages/trace?text=&amp;message-id=&amp;from=&amp;to=&amp;queue=&amp;since=&amp;until=&amp;limit=: where mail is and what became of it.</summary>
static class TraceApi
{
    const int MostFound = 1000;

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/messages/trace", Permissions.TraceRead, About.Server, "Where mail is and what became of it", FindAsync) { Query = ["text", "message-id", "from", "to", "queue", "since", "until", "limit"], Gives = typeof(TraceMessage[]) },
        new("GET", "/messages/summary", Permissions.TraceRead, About.Server, "What came, went and was refused", SummaryAsync) { Query = ["since", "until"], Gives = typeof(MailSummary) },
    ];

    /// <summary>GET /api/v1/messages/summary?since=&amp;until=: what came, went and was refused; of the last 24 hours where nothing else is said.</summary>
    static async Task SummaryAsync(HttpContext context)
    {
        var now = context.Room<MailQueue>().Time.GetUtcNow();
        var (since, until) = (now.AddHours(-24), now);
        if ((context.Request.Query["since"] is [{ Length: > 0 } begin] && !QueueFilter.TryTime(begin, now, out since)) || (context.Request.Query["until"] is [{ Length: > 0 } end] && !QueueFilter.TryTime(end, now, out until, isEnd: true)))
            await context.RefuseAsync(Refusal.Invalid.Because("since and until are ages such as 2h, or times such as 2026-03-02T09:00Z"));
        else await context.JsonAsync(await context.Room<TrailSummary>().MakeAsync(since, until, context.RequestAborted));
    }

    static async Task FindAsync(HttpContext context)
    {
        string? Field(string name) => context.Request.Query[name] is [{ Length: > 0 and <= 500 } value] ? value : null;
        var now = context.Room<MailQueue>().Time.GetUtcNow();
        DateTimeOffset since = default, until = default;
        if ((Field("since") is { } begin && !QueueFilter.TryTime(begin, now, out since)) || (Field("until") is { } end && !QueueFilter.TryTime(end, now, out until, isEnd: true)))
        {
            await context.RefuseAsync(Refusal.Invalid.Because("since and until are ages such as 2h, or times such as 2026-03-02T09:00Z"));
            return;
        }
        long queue = 0, limit = 50;
        if ((Field("queue") is { } id && !long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out queue)) || (Field("limit") is { } most && !long.TryParse(most, NumberStyles.None, CultureInfo.InvariantCulture, out limit)))
        {
            await context.RefuseAsync(Refusal.Invalid.Because("queue and limit are numbers"));
            return;
        }
        var question = new TraceQuestion(
            Field("message-id")?.Trim('<', '>', ' '), Field("from"), Field("to"), Field("queue") is null ? null : queue,
            Field("since") is null ? null : since, Field("until") is null ? null : until, Field("text"));
        await context.JsonAsync(await context.Room<MessageTrace>().FindAsync(question, (int)Math.Clamp(limit, 1, MostFound), context.RequestAborted));
    }
}
