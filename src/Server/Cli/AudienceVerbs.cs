using System.Text.Json;

namespace CbaMail.Cli;

/// <summary><c>audience save | list | show | remove</c> and <c>mailing audience</c>: who gets a mailing.</summary>
static class AudienceVerbs
{
    const string Words = """
        In one line: students of run spring in group B who have not opened mailing 7, without those in audience staff
        Roles (students, teachers, assistants, guardians), run, group, speaking ru, field "exam date" = "12 June", attribute city contains Om, field seat is empty,
        enrolled from 2027-02-01 to 2027-03-01, sent, delivered, bounced, opened, clicked or replied mailing N, audience NAME, former, everybody; and, or, not, ( ).
        """;

    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("audience save", "COURSE NAME AUDIENCE", "keep an audience under a name", [new("--wide", null, "for all courses of the domain"), .. Verb.Client], async invocation =>
            invocation.Print(await invocation.Server.PutAsync(Path(invocation), new JsonBody().Add("to", invocation.Arguments[2]).Add("wide", invocation.Has("--wide"))), one => $"The audience {one.Text("name")} is kept: {one.Text("to")}"), Words),
        new("audience list", "COURSE", "list the audiences of a course and of its domain", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.GetAsync(CourseVerbs.Course(invocation) + "/audiences"), ["NAME", "WIDE", "AUDIENCE"], one => [one.Text("name"), one.Text("wide"), one.Text("to")])),
        new("audience show", "COURSE AUDIENCE", "who is in an audience now, and why the others are not", Verb.Client, async invocation =>
            Print(invocation, await invocation.Server.PostAsync(CourseVerbs.Course(invocation) + "/audience-preview", new JsonBody().Add("to", invocation.Arguments[1]))), Words),
        new("audience remove", "COURSE NAME", "remove an audience", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.DeleteAsync(Path(invocation)), _ => $"The audience {invocation.Arguments[1]} is removed.")),
        new("mailing audience", "ID", "who gets a mailing as things are now; sending tells the difference from it", Verb.Client, async invocation =>
            Print(invocation, await invocation.Server.PostAsync($"mailings/{Uri.EscapeDataString(invocation.Arguments[0])}/audience/preview"))),
    ];

    static string Path(Invocation invocation) => $"{CourseVerbs.Course(invocation)}/audiences/{Uri.EscapeDataString(invocation.Arguments[1])}";

    static int Print(Invocation invocation, JsonElement preview)
    {
        if (invocation.Json) return invocation.Print(preview, _ => "");
        invocation.Print($"{preview.Text("to")}: {preview.Text("count")}");
        foreach (var one in preview.Items("sample")) invocation.Print($"  {Readable.Address(one.Text("address"))}  {one.Text("name")}".TrimEnd());
        if (preview.Number("count") > preview.Items("sample").Count()) invocation.Print("  ...");
        invocation.Print($"left out: {preview.Text("outsideCount")}");
        foreach (var one in preview.Items("outside").Take(20)) invocation.Print($"  {Readable.Address(one.Text("address"))}: {one.Text("why")}");
        return 0;
    }
}
