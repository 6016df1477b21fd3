using CbaMail.Authorization;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/status</summary>
static class StatusApi
{
    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/status", Permissions.StatusRead, About.Asked, "Health of every part, queue, disk and certificates", async context => await context.JsonAsync(await context.Room<Health>().LookAsync(context.RequestAborted))) { Gives = typeof(HealthReport) },
    ];
}
