using System.Text.Json;

namespace CbaMail.Cli;

/// <summary><c>roster</c>: people of runs from other systems.</summary>
static class RosterVerbs
{
    static readonly Option[] Fields =
    [
        new("--url", "URL", "moodle: the site; lti: the context_memberships_url"),
        new("--moodle-course", "COURSE", "moodle: number or short name of the course there"),
        new("--directory", "NAME", "ldap: a directory of the settings"),
        new("--group", "DN=ROLE[:GROUP]", "ldap: a group that is followed, what its members are, and a group of the run", Many: true),
        new("--client-id", "ID", "lti: what the platform calls this server"),
        new("--token-url", "URL", "lti: where access tokens are given"),
        new("--audience", "TEXT", "lti: whom the proof is for (default: the address of the tokens)"),
        new("--role", "THERE=HERE", "a role there that means something else than usual here; none: left out", Many: true),
        new("--secret-stdin", null, "moodle: the token is the first line of standard input"),
        new("--interval", "MINUTES", "how often it is read; 0: only when asked (default: 60)"),
        new("--end-missing", "yes|no", "who came by it and is not there any more has left (default: yes)"),
        new("--most-ended", "PERCENT", "do nothing where more of the run would leave (default: 20)"),
        .. Verb.Client,
    ];

    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("roster add", "COURSE ldap|moodle|lti", "let a run follow people of another system; prints the id", [new("--run", "RUN", "which run (default: that of every course)"), .. Fields], async invocation =>
            invocation.Print(await invocation.Server.PostAsync(Path(invocation), new JsonBody().Add("kind", invocation.Arguments[1]).Add("run", invocation.Value("--run")).Add("profile", Profile(invocation)).Add("secret", await SecretAsync(invocation))), one => one.Text("id")),
            "See docs/en/rosters.md. Look first: cbamail roster preview COURSE ID"),
        new("roster list", "COURSE", "list what the runs of a course follow", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.GetAsync(Path(invocation)), ["ID", "RUN", "KIND", "STATE", "READ", "FROM", "PROBLEM"], one =>
                [one.Text("id"), one.Text("run"), one.Text("kind"), one.Text("state"), one.Time("done"), From(one), one.Text("problem")])),
        new("roster set", "COURSE ID", "change a source", Fields, async invocation =>
            invocation.Print(await invocation.Server.PatchAsync(One(invocation), new JsonBody().Add("profile", Profile(invocation)).Add("secret", await SecretAsync(invocation))), one => $"The source {one.Text("id")} is changed.")),
        new("roster preview", "COURSE ID", "read a source, and say what would change", Verb.Client, invocation => SyncAsync(invocation, "?dry-run=true")),
        new("roster sync", "COURSE ID", "read a source now, and take over what differs", [new("--force", null, "even if many leave"), .. Verb.Client], invocation => SyncAsync(invocation, invocation.Has("--force") ? "?force=true" : "")),
        new("roster remove", "COURSE ID", "follow a source no more; whoever came by it stays", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.DeleteAsync(One(invocation)), _ => $"The source {invocation.Arguments[1]} is removed.")),
        new("roster import", "FILE.zip", "take in a OneRoster 1.2 file: courses, classes as runs, people", [
            new("--domain", "DOMAIN", "whose courses they are"), new("--dry-run", null, "say what would change, and change nothing"),
            new("--end-missing", null, "who came by such a file before and is not in this one has left"), new("--most-ended", "PERCENT", "leave a run as it is where more would leave (default: 20)"), .. Verb.Client,
        ], ImportAsync),
    ];

    static async Task<int> ImportAsync(Invocation invocation)
    {
        var domain = invocation.Value("--domain") ?? throw new Refused("say whose courses they are: --domain DOMAIN", 2);
        await using var file = CourseVerbs.Open(invocation.Arguments[0]);
        var query = $"?domain={Uri.EscapeDataString(domain)}{(invocation.Has("--dry-run") ? "&dry-run=true" : "")}{(invocation.Has("--end-missing") ? "&end-missing=true" : "")}{(invocation.Value("--most-ended") is { } most ? "&most-ended=" + Uri.EscapeDataString(most) : "")}";
        var report = await invocation.Server.PostAsync("oneroster" + query, file, "application/zip");
        foreach (var error in report.Items("errors")) await invocation.Error.WriteLineAsync($"line {error.Text("line")}: {error.Text("error")}");
        if (invocation.Json) return invocation.Print(report, _ => "");
        var failed = false;
        foreach (var one in report.Items("classes"))
        {
            var at = one.Text("run").Length > 0 ? $"{one.Text("course")} / {one.Text("run")}" : "a new run";
            invocation.Print($"{one.Text("name")}: {one.Text("deed")}, {at}{(one.Text("problem").Length > 0 ? ": " + one.Text("problem") : "")}");
            if (one.TryGetProperty("people", out var people) && people.ValueKind == JsonValueKind.Object)
            {
                foreach (var note in people.Items("notes")) await invocation.Error.WriteLineAsync($"{one.Text("name")}: note: {note.Text("error")}");
                CourseVerbs.Print(invocation, people);
            }
            else failed |= one.Text("deed") != "left-out";
        }
        return failed ? 1 : 0;
    }

    static string Path(Invocation invocation) => CourseVerbs.Course(invocation) + "/rosters";

    static string One(Invocation invocation) => $"{Path(invocation)}/{Uri.EscapeDataString(invocation.Arguments[1])}";

    static string From(JsonElement one) => one.TryGetProperty("profile", out var profile) ? profile.Text("url") is { Length: > 0 } url ? url : profile.Text("directory") : "";

    static JsonBody Profile(Invocation invocation)
    {
        var body = new JsonBody().Add("url", invocation.Value("--url")).Add("course", invocation.Value("--moodle-course")).Add("directory", invocation.Value("--directory"))
            .Add("clientId", invocation.Value("--client-id")).Add("tokenUrl", invocation.Value("--token-url")).Add("audience", invocation.Value("--audience"))
            .Add("interval", Number(invocation, "--interval")).Add("mostEnded", Number(invocation, "--most-ended"))
            .Add("endMissing", invocation.Value("--end-missing") switch { null => (bool?)null, "yes" => true, "no" => false, var other => throw new Refused($"\"{other}\" is neither yes nor no", 2) });
        var rules = new List<JsonBody>();
        // a distinguished name has "=" and ":" in itself: what is meant stands behind the last one
        foreach (var text in invocation.Values("--group")) rules.Add(Rule(text, "--group", "DN=ROLE[:GROUP]"));
        foreach (var text in invocation.Values("--role")) rules.Add(Rule(text, "--role", "THERE=HERE"));
        return rules.Count > 0 ? body.Add("rules", rules) : body;
    }

    static JsonBody Rule(string text, string option, string form)
    {
        var equals = text.LastIndexOf('=');
        if (equals < 1 || equals == text.Length - 1) throw new Refused($"{option} is written as {form}", 2);
        var (role, group) = text[(equals + 1)..].Split(':', 2) is [var first, var second] ? (first, second) : (text[(equals + 1)..], null);
        return new JsonBody().Add("from", text[..equals]).Add("role", role).Add("group", group);
    }

    static long? Number(Invocation invocation, string option) => invocation.Value(option) is not { } text ? null
        : long.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number) ? number : throw new Refused($"{option} is a number", 2);

    static async Task<string?> SecretAsync(Invocation invocation) => invocation.Has("--secret-stdin") ? (await invocation.Input.ReadLineAsync())?.Trim() : null;

    static async Task<int> SyncAsync(Invocation invocation, string query)
    {
        var report = await invocation.Server.PostAsync(One(invocation) + "/sync" + query);
        foreach (var note in report.Items("notes")) await invocation.Error.WriteLineAsync($"note: {note.Text("error")}");
        foreach (var error in report.Items("errors")) await invocation.Error.WriteLineAsync($"{error.Text("address")}: {error.Text("error")}");
        return CourseVerbs.Print(invocation, report);
    }
}
