using System.Globalization;
using System.Text.Json;

namespace CbaMail.Cli;

/// <summary><c>mailing schedule | coming</c>.</summary>
static class ScheduleVerbs
{
    const string Forms = """
        now; at 2027-09-01 08:00; day 3 at 08:00, school days; 2 days before end at 08:00; 24h before each session;
        1 day before each session at 18:00; every monday, friday at 08:00; 3 days after enrolment at 08:00.
        Each may go on with: , school days, own zone, catch up, if missed send|skip|ask, if [not] opened|clicked|replied mailing N.
        "none" takes the schedule away. Moving the run, its sessions or holidays moves all that is not sent.
        """;

    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("mailing schedule", "ID [SCHEDULE]", "have a mailing go out by itself; without a schedule: show the one it has", [
            new("--run", "RUN", "whose dates count (default: the run that every course has)"),
            new("--dry-run", null, "say when it would go out, and change nothing"),
            new("--missed", "send|skip", "say what becomes of what was missed, where the schedule asks"),
            .. Verb.Client,
        ], ScheduleAsync, Forms),
        new("mailing coming", "[COURSE]", "what mailings wait for, the soonest first", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.GetAsync(invocation.Arguments.Count > 0 ? "mailings/coming?course=" + Uri.EscapeDataString(invocation.Arguments[0]) : "mailings/coming"), ["ID", "NEXT", "PEOPLE", "COURSE", "SCHEDULE"],
                one => [one.Text("mailing"), one.Text("next") is { Length: > 0 } next ? next : one.Text("asked") is { Length: > 0 } ? "asks" : "", one.Text("people"), one.Text("course"), one.Text("schedule")])),
    ];

    static async Task<int> ScheduleAsync(Invocation invocation)
    {
        var path = $"mailings/{MailingVerbs.Id(invocation)}/schedule";
        if (invocation.Value("--missed") is { } missed) return invocation.Print(await invocation.Server.PostAsync(path + "/missed", new JsonBody().Add("missed", missed)), Text);
        if (invocation.Arguments.Count < 2) return invocation.Print(await invocation.Server.GetAsync(path), Text);
        var dry = invocation.Has("--dry-run") ? "?dry-run=true" : "";
        if (invocation.Arguments[1].Trim().Equals("none", StringComparison.OrdinalIgnoreCase))
            return invocation.Print(await invocation.Server.DeleteAsync(path + dry), _ => $"Mailing {invocation.Arguments[0]} has no schedule any more; send it with: cbamail mailing send {invocation.Arguments[0]}");
        return invocation.Print(await invocation.Server.PutAsync(path + dry, new JsonBody().Add("schedule", invocation.Arguments[1]).Add("run", invocation.Value("--run"))), view =>
            (dry.Length > 0 ? "Not done, only tried:\n" : "") + Text(view));
    }

    static string Text(JsonElement view)
    {
        var lines = new List<string>
        {
            string.Create(CultureInfo.InvariantCulture, $"Mailing {view.Text("mailing")} ({view.Text("state")}): {view.Text("schedule")}"),
            string.Create(CultureInfo.InvariantCulture, $"Run {view.Text("run")}, {view.Text("zone")}{(view.True("ownZone") ? ", each reader by his own clock" : "")}; {view.Text("people")} people as things are now."),
        };
        if (view.Text("problem") is { Length: > 0 } problem) lines.Add("It could not go out: " + problem);
        if (view.Text("asked") is { Length: > 0 }) lines.Add($"Its time was missed: cbamail mailing schedule {view.Text("mailing")} --missed send, or skip");
        foreach (var one in view.Items("occasions"))
            lines.Add($"{one.Text("at")}  {one.Text("state")}{(one.Text("session") is { Length: > 0 } session ? $"  session {session}" : "")}{(view.True("repeats") && one.Text("mailing") is { Length: > 0 } mailing ? $"  mailing {mailing}" : "")}");
        return string.Join('\n', lines);
    }
}
