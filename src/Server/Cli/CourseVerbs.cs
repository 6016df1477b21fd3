using System.Globalization;
using System.Text.Json;

namespace CbaMail.Cli;

/// <summary><c>course add | import | participants | list | show | remove</c>.</summary>
static class CourseVerbs
{
    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("course add", "NAME", "add a course; prints its id", [
            new("--domain", "DOMAIN", "domain of the course's mail"),
            new("--language", "ru|en", "language (default: that of the name)"),
            .. Verb.Client,
        ], AddAsync),
        new("course import", "COURSE FILE.csv", "add participants, or update their merge fields", [
            new("--run", "RUN", "into which run (default: that of every course)"),
            new("--sheet", "NAME", "of an XLSX file, by name or number (default: the first)"),
            new("--dry-run", null, "say what would change, and change nothing"),
            new("--end-missing", null, "who came by a file before and is not in this one has left"),
            new("--most-ended", "PERCENT", "do nothing where more of the run would leave (default: 20)"),
            .. Verb.Client,
        ], ImportAsync, """
            The first line names the columns: address,name and any further ones, which become merge fields. CSV in UTF-8 with "," or ";", or XLSX.
            Role, group, language, zone, from, until and "guardian of" are understood besides, in English and Russian.
            A bad row is named by its line and the rest is imported. The same file again changes nothing.
            """),
        new("course participants", "COURSE", "list the people of a course", Verb.Client, ParticipantsAsync),
        new("course consents", "COURSE ADDRESS", "what somebody has said about getting mail of it, the newest first", Verb.Client, ConsentsAsync),
        new("course consent", "COURSE ADDRESS", "note what somebody has said about getting mail", [
            new("--class", "CLASS", "course, optional or marketing"),
            new("--wanted", "yes|no", "whether he wants it"),
            new("--basis", "TEXT", "what it rests on: a form, a contract, a call"),
            .. Verb.Client,
        ], ConsentAsync),
        new("course requests", "COURSE", "who asks for his data, or to have them erased", [new("--done", "ID", "say that one is seen to"), .. Verb.Client], RequestsAsync),
        new("course list", "", "list the courses", Verb.Client, ListAsync),
        new("course show", "COURSE", "show a course with its merge fields", Verb.Client, ShowAsync),
        new("course remove", "COURSE [ADDRESS]", "remove a course with its mailings and ledgers, or one person from it", Verb.Client, RemoveAsync),
    ];

    internal static string Course(Invocation invocation) => "courses/" + Uri.EscapeDataString(invocation.Arguments[0]);

    static async Task<int> AddAsync(Invocation invocation)
    {
        var domain = invocation.Value("--domain") ?? throw new Refused("a course needs a domain: --domain DOMAIN", 2);
        var body = new JsonBody().Add("name", invocation.Arguments[0]).Add("domain", domain).Add("language", invocation.Value("--language"));
        return invocation.Print(await invocation.Server.PostAsync("courses", body), course => course.Text("id"));
    }

    static async Task<int> ImportAsync(Invocation invocation)
    {
        var path = invocation.Arguments[1];
        await using var file = Open(path);
        var asked = new List<string>();
        foreach (var name in new[] { "run", "sheet", "most-ended" }) if (invocation.Value("--" + name) is { } value) asked.Add($"{name}={Uri.EscapeDataString(value)}");
        foreach (var name in new[] { "dry-run", "end-missing" }) if (invocation.Has("--" + name)) asked.Add(name + "=true");
        var report = await invocation.Server.PostAsync(Course(invocation) + "/import" + (asked.Count > 0 ? "?" + string.Join('&', asked) : ""), file, "text/csv");
        foreach (var error in report.Items("errors"))
            await invocation.Error.WriteLineAsync($"{Path.GetFileName(path)}, line {error.Text("line")}: {error.Text("error")}");
        foreach (var note in report.Items("notes"))
            await invocation.Error.WriteLineAsync($"{Path.GetFileName(path)}, line {note.Text("line")}: note: {note.Text("error")}");
        Print(invocation, report);
        // rows that were bad are reported; only an import of which nothing could be taken is a failure
        return report.Number("failed") > 0 && report.Number("added") + report.Number("updated") + report.Number("unchanged") == 0 ? 1 : 0;
    }

    /// <summary>The difference, where it is told, and the sum of it.</summary>
    internal static int Print(Invocation invocation, JsonElement report)
    {
        if (!invocation.Json)
            foreach (var change in report.Items("changes")) invocation.Print(Difference(change));
        return invocation.Print(report, answer => string.Create(CultureInfo.InvariantCulture,
            $"{answer.Number("added")} added, {answer.Number("updated")} updated, {answer.Number("unchanged")} unchanged, {answer.Number("failed")} refused{(answer.Number("ended") > 0 ? $", {answer.Number("ended")} ended" : "")}."));
    }

    /// <summary>A line a person: + added, ~ changed, - ended, with what differs.</summary>
    static string Difference(JsonElement change) =>
        (change.Text("deed") switch { "added" => "+ ", "changed" => "~ ", _ => "- " }) + change.Text("address")
        + (change.Text("deed") == "changed" ? ": " + string.Join(", ", change.Items("fields").Select(field => $"{field.Text("field")} \"{field.Text("before")}\" -> \"{field.Text("after")}\"")) : "");

    /// <summary>A file to read, "-" for standard input.</summary>
    internal static Stream Open(string path)
    {
        try { return path == "-" ? Console.OpenStandardInput() : File.OpenRead(path); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new Refused($"The file {path} cannot be read: {e.Message}");
        }
    }

    static async Task<int> ParticipantsAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.GetAsync(Course(invocation) + "/participants"), ["ADDRESS", "NAME", "FIELDS"], person =>
        [
            person.Text("address"), person.Text("name"),
            person.TryGetProperty("fields", out var fields) ? string.Join(", ", fields.EnumerateObject().Select(field => $"{field.Name}={field.Value.GetString()}")) : "",
        ]);

    static async Task<int> ConsentsAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.GetAsync(Consents(invocation)), ["AT", "CLASS", "WANTED", "SOURCE", "MAILING", "BASIS"], said =>
            [said.Time("at"), said.Text("class"), said.True("wanted") ? "yes" : "no", said.Text("source"), said.Text("mailing"), said.Text("basis")]);

    static string Consents(Invocation invocation) => $"{Course(invocation)}/participants/{Uri.EscapeDataString(invocation.Arguments[1])}/consents";

    static async Task<int> ConsentAsync(Invocation invocation)
    {
        var wanted = invocation.Value("--wanted") switch { "yes" => true, "no" => false, _ => throw new Refused("\"course consent\" needs --wanted yes or --wanted no", 2) };
        var kind = invocation.Value("--class") ?? throw new Refused("\"course consent\" needs --class CLASS", 2);
        var body = new JsonBody().Add("class", kind).Add("wanted", wanted).Add("basis", invocation.Value("--basis"));
        return invocation.Print(await invocation.Server.PostAsync(Consents(invocation), body), said => $"{invocation.Arguments[1]} {(said.True("wanted") ? "wants" : "does not want")} {said.Text("class")} mail.");
    }

    static async Task<int> RequestsAsync(Invocation invocation)
    {
        var path = Course(invocation) + "/data-requests";
        if (invocation.Value("--done") is { } id) return invocation.Print(await invocation.Server.PostAsync($"{path}/{Uri.EscapeDataString(id)}/done"), _ => $"Request {id} is done.");
        return invocation.Print(await invocation.Server.GetAsync(path), ["ID", "AT", "KIND", "DONE", "ADDRESS"], request =>
            [request.Text("id"), request.Time("at"), request.Text("kind"), request.Time("done"), request.Text("address")]);
    }

    static async Task<int> ListAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.GetAsync("courses"), ["ID", "PARTICIPANTS", "DOMAIN", "NAME"], course =>
            [course.Text("id"), course.Text("participants"), course.Text("domain"), course.Text("name")]);

    static async Task<int> ShowAsync(Invocation invocation) => invocation.Print(await invocation.Server.GetAsync(Course(invocation)), Details);

    static string Details(JsonElement course) =>
        $"Id            {course.Text("id")}\nName          {course.Text("name")}\nDomain        {course.Text("domain")}\nLanguage      {course.Text("language")}\n"
        + $"Participants  {course.Text("participants")}\nMerge fields  {string.Join(", ", course.Items("columns").Select(column => column.GetString()))}\nSince         {course.Time("created")}";

    static async Task<int> RemoveAsync(Invocation invocation)
    {
        if (invocation.Arguments.Count == 1)
            return invocation.Print(await invocation.Server.DeleteAsync(Course(invocation)), _ => $"The course {invocation.Arguments[0]} is removed.");
        var address = invocation.Arguments[1];
        return invocation.Print(await invocation.Server.DeleteAsync($"{Course(invocation)}/participants/{Uri.EscapeDataString(address)}"), _ => $"{address} is removed from {invocation.Arguments[0]}.");
    }
}
