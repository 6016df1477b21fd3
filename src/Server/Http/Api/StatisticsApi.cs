using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailboxes;
using CbaMail.Queue;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/statistics: what came and went, step by step, and what the domains hold.</summary>
static class StatisticsApi
{
    /// <param name="Bytes">In the mailboxes of its accounts.</param>
    sealed record DomainUse(string Domain, int Accounts, long Messages, long Bytes);

    /// <param name="Step">Seconds.</param>
    sealed record StatisticsView(DateTimeOffset Since, DateTimeOffset Until, long Step, IReadOnlyList<MailStep> Steps, IReadOnlyList<DomainUse> Domains);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/statistics", Permissions.StatisticsRead, About.Asked, "What came, went and was refused, step by step, and what domains hold; the last day by hours where nothing else is said", ShowAsync) { Query = ["domain", "since", "until", "step"], Gives = typeof(StatisticsView) },
    ];

    static async Task ShowAsync(HttpContext context)
    {
        if (await context.DomainOfQueryAsync(Permissions.StatisticsRead) is not (true, var domain)) return;
        if (domain is null && !context.Caller().MayEverywhere(Permissions.StatisticsRead)) { await context.RefuseAsync(Refusal.Invalid.Because("Name one of your domains: ?domain=").At("domain")); return; }
        var now = context.Room<MailQueue>().Time.GetUtcNow();
        var (since, until, step) = (now.AddDays(-1), now, TimeSpan.FromHours(1));
        if ((context.Asked("since") is { } begin && !QueueFilter.TryTime(begin, now, out since)) || (context.Asked("until") is { } end && !QueueFilter.TryTime(end, now, out until, isEnd: true)))
        {
            await context.RefuseAsync(Refusal.Invalid.Because("since and until are ages such as 2h, or times such as 2026-03-02T09:00Z").At("since"));
            return;
        }
        if ((context.Asked("step") is { } text && !Times.TryParse(text, out step)) || step < TimeSpan.FromMinutes(1) || (until - since) / step > TrailSeries.MostSteps)
        {
            await context.RefuseAsync(Refusal.Invalid.Because($"step is a time of a minute at least, such as 1h or 1d, and there are at most {TrailSeries.MostSteps} steps").At("step"));
            return;
        }
        var steps = await context.Room<TrailSeries>().MakeAsync(since, until, step, domain?.Name, context.RequestAborted);
        var directory = context.Room<UserDirectory>();
        using var read = context.Room<MailStore>().Read();
        var uses = (domain is null ? directory.ListDomains() : [domain]).Select(one =>
        {
            var (accounts, messages, bytes) = (0, 0L, 0L);
            foreach (var account in directory.ListAccounts(one))
            {
                var use = read.Usage(account.Id);
                (accounts, messages, bytes) = (accounts + 1, messages + use.Messages, bytes + use.Bytes);
            }
            return new DomainUse(one.Name, accounts, messages, bytes);
        }).ToList();
        await context.JsonAsync(new StatisticsView(since, until, (long)step.TotalSeconds, steps, uses));
    }
}
