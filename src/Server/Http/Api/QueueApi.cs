using System.Globalization;
using CbaMail.Envelope;
using CbaMail.Queue;

namespace CbaMail.Http.Api;

/// <summary>/v1/queue</summary>
static class QueueApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/queue", context => context.JsonAsync(context.Room<MailQueue>().List()));
        routes.MapGet("/v1/queue/{id:long}", context => context.ResultAsync(context.Room<MailQueue>().Show(Id(context)), entry => entry));
        routes.MapPost("/v1/queue/retry", context => DeedAsync(context, context.Room<MailQueue>().RetryAsync(null, context.RequestAborted)));
        routes.MapPost("/v1/queue/hold", context => HoldAllAsync(context, true));
        routes.MapPost("/v1/queue/release", context => HoldAllAsync(context, false));
        routes.MapPost("/v1/queue/{id:long}/retry", context => DeedAsync(context, context.Room<MailQueue>().RetryAsync(Id(context), context.RequestAborted)));
        routes.MapPost("/v1/queue/{id:long}/hold", context => DeedAsync(context, context.Room<MailQueue>().HoldAsync(Id(context), context.RequestAborted)));
        routes.MapPost("/v1/queue/{id:long}/release", context => DeedAsync(context, context.Room<MailQueue>().ReleaseAsync(Id(context), context.RequestAborted)));
        routes.MapDelete("/v1/queue/{id:long}", context => DeedAsync(context, context.Room<MailQueue>().DropAsync(Id(context), context.RequestAborted)));
    }

    static async Task HoldAllAsync(HttpContext context, bool held)
    {
        context.Room<MailQueue>().IsHeld = held;
        await context.JsonAsync(new { held });
    }

    static long Id(HttpContext context) => long.Parse(context.Part("id"), CultureInfo.InvariantCulture);

    static async Task DeedAsync(HttpContext context, ValueTask<Result<int>> deed) =>
        await context.ResultAsync(await deed, count => new { recipients = count });
}
