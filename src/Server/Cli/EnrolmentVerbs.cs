using System.Text.Json;

namespace CbaMail.Cli;

/// <summary><c>course people | enrol | leave | set</c>, <c>course groups</c>: who is what in which run.</summary>
static class EnrolmentVerbs
{
    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("course set", "COURSE", "change a course", [new("--name", "TEXT", "its name"), new("--language", "ru|en", "its language"), new("--programme", "PROGRAMME", "the programme that it is part of; \"\" for none"), .. Verb.Client], async invocation =>
            invocation.Print(await invocation.Server.PatchAsync(CourseVerbs.Course(invocation), new JsonBody().Add("name", invocation.Value("--name")).Add("language", invocation.Value("--language")).Add("programme", invocation.Value("--programme"))),
                course => $"The course {course.Text("id")} is changed.")),
        new("course people", "COURSE", "list who is in which run, with role, dates and groups", [
            new("--run", "RUN", "only of this run"), new("--role", "ROLE", "only these: student, teacher, assistant, guardian"), new("--group", "GROUP", "only of this group"), new("--status", "active|ended", "only these"), .. Verb.Client,
        ], PeopleAsync),
        new("course enrol", "COURSE ADDRESS", "put somebody into a run, or change what he is in it", [
            new("--run", "RUN", "which run (default: that of every course)"), new("--name", "TEXT", "of the person"), new("--role", "ROLE", "student, teacher, assistant or guardian (default: student)"),
            new("--from", "DATE", "first day, as in 2027-02-01"), new("--until", "DATE", "last day"), new("--status", "active|ended", "ended: he has left, and is kept for what was sent to him"),
            new("--groups", "NAMES", "groups, with semicolons between"), new("--language", "ru|en", "of the person"), new("--zone", "ZONE", "of the person, as in Europe/Moscow"),
            new("--field", "NAME=VALUE", "a merge field", Many: true), new("--attribute", "NAME=VALUE", "an attribute of the person, in every course", Many: true), new("--guardian-of", "ADDRESS", "whom he looks after", Many: true), .. Verb.Client,
        ], EnrolAsync),
        new("course leave", "COURSE ADDRESS", "take somebody out of a run", [new("--run", "RUN", "which run (default: that of every course)"), .. Verb.Client], async invocation =>
            invocation.Print(await invocation.Server.DeleteAsync($"{RunVerbs.RunOf(invocation)}/people/{Uri.EscapeDataString(invocation.Arguments[1])}"), _ => $"{invocation.Arguments[1]} is taken out of the run.")),
        new("course groups", "COURSE [GROUP]", "list the groups of a run; add, rename or remove one", [
            new("--run", "RUN", "which run (default: that of every course)"), new("--add", null, "add the group"), new("--rename", "NAME", "give it this name"), new("--remove", null, "remove it; its people stay"), .. Verb.Client,
        ], GroupsAsync),
    ];

    static async Task<int> PeopleAsync(Invocation invocation)
    {
        var asked = new[] { "run", "role", "group", "status" }.Where(name => invocation.Value("--" + name) is not null).Select(name => $"{name}={Uri.EscapeDataString(invocation.Value("--" + name)!)}").ToList();
        return invocation.Print(await invocation.Server.GetAsync($"{CourseVerbs.Course(invocation)}/people{(asked.Count > 0 ? "?" + string.Join('&', asked) : "")}"), ["ADDRESS", "NAME", "RUN", "ROLE", "STATUS", "GROUPS", "FROM", "UNTIL"], one =>
            [one.Text("address"), one.Text("name"), one.Text("run"), one.Text("role"), one.Text("status"), string.Join("; ", one.Items("groups").Select(group => group.GetString())), one.Text("from"), one.Text("until")]);
    }

    static async Task<int> EnrolAsync(Invocation invocation)
    {
        var body = new JsonBody();
        foreach (var name in new[] { "name", "role", "from", "until", "status", "language", "zone" }) body.Add(name, invocation.Value("--" + name));
        if (invocation.Value("--groups") is { } groups) body.Add("groups", groups.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        if (invocation.Values("--guardian-of").ToList() is { Count: > 0 } wards) body.Add("guardianOf", wards);
        if (Pairs(invocation, "--field") is { } fields) body.Add("fields", fields);
        if (Pairs(invocation, "--attribute") is { } attributes) body.Add("attributes", attributes);
        return invocation.Print(await invocation.Server.PutAsync($"{RunVerbs.RunOf(invocation)}/people/{Uri.EscapeDataString(invocation.Arguments[1])}", body), Sentence);
    }

    static string Sentence(JsonElement one) => $"{one.Text("address")} is {one.Text("role")} in the run {one.Text("run")}.";

    static JsonBody? Pairs(Invocation invocation, string option)
    {
        JsonBody? body = null;
        foreach (var pair in invocation.Values(option))
        {
            if (pair.Split('=', 2) is not [{ Length: > 0 } name, var value]) throw new Refused($"{option} is written as NAME=VALUE", 2);
            (body ??= new JsonBody()).Add(name, value);
        }
        return body;
    }

    static async Task<int> GroupsAsync(Invocation invocation)
    {
        var groups = RunVerbs.RunOf(invocation) + "/groups";
        if (invocation.Arguments.Count < 2)
            return invocation.Print(await invocation.Server.GetAsync(groups), ["GROUP", "PEOPLE"], one => [one.Text("name"), one.Text("people")]);
        var (name, path) = (invocation.Arguments[1], $"{groups}/{Uri.EscapeDataString(invocation.Arguments[1])}");
        if (invocation.Has("--remove")) return invocation.Print(await invocation.Server.DeleteAsync(path), _ => $"The group {name} is removed.");
        if (invocation.Value("--rename") is { } next) return invocation.Print(await invocation.Server.PatchAsync(path, new JsonBody().Add("name", next)), one => $"The group is called {one.Text("name")}.");
        if (invocation.Has("--add")) return invocation.Print(await invocation.Server.PostAsync(groups, new JsonBody().Add("name", name)), one => $"The group {one.Text("name")} is added.");
        throw new Refused("say what to do with the group: --add, --rename NAME or --remove", 2);
    }
}
