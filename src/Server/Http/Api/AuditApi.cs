using System.Globalization;
using System.Text.Json.Nodes;
using CbaMail.Authorization;
using CbaMail.Envelope;
using CbaMail.Queue;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/audit: who changed what.</summary>
static class AuditApi
{
    /// <param name="Digest">Covers this row and, by the one before, all before it.</param>
    sealed record AuditView(long Id, DateTimeOffset At, string Caller, string Address, string Action, string Subject, int Status, JsonNode? Before, JsonNode? After, string Digest);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/audit", Permissions.AuditRead, About.Server, "Changes, newest first", ListAsync) { Query = ["text", "since", "until"], Gives = typeof(AuditView), IsList = true },
        new("GET", "/audit/export", Permissions.AuditRead, About.Server, "All of it, oldest first, a JSON line each", ExportAsync) { Streams = true, Gives = typeof(AuditView) },
        new("GET", "/audit/verify", Permissions.AuditRead, About.Server, "Whether the chain is whole", context => context.JsonAsync(context.Room<AuditLog>().Verify(context.RequestAborted))) { Gives = typeof(AuditProof) },
    ];

    static AuditView Show(AuditRow row) => new(row.Id, row.Entry.At, row.Entry.Caller, row.Entry.Address, row.Entry.Action, row.Entry.Subject, row.Entry.Status, Parsed(row.Entry.Before), Parsed(row.Entry.After), Convert.ToHexString(row.Digest).ToLowerInvariant());

    static JsonNode? Parsed(string? json) => json is null ? null : JsonNode.Parse(json);

    static async Task ListAsync(HttpContext context)
    {
        var log = context.Room<AuditLog>();
        var now = log.Time.GetUtcNow();
        DateTimeOffset since = DateTimeOffset.UnixEpoch, until = now.AddDays(1);
        if ((context.Asked("since") is { } begin && !QueueFilter.TryTime(begin, now, out since)) || (context.Asked("until") is { } end && !QueueFilter.TryTime(end, now, out until, isEnd: true)))
        {
            await context.RefuseAsync(Refusal.Invalid.Because("since and until are ages such as 2h, or times such as 2026-03-02T09:00Z").At("since"));
            return;
        }
        var before = long.MaxValue;
        if (context.Limit() is not { } limit || (context.Asked("cursor") is { } cursor && !long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out before)))
        {
            await context.RefuseAsync(Refusal.Invalid.Because("limit and cursor are numbers").At("limit"));
            return;
        }
        limit = Math.Min(limit, Requests.MostOfPage);
        var rows = log.List(before, limit, context.Asked("text"), since, until);
        await context.JsonAsync(new { items = rows.Select(Show), next = rows.Count == limit ? rows[^1].Id.ToString(CultureInfo.InvariantCulture) : null });
    }

    static async Task ExportAsync(HttpContext context)
    {
        context.StartLines();
        foreach (var row in context.Room<AuditLog>().Read()) await context.LineAsync(Show(row));
    }
}
