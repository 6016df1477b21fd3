using System.Globalization;
using System.Text.Json;
using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Courses;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailings;
using CbaMail.Storage;
using Microsoft.AspNetCore.Http.Features;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/courses and the people in them.</summary>
static class CoursesApi
{
    const int Page = 1000;

    /// <param name="Id">Its short name, as in paths.</param>
    /// <param name="Columns">Of the tables that were taken in: names of fields of templates.</param>
    /// <param name="Programme">Short name of the one that it is part of.</param>
    sealed record CourseView(string Id, string Name, string Domain, string Language, int Participants, IReadOnlyList<string> Columns, DateTimeOffset Created, string? Programme = null);

    /// <param name="Programme">Short name of one of the course's domain; "" takes it out of its programme.</param>
    sealed record WantedCourse(string? Name = null, string? Language = null, string? Programme = null);

    /// <param name="Line">Of the table.</param>
    internal sealed record RefusedPerson(int Line, string Address, string Error);

    /// <param name="Before">As it is; empty: nothing.</param>
    internal sealed record ChangedField(string Field, string Before, string After);

    /// <param name="Deed">added, changed or ended.</param>
    internal sealed record ChangedPerson(string Deed, int Line, string Address, string Name, IReadOnlyList<ChangedField> Fields);

    /// <param name="Ended">Who is not named any more.</param>
    /// <param name="Notes">What was not understood of rows that were taken.</param>
    /// <param name="Changes">With dry-run: each.</param>
    internal sealed record ImportedPeople(
        int Added, int Updated, int Unchanged, int Failed, IReadOnlyList<RefusedPerson> Errors, int Ended, IReadOnlyList<RefusedPerson> Notes, IReadOnlyList<ChangedPerson>? Changes);

    /// <param name="Row">Of the table that he came in with.</param>
    sealed record ParticipantView(string Address, string Name, int Row, IReadOnlyDictionary<string, string> Fields);

    /// <param name="Fields">Columns of the course, for templates; those that it has not yet are added to it.</param>
    sealed record NewParticipant(string Address, string? Name = null, IReadOnlyDictionary<string, string>? Fields = null);

    sealed record NewCourse(string Name, string Domain, string? Language = null);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/courses", Permissions.CoursesRead, About.Asked, "Courses", context => context.ListAsync(Seen(context).OrderBy(course => course.Slug, StringComparer.Ordinal), course => course.Slug, Shown)) { IsList = true, Gives = typeof(CourseView) },
        new("POST", "/courses", Permissions.CoursesCreate, About.Asked, "Make a course", Requests.With<NewCourse>(AddAsync)) { Takes = typeof(NewCourse), Gives = typeof(CourseView) },
        new("GET", "/courses/{course}", Permissions.CoursesRead, About.Course, "One course", context => context.ResultAsync(context.Room<CourseRegister>().Find(context.Part("course")), Shown)) { Gives = typeof(CourseView) },
        new("PATCH", "/courses/{course}", Permissions.CoursesWrite, About.Course, "Change a course", Requests.With<WantedCourse>((context, wanted) => RunsApi.WithCourse(context, async course =>
            await context.ResultAsync(await context.Room<CourseRegister>().ChangeAsync(course, wanted.Name, wanted.Language, wanted.Programme, context.RequestAborted), Shown)))) { Takes = typeof(WantedCourse), Gives = typeof(CourseView), CanRehearse = true },
        new("DELETE", "/courses/{course}", Permissions.CoursesCreate, About.Course, "Remove a course with its mailings", context => DoneAsync(context, context.Room<CourseRegister>().RemoveWithMailingsAsync(context.Part("course"), context.RequestAborted))) { Gives = typeof(DeedDone) },
        new("POST", "/courses/{course}/import", Permissions.CoursesWrite, About.Course, "Take in people from a table, CSV or XLSX", ImportAsync) { TakesType = "text/csv", Streams = true, CanRehearse = true, Query = ["run", "sheet", "end-missing", "most-ended"], Gives = typeof(ImportedPeople), GivesType = "application/json" },
        new("GET", "/courses/{course}/participants", Permissions.CoursesRead, About.Course, "The people of a course", ParticipantsAsync) { Streams = true, Gives = typeof(ParticipantView[]), GivesType = "application/json" },
        new("POST", "/courses/{course}/participants", Permissions.CoursesWrite, About.Course, "Take somebody in, or change what is known of him", Requests.With<NewParticipant>(PutAsync)) { Takes = typeof(NewParticipant), Gives = typeof(ParticipantView) },
        new("GET", "/courses/{course}/participants/{address}", Permissions.CoursesRead, About.Course, "One of a course", context => context.ResultAsync(
            context.Room<CourseRegister>().Participant(context.Part("course"), context.Part("address")), Shown)) { Gives = typeof(ParticipantView) },
        new("DELETE", "/courses/{course}/participants/{address}", Permissions.CoursesWrite, About.Course, "Take somebody out of a course", context => DoneAsync(
            context, context.Room<CourseRegister>().RemoveParticipantAsync(context.Part("course"), context.Part("address"), context.RequestAborted))) { Gives = typeof(DeedDone) },
    ];

    static CourseView Shown(Course course) => new(course.Slug, course.Name, course.Domain, course.Language, course.Participants, course.Columns, course.Created, course.Programme);

    static ParticipantView Shown(Participant person) => new(person.Address, person.Name, person.Line, JsonSerializer.Deserialize<Dictionary<string, string>>(person.Fields) ?? []);

    // a table of one row: the same rules as for an import
    static async Task PutAsync(HttpContext context, NewParticipant wanted)
    {
        var fields = (wanted.Fields ?? new Dictionary<string, string>()).ToList();
        var table = string.Join(',', ["address", "name", .. fields.Select(field => Quoted(field.Key))]) + "\n" + string.Join(',', [Quoted(wanted.Address ?? ""), Quoted(wanted.Name ?? ""), .. fields.Select(field => Quoted(field.Value))]) + "\n";
        var register = context.Room<CourseRegister>();
        var done = await register.ImportAsync(context.Part("course"), System.Text.Encoding.UTF8.GetBytes(table), context.RequestAborted);
        if (!done.Ok) await context.RefuseAsync(done.Refusal);
        else if (done.Value.Errors is [var error, ..]) await context.RefuseAsync(Refusal.Invalid.Because($"{error.Address}: {error.Reason}").At("address"));
        else await context.ResultAsync(register.Participant(context.Part("course"), wanted.Address ?? ""), Shown, done.Value.Added > 0 ? 201 : 200);
    }

    // RFC 4180 2.6, 2.7
    static string Quoted(string text) => "\"" + text.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";

    /// <summary>Those that the caller may see.</summary>
    static IEnumerable<Course> Seen(HttpContext context)
    {
        var (caller, directory) = (context.Caller(), context.Room<UserDirectory>());
        return context.Room<CourseRegister>().List().Where(course => caller.MayCourse(Permissions.CoursesRead, course.Id, directory.FindDomain(course.Domain)));
    }

    /// <summary>Why the caller may not make a course or a programme in a domain, or null.</summary>
    internal static Refusal? ForbidsNew(HttpContext context, string? name) =>
        context.Room<UserDirectory>().FindDomain(name ?? "") is { } domain ? context.Forbids(Permissions.CoursesCreate, domain)
        : context.Caller().MayEverywhere(Permissions.CoursesCreate) ? null : Requests.MayNot(Permissions.CoursesCreate);

    static async Task AddAsync(HttpContext context, NewCourse wanted)
    {
        if (ForbidsNew(context, wanted.Domain) is { } refusal)
        {
            await context.RefuseAsync(refusal);
            return;
        }
        await context.ResultAsync(await context.Room<CourseRegister>().AddAsync(wanted.Name ?? "", wanted.Domain ?? "", wanted.Language, context.RequestAborted), Shown);
    }

    static async Task ImportAsync(HttpContext context)
    {
        if (context.Asked("end-missing") is not (null or "true" or "false")) { await context.RefuseAsync(Refusal.Invalid.Because("end-missing is true or false").At("end-missing")); return; }
        var most = 20;
        if (context.Asked("most-ended") is { } share && !(int.TryParse(share, NumberStyles.None, CultureInfo.InvariantCulture, out most) && most is >= 0 and <= 100)) { await context.RefuseAsync(Refusal.Invalid.Because("most-ended is a number from 0 to 100, in percent").At("most-ended")); return; }
        if (await context.BytesAsync(context.Room<Settings>().Mailings.ImportBytes) is not { } file) return;
        var order = new RosterOrder(Rehearsal.IsOn, context.Asked("end-missing") == "true", most);
        var report = await context.Room<CourseRegister>().ImportAsync(context.Part("course"), context.Asked("run") ?? "", file, context.Asked("sheet"), order, context.RequestAborted);
        await context.ResultAsync(report, done => Imported(done, order.IsRehearsal));
    }

    internal static ImportedPeople Imported(RosterReport done, bool all) => new(
        done.Added, done.Updated, done.Unchanged, done.Errors.Count, [.. done.Errors.Select(Told)], done.Ended, [.. done.Notes.Select(Told)],
        all ? [.. done.Changes.Select(one => new ChangedPerson(one.Deed, one.Line, one.Address, one.Name, [.. one.Fields.Select(field => new ChangedField(field.Field, field.Before, field.After))]))] : null);

    static RefusedPerson Told(ImportError error) => new(error.Line, error.Address, error.Reason);

    static async Task ParticipantsAsync(HttpContext context)
    {
        var register = context.Room<CourseRegister>();
        var found = register.Find(context.Part("course"));
        if (!found.Ok) { await context.RefuseAsync(found.Refusal); return; }
        context.Response.ContentType = "application/json; charset=utf-8";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter, new JsonWriterOptions { Encoder = Reply.Json.Encoder });
        json.WriteStartArray();
        for (long after = 0; ;)
        {
            var people = register.Participants(found.Value, after, Page);
            foreach (var person in people)
            {
                json.WriteStartObject();
                json.WriteString("address", person.Address);
                json.WriteString("name", person.Name);
                json.WriteNumber("row", person.Line);
                json.WritePropertyName("fields");
                json.WriteRawValue(person.Fields);
                json.WriteEndObject();
            }
            await json.FlushAsync(context.RequestAborted);
            if (people.Count < Page) break;
            after = people[^1].Place;
        }
        json.WriteEndArray();
    }

    internal static async Task DoneAsync(HttpContext context, ValueTask<Envelope.Refusal?> deed)
    {
        if (await deed is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(new DeedDone(true));
    }

    /// <summary>A body as bytes; where it is too long, the answer is given and null returned.</summary>
    internal static async ValueTask<byte[]?> BytesAsync(this HttpContext context, long most)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = most + 65536;
        using var bytes = new MemoryStream((int)Math.Min(context.Request.ContentLength ?? 0, most));
        var buffer = new byte[64 * 1024];
        while (await context.Request.Body.ReadAsync(buffer, context.RequestAborted) is > 0 and var count)
        {
            if (bytes.Length + count > most) { await context.RefuseAsync(413, $"This is larger than {most} bytes, which is the limit"); return null; }
            bytes.Write(buffer, 0, count);
        }
        return bytes.ToArray();
    }
}
