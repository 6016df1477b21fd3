using System.Globalization;
using System.Text.Json;

namespace CbaMail.Cli;

/// <summary><c>programme …</c>, <c>run …</c>, <c>session …</c>: what courses are part of, and when they are given.</summary>
static class RunVerbs
{
    static readonly Option[] RunFields =
    [
        new("--starts", "DATE", "first day, as in 2027-02-01"), new("--ends", "DATE", "last day"), new("--zone", "ZONE", "as in Europe/Moscow (default: the server's)"),
        new("--holidays", "DATES", "days or ranges, as in \"2027-02-23 2027-05-01..2027-05-09\""), .. Verb.Client,
    ];

    static readonly Option[] SessionFields =
    [
        new("--starts", "TIME", "as in 2027-02-01T10:00, in the run's zone"), new("--ends", "TIME", "an hour later unless set"), new("--place", "TEXT", "where"),
        new("--run", "RUN", "of which run (default: that of every course)"), .. Verb.Client,
    ];

    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("programme add", "NAME", "add a programme: courses that belong together; prints its id", [new("--domain", "DOMAIN", "whose courses"), .. Verb.Client], async invocation =>
            invocation.Print(await invocation.Server.PostAsync("programmes", new JsonBody().Add("name", invocation.Arguments[0])
                .Add("domain", invocation.Value("--domain") ?? throw new Refused("a programme needs a domain: --domain DOMAIN", 2))), one => one.Text("id"))),
        new("programme list", "", "list the programmes", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.GetAsync("programmes"), ["ID", "DOMAIN", "NAME"], one => [one.Text("id"), one.Text("domain"), one.Text("name")])),
        new("programme set", "PROGRAMME", "rename a programme", [new("--name", "TEXT", "its new name"), .. Verb.Client], async invocation =>
            invocation.Print(await invocation.Server.PatchAsync("programmes/" + Part(invocation, 0), new JsonBody().Add("name", invocation.Value("--name"))), one => $"The programme {one.Text("id")} is changed.")),
        new("programme remove", "PROGRAMME", "remove a programme; its courses stay", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.DeleteAsync("programmes/" + Part(invocation, 0)), _ => $"The programme {invocation.Arguments[0]} is removed.")),

        new("run add", "COURSE NAME", "add a run to a course; prints its id", RunFields, async invocation =>
            invocation.Print(await invocation.Server.PostAsync(CourseVerbs.Course(invocation) + "/runs", Body(invocation).Add("name", invocation.Arguments[1])), one => one.Text("id"))),
        new("run list", "COURSE", "list the runs of a course", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.GetAsync(CourseVerbs.Course(invocation) + "/runs"), ["ID", "PEOPLE", "STARTS", "ENDS", "ZONE", "NAME"],
                one => [one.Text("id"), one.Text("people"), one.Text("starts"), one.Text("ends"), one.Text("zone"), one.Text("name")])),
        new("run show", "COURSE RUN", "show a run with its sessions and groups", Verb.Client, ShowAsync),
        new("run set", "COURSE RUN", "change a run; \"\" takes a date away", [new("--name", "TEXT", "its new name"), .. RunFields], async invocation =>
            invocation.Print(await invocation.Server.PatchAsync(Run(invocation), Body(invocation).Add("name", invocation.Value("--name"))), Details)),
        new("run remove", "COURSE RUN", "remove a run with the people in it", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.DeleteAsync(Run(invocation)), _ => $"The run {invocation.Arguments[1]} is removed.")),

        new("run times", "COURSE RUN SCHEDULE", "show when a schedule is due in a run, as in \"day 3 at 08:00, school days\" or \"24h before each session\"", Verb.Client, async invocation =>
            invocation.Print((await invocation.Server.GetAsync($"{Run(invocation)}/occasions?schedule={Part(invocation, 2)}")).GetProperty("occasions"), ["AT", "SESSION"], one => [one.Text("at"), one.Text("session")])),

        new("session add", "COURSE TITLE", "add a session to a run; prints its id", SessionFields, async invocation =>
            invocation.Print(await invocation.Server.PostAsync(Sessions(invocation), Session(invocation).Add("title", invocation.Arguments[1])), one => one.Text("id"))),
        new("session list", "COURSE", "list the sessions of a run", [new("--run", "RUN", "of which run (default: that of every course)"), .. Verb.Client], async invocation =>
            invocation.Print(await invocation.Server.GetAsync(Sessions(invocation)), ["ID", "STARTS", "ENDS", "PLACE", "TITLE"], SessionCells)),
        new("session set", "COURSE ID", "change a session", [new("--title", "TEXT", "its new title"), new("--cancelled", "YES", "yes: it does not take place"), .. SessionFields], async invocation =>
            invocation.Print(await invocation.Server.PatchAsync($"{Sessions(invocation)}/{Part(invocation, 1)}", Session(invocation).Add("title", invocation.Value("--title"))
                .Add("cancelled", invocation.Value("--cancelled") switch { null => (bool?)null, "yes" => true, "no" => false, var other => throw new Refused($"\"{other}\" is neither yes nor no", 2) })),
                one => $"The session {one.Text("id")} is changed: {string.Join("  ", SessionCells(one)[1..])}")),
        new("session remove", "COURSE ID", "remove a session, as though it had never been", [new("--run", "RUN", "of which run (default: that of every course)"), .. Verb.Client], async invocation =>
            invocation.Print(await invocation.Server.DeleteAsync($"{Sessions(invocation)}/{Part(invocation, 1)}"), _ => $"The session {invocation.Arguments[1]} is removed.")),
    ];

    static string Part(Invocation invocation, int place) => Uri.EscapeDataString(invocation.Arguments[place]);

    static string Run(Invocation invocation) => $"{CourseVerbs.Course(invocation)}/runs/{Part(invocation, 1)}";

    internal static string RunOf(Invocation invocation) => $"{CourseVerbs.Course(invocation)}/runs/{Uri.EscapeDataString(invocation.Value("--run") ?? "default")}";

    static string Sessions(Invocation invocation) => RunOf(invocation) + "/sessions";

    static JsonBody Body(Invocation invocation)
    {
        var body = new JsonBody().Add("starts", invocation.Value("--starts")).Add("ends", invocation.Value("--ends")).Add("zone", invocation.Value("--zone"));
        return invocation.Value("--holidays") is { } holidays ? body.Add("holidays", holidays.Split([' ', ',', ';'], StringSplitOptions.RemoveEmptyEntries)) : body;
    }

    static JsonBody Session(Invocation invocation) => new JsonBody().Add("starts", invocation.Value("--starts")).Add("ends", invocation.Value("--ends")).Add("place", invocation.Value("--place"));

    static string[] SessionCells(JsonElement one) => [one.Text("id"), one.Minute("starts"), one.Minute("ends"), one.Text("place"), one.Text("title") + (one.True("cancelled") ? " (cancelled)" : "")];

    static string Details(JsonElement run) => string.Create(CultureInfo.InvariantCulture,
        $"Id        {run.Text("id")}\nName      {run.Text("name")}\nStarts    {run.Text("starts")}\nEnds      {run.Text("ends")}\nZone      {run.Text("zone")}\nHolidays  {string.Join(", ", run.Items("holidays").Select(day => day.GetString()))}\nPeople    {run.Text("people")}");

    static async Task<int> ShowAsync(Invocation invocation)
    {
        var run = await invocation.Server.GetAsync(Run(invocation));
        if (invocation.Json) return invocation.Print(run, Details);
        invocation.Print(run, Details);
        var sessions = await invocation.Server.GetAsync(Run(invocation) + "/sessions");
        foreach (var one in sessions.EnumerateArray()) invocation.Print($"Session   {string.Join("  ", SessionCells(one))}");
        foreach (var one in (await invocation.Server.GetAsync(Run(invocation) + "/groups")).EnumerateArray()) invocation.Print($"Group     {one.Text("name")} ({one.Text("people")})");
        return 0;
    }
}
