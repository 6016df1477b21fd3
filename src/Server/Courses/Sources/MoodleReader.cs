using System.Globalization;
using System.Text.Json;
using CbaMail.Envelope;

namespace CbaMail.Courses.Sources;

/// <summary>
/// People of a course in Moodle, by its web services (REST, wsfunction by wsfunction): core_course_get_courses_by_field, core_enrol_get_enrolled_users and
/// core_group_get_course_groups. A refusal of Moodle's comes with the status 200, as an object with "exception".
/// </summary>
sealed class MoodleReader(RosterFetch fetch) : IRosterReader
{
    const int Page = 500, MostPages = 400;

    public string Kind => "moodle";

    public Refusal? Problem(RosterProfile profile, bool hasSecret) =>
        fetch.Problem(profile.Url, "url")
        ?? (profile.Course is not { Length: > 0 and <= 255 } ? Refusal.Invalid.Because("A source of Moodle needs the number or the short name of the course there").At("course") : null)
        ?? (!hasSecret ? Refusal.Invalid.Because("A source of Moodle needs a token of its web services").At("secret") : null);

    // the archetypes that Moodle comes with
    static CourseRole? Usual(string role) => role switch
    {
        "student" => CourseRole.Student,
        "editingteacher" or "teacher" or "coursecreator" => role == "teacher" ? CourseRole.Assistant : CourseRole.Teacher,
        "parent" => CourseRole.Guardian,
        _ => null,
    };

    public async Task<Result<RosterPeople>> ReadAsync(RosterSource source, string secret, bool whole, CancellationToken cancel)
    {
        var course = source.Profile.Course!;
        if (!long.TryParse(course, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            var found = await AskAsync(source, secret, "core_course_get_courses_by_field", new() { ["field"] = "shortname", ["value"] = course }, cancel);
            if (!found.Ok) return found.Refusal;
            if (!found.Value.TryGetProperty("courses", out var courses) || courses.ValueKind != JsonValueKind.Array || courses.GetArrayLength() != 1 || Number(courses[0], "id") is not { } id)
                return Refusal.NoSuchThing.Because($"Moodle shows no course with the short name \"{ParticipantFile.Shown(course)}\" to this token").At("course");
            number = id;
        }
        var groups = await GroupsAsync(source, secret, number, cancel);
        var gathering = new RosterGathering();
        for (var page = 0; ; page++)
        {
            if (page == MostPages) return RosterFetch.Trouble(new Uri(source.Profile.Url!).Authority, $"more than {Page * MostPages} people are in the course there");
            var users = await AskAsync(source, secret, "core_enrol_get_enrolled_users", new()
            {
                ["courseid"] = Text(number),
                // enrolments that are suspended or not in force are left out by Moodle itself
                ["options[0][name]"] = "onlyactive",
                ["options[0][value]"] = "1",
                ["options[1][name]"] = "sortby",
                ["options[1][value]"] = "id",
                ["options[2][name]"] = "limitfrom",
                ["options[2][value]"] = Text((long)page * Page),
                ["options[3][name]"] = "limitnumber",
                ["options[3][value]"] = Text(Page),
            }, cancel);
            if (!users.Ok) return users.Refusal;
            if (users.Value.ValueKind != JsonValueKind.Array) return RosterFetch.Trouble(new Uri(source.Profile.Url!).Authority, "it does not answer as Moodle's web services do");
            foreach (var user in users.Value.EnumerateArray()) Add(source.Profile, gathering, user, groups);
            if (users.Value.GetArrayLength() < Page) return gathering.People(saysGroups: true);
        }
    }

    static void Add(RosterProfile profile, RosterGathering gathering, JsonElement user, Dictionary<long, string> names)
    {
        var who = JsonText(user, "fullname") ?? JsonText(user, "username") ?? "somebody";
        var shown = Items(user, "roles").Select(role => JsonText(role, "shortname") ?? "").ToList();
        // a token that may not see roles sees nobody's
        var role = RosterGathering.Highest(shown.Select(one => RosterGathering.Role(profile, one, Usual(one)))) ?? (shown.Count == 0 ? CourseRole.Student : null);
        if (role is null)
        {
            gathering.Note(who, $"{ParticipantFile.Shown(who)} has no role that means anything here ({ParticipantFile.Shown(string.Join(", ", shown))}), and is left out");
            return;
        }
        var suspended = user.TryGetProperty("suspended", out var flag) && (flag.ValueKind == JsonValueKind.True || (flag.ValueKind == JsonValueKind.Number && flag.TryGetInt32(out var set) && set != 0));
        var groups = Items(user, "groups").Select(group => JsonText(group, "name") ?? (Number(group, "id") is { } id ? names.GetValueOrDefault(id) : null) ?? "");
        gathering.Add(JsonText(user, "email"), who, JsonText(user, "fullname"), role.Value, groups, !suspended, JsonText(user, "lang"), JsonText(user, "timezone"));
    }

    /// <summary>Names by number, for people whose groups have none; a token that may not see groups sees none.</summary>
    async Task<Dictionary<long, string>> GroupsAsync(RosterSource source, string secret, long course, CancellationToken cancel)
    {
        var names = new Dictionary<long, string>();
        var found = await AskAsync(source, secret, "core_group_get_course_groups", new() { ["courseid"] = Text(course) }, cancel);
        if (found.Ok && found.Value.ValueKind == JsonValueKind.Array)
            foreach (var group in found.Value.EnumerateArray())
                if (Number(group, "id") is { } id && JsonText(group, "name") is { } name) names[id] = name;
        return names;
    }

    async Task<Result<JsonElement>> AskAsync(RosterSource source, string secret, string function, Dictionary<string, string> form, CancellationToken cancel)
    {
        var host = new Uri(source.Profile.Url!).Authority;
        (form["wstoken"], form["wsfunction"], form["moodlewsrestformat"]) = (secret, function, "json");
        var answer = await fetch.PostAsync(source.Profile.Url!.TrimEnd('/') + "/webservice/rest/server.php", form, cancel);
        if (!answer.Ok) return answer.Refusal;
        var body = answer.Value.Body;
        if (body.ValueKind == JsonValueKind.Object && body.TryGetProperty("exception", out _))
            return RosterFetch.Trouble(host, $"Moodle refuses {function}: {ParticipantFile.Shown(JsonText(body, "message") ?? "")} ({ParticipantFile.Shown(JsonText(body, "errorcode") ?? "")})");
        if (answer.Value.Status != 200) return RosterFetch.Trouble(host, $"it answered with status {answer.Value.Status}");
        return body.ValueKind is JsonValueKind.Array or JsonValueKind.Object ? body : RosterFetch.Trouble(host, "it does not answer as Moodle's web services do");
    }

    static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    internal static string? JsonText(JsonElement one, string name) =>
        one.ValueKind == JsonValueKind.Object && one.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;

    static long? Number(JsonElement one, string name) => one.ValueKind == JsonValueKind.Object && one.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : null;

    internal static IEnumerable<JsonElement> Items(JsonElement one, string name) =>
        one.ValueKind == JsonValueKind.Object && one.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : [];
}
