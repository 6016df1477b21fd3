using System.Globalization;
using System.Text.Json;

namespace CbaMail.Cli;

/// <summary><c>sequence …</c>: mailings that follow each other, person by person.</summary>
static class SequenceVerbs
{
    const string Steps = """
        A step: mailing 13 | mailing 13, after 2h | mailing 13, after 3 days at 08:00, if not opened step 1, else skip|stop|step 4.
        Mailings are drafts of the course; conditions are audiences, in which "step 1" stands for the mailing of an earlier step.
        """;

    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("sequence add", "COURSE NAME", "begin a sequence of mailings; prints its id", [
            new("--step", "STEP", "a step, in the order in which they follow", Many: true),
            new("--to", "AUDIENCE", "who comes in (default: everybody of the run)"),
            new("--run", "RUN", "whose people (default: the run that every course has)"),
            .. Verb.Client,
        ], async invocation => invocation.Print(await invocation.Server.PostAsync(All(invocation), new JsonBody().Add("name", invocation.Arguments[1]).Add("steps", invocation.Values("--step").ToList())
            .Add("to", invocation.Value("--to")).Add("run", invocation.Value("--run"))), one => one.Text("id")), Steps),
        new("sequence list", "COURSE", "list the sequences of a course", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.GetAsync(All(invocation)), ["ID", "STATE", "ACTIVE", "DONE", "NAME"], one => [one.Text("id"), one.Text("state"), one.Text("active"), one.Text("done"), one.Text("name")])),
        new("sequence show", "COURSE ID", "show a sequence with its steps", Verb.Client, async invocation => invocation.Print(await invocation.Server.GetAsync(One(invocation)), Text)),
        new("sequence people", "COURSE ID", "where everybody in a sequence is", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.GetAsync(One(invocation) + "/people"), ["STATE", "STEP", "DUE", "ADDRESS", "NAME"], one => [one.Text("state"), one.Text("step"), one.Time("due"), one.Text("address"), one.Text("name")])),
        new("sequence pause", "COURSE ID", "let a sequence rest", [new("--person", "ADDRESS", "only him"), .. Verb.Client], invocation => DeedAsync(invocation, "pause")),
        new("sequence resume", "COURSE ID", "let it go on", [new("--person", "ADDRESS", "only him"), .. Verb.Client], invocation => DeedAsync(invocation, "resume")),
        new("sequence skip", "COURSE ID", "leave a step out for everybody, or for one person the step that is next", [new("--step", "N", "which step"), new("--person", "ADDRESS", "who"), .. Verb.Client], invocation => DeedAsync(invocation, "skip")),
        new("sequence end", "COURSE ID", "end a sequence for everybody", Verb.Client, async invocation => invocation.Print(await invocation.Server.DeleteAsync(One(invocation)), _ => $"The sequence {invocation.Arguments[1]} has ended.")),
    ];

    static string All(Invocation invocation) => CourseVerbs.Course(invocation) + "/sequences";

    static string One(Invocation invocation) => long.TryParse(invocation.Arguments[1], NumberStyles.None, CultureInfo.InvariantCulture, out var id)
        ? string.Create(CultureInfo.InvariantCulture, $"{All(invocation)}/{id}") : throw new Refused($"\"{invocation.Arguments[1]}\" is no id of a sequence; list them with: cbamail sequence list {invocation.Arguments[0]}");

    static async Task<int> DeedAsync(Invocation invocation, string deed)
    {
        int? step = deed == "skip" && invocation.Value("--step") is { } text ? int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var place) ? place : throw new Refused($"\"{text}\" is no number of a step", 2) : null;
        return invocation.Print(await invocation.Server.PostAsync($"{One(invocation)}/{deed}", new JsonBody().Add("person", invocation.Value("--person")).Add("step", step)), Text);
    }

    static string Text(JsonElement one)
    {
        var lines = new List<string>
        {
            string.Create(CultureInfo.InvariantCulture, $"{one.Text("name")} ({one.Text("state")}), run {one.Text("run")}{(one.Text("to") is { Length: > 0 } to ? ", to " + to : "")}: {one.Number("active")} under way, {one.Number("paused")} paused, {one.Number("done")} done, {one.Number("left")} left."),
        };
        if (one.Text("problem") is { Length: > 0 } problem) lines.Add("Somebody waits: " + problem);
        foreach (var step in one.Items("steps"))
            lines.Add(string.Create(CultureInfo.InvariantCulture, $"{step.Number("step"),3}. {step.Text("text")}{(step.True("skipped") ? " (skipped)" : "")}: {step.Number("waiting")} wait, {step.Number("sent")} sent, {step.Number("leftOut")} left out"));
        return string.Join('\n', lines);
    }
}
