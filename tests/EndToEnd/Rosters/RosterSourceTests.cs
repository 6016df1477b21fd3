using CbaMail.Tests.EndToEnd.Directories;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Rosters;

/// <summary>Runs follow people of other systems: Moodle, learning platforms, directories.</summary>
public sealed class RosterSourceTests
{
    private static object User(int id, string role, string? email = null, bool active = true, bool suspended = false, params string[] groups) => new
    {
        id,
        fullname = $"Person {id}",
        email = email ?? $"p{id}@example.test",
        lang = "ru",
        timezone = "Europe/Moscow",
        active,
        suspended,
        roles = role.Split(' ').Select((one, i) => new { roleid = i, shortname = one }),
        groups = groups.Select((one, i) => new { id = i, name = one }),
    };

    private static object Moodle(params object[] users) => new { token = "right-token", courses = new[] { new { id = 7, shortname = "ALG-1" } }, groups = Array.Empty<object>(), users };

    private static async Task<string> AddMoodleAsync(RosterSite site, string token = "right-token", string course = "ALG-1") =>
        (await site.Server.CliAsync(token + "\n", ["roster", "add", "algebra", "moodle", "--run", "spring", "--url", site.Campus + "/moodle/", "--moodle-course", course, "--secret-stdin"])).Succeeded().Output.Trim();

    [Fact]
    public async Task A_run_follows_a_course_of_Moodle()
    {
        await using var site = await RosterSite.StartAsync(Moodle(User(1, "editingteacher"), User(2, "teacher"), User(3, "student", groups: ["B", "A"]), User(4, "student", active: false), User(5, "student", suspended: true), User(6, "student", email: ""), User(7, "manager")));
        var id = await AddMoodleAsync(site);
        var preview = await site.Server.CliAsync("roster", "preview", "algebra", id);
        Assert.Contains("3 added, 0 updated", preview.Succeeded().Output);
        Assert.Contains("Person 6 has no address there", preview.All);
        Assert.Empty(await site.PeopleAsync());
        await site.RunAsync("roster", "sync", "algebra", id);
        Assert.Equal(["p1@example.test teacher active", "p2@example.test assistant active", "p3@example.test student active A;B"], await site.PeopleAsync());
        Assert.Contains("0 added, 0 updated, 3 unchanged", await site.RunAsync("roster", "sync", "algebra", id));

        // whoever was put in by hand is none of its business
        await site.RunAsync("course", "enrol", "algebra", "hand@example.test", "--run", "spring");
        site.Tell(Moodle(User(1, "editingteacher"), User(3, "student editingteacher")));
        await site.RunAsync("roster", "sync", "algebra", id);
        Assert.Equal(["hand@example.test student active", "p1@example.test teacher active", "p2@example.test assistant ended", "p3@example.test teacher active"], await site.PeopleAsync());
        Assert.Contains("ok", await site.RunAsync("roster", "list", "algebra"));
        Assert.DoesNotContain("right-token", await site.RunAsync("roster", "list", "algebra", "--json"));
    }

    [Fact]
    public async Task Moodle_is_read_page_by_page_and_its_refusals_are_told()
    {
        await using var site = await RosterSite.StartAsync(Moodle([.. Enumerable.Range(1, 1203).Select(i => User(i, "student"))]));
        var id = await AddMoodleAsync(site, course: "7");
        Assert.Contains("1203 added", await site.RunAsync("roster", "sync", "algebra", id));
        var wrong = await AddMoodleAsync(site, token: "wrong-token");
        var refused = await site.Server.CliAsync("roster", "sync", "algebra", wrong);
        Assert.Contains("invalidtoken", refused.Failed(1).All);
        Assert.Contains("failing", await site.RunAsync("roster", "list", "algebra"));
    }

    [Fact]
    public async Task A_look_that_would_take_many_out_changes_nothing_until_it_is_forced()
    {
        await using var site = await RosterSite.StartAsync(Moodle([.. Enumerable.Range(1, 30).Select(i => User(i, "student"))]));
        var id = await AddMoodleAsync(site);
        await site.RunAsync("roster", "sync", "algebra", id);
        site.Tell(Moodle(User(1, "student")));
        Assert.Contains("29 of 30 people would leave the run", (await site.Server.CliAsync("roster", "sync", "algebra", id)).Failed(1).All);
        Assert.All(await site.PeopleAsync(), line => Assert.EndsWith("active", line));
        await site.RunAsync("roster", "sync", "algebra", id, "--force");
        Assert.Single(await site.PeopleAsync(), line => line.EndsWith("active", StringComparison.Ordinal));
        // what was removed takes nobody with it
        await site.RunAsync("roster", "remove", "algebra", id);
        Assert.Equal(30, (await site.PeopleAsync()).Length);
    }

    private const string Core = "http://purl.imsglobal.org/vocab/lis/v2/membership#", Institution = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#";

    private static object Member(string user, string? status, params string[] roles) => new { user_id = user, status = status ?? "Active", name = "The " + user, email = user + "@example.test", roles };

    private static Task<string> AddPlatformAsync(RosterSite site, params string[] more) =>
        site.RunAsync(["roster", "add", "algebra", "lti", "--run", "spring", "--url", site.Campus + "/lti/members", "--token-url", site.Campus + "/lti/token", "--client-id", "tool 1", .. more]);

    [Fact]
    public async Task A_run_follows_a_course_of_a_learning_platform_page_by_page()
    {
        await using var site = await RosterSite.StartAsync(new { });
        object[] members =
        [
            Member("anna", null, Core + "Instructor", Institution + "Student"), Member("boris", null, "Learner"), Member("clara", null, "http://purl.imsglobal.org/vocab/lis/v2/membership/Instructor#TeachingAssistant", Core + "Learner"),
            Member("dora", "Inactive", Core + "Learner"), Member("emil", null, Core + "Mentor"), Member("fred", null, Institution + "Student"),
        ];
        site.Tell(new { jwks = site.Jwks, client = "tool 1", members });
        var id = await AddPlatformAsync(site);
        var done = await site.Server.CliAsync("roster", "sync", "algebra", id);
        Assert.True(done.ExitCode == 0, done.All);
        Assert.Contains("The fred has no role that means anything here", done.All);
        Assert.Equal(["anna@example.test teacher active", "boris@example.test student active", "clara@example.test assistant active", "emil@example.test guardian active"], await site.PeopleAsync());
        Assert.Equal(["token", "/lti/members", "/lti/members?from=2", "/lti/members?from=4"], site.Asked);

        // a token that was taken back is asked for anew
        site.Tell(new { jwks = site.Jwks, client = "tool 1", epoch = 1, members });
        Assert.Contains("4 unchanged", await site.RunAsync("roster", "sync", "algebra", id));
        Assert.Equal(2, site.Asked.Count(line => line == "token"));
    }

    [Fact]
    public async Task Between_whole_looks_a_platform_is_asked_for_what_has_changed()
    {
        await using var site = await RosterSite.StartAsync(new { });
        object[] members = [Member("anna", null, Core + "Instructor"), Member("boris", null, Core + "Learner")];
        site.Tell(new { jwks = site.Jwks, client = "tool 1", members, differences = Array.Empty<object>() });
        var id = await AddPlatformAsync(site);
        await site.RunAsync("roster", "sync", "algebra", id);
        site.Tell(new { jwks = site.Jwks, client = "tool 1", members, differences = new[] { Member("boris", "Deleted"), Member("clara", null, Core + "Learner") } });
        await site.RunAsync("roster", "sync", "algebra", id);
        Assert.Equal(["anna@example.test teacher active", "boris@example.test student ended", "clara@example.test student active"], await site.PeopleAsync());
        Assert.Equal("/lti/members?since=1", site.Asked[^1]);
        // what it has forgotten is no difference: all of it is read
        site.Tell(new { jwks = site.Jwks, client = "tool 1", members });
        await site.RunAsync("roster", "sync", "algebra", id);
        Assert.Equal(["/lti/members?since=2", "/lti/members"], site.Asked[^2..]);
        Assert.Equal(["anna@example.test teacher active", "boris@example.test student active", "clara@example.test student ended"], await site.PeopleAsync());
    }

    [Fact]
    public async Task A_platform_leads_nobody_elsewhere_and_takes_no_stranger()
    {
        await using var site = await RosterSite.StartAsync(new { });
        site.Tell(new { jwks = site.Jwks, client = "tool 1", elsewhere = "http://169.254.169.254/latest", members = new[] { Member("anna", null, Core + "Instructor") } });
        var id = await AddPlatformAsync(site);
        Assert.Contains("169.254.169.254 cannot be read", (await site.Server.CliAsync("roster", "sync", "algebra", id)).Failed(1).All);
        site.Tell(new { jwks = site.Jwks, client = "somebody else", epoch = 2, members = Array.Empty<object>() });
        Assert.Contains("invalid_client", (await site.Server.CliAsync("roster", "sync", "algebra", id)).Failed(1).All);
        Assert.Contains("open net", (await site.Server.CliAsync("roster", "add", "algebra", "lti", "--url", "https://10.0.0.1/x", "--token-url", "https://10.0.0.1/t", "--client-id", "x")).Failed(1).All);
    }

    [Fact]
    public async Task A_run_follows_groups_of_a_directory()
    {
        var slapd = await SlapdServer.StartAsync(SlapdServer.Person("anna") + SlapdServer.Person("boris") + SlapdServer.Person("clara", mail: "clara@elsewhere.net") + SlapdServer.Person("dora")
            + SlapdServer.Group("Lecturers", "", "anna") + SlapdServer.Group("Inner", "", "clara") + SlapdServer.Group("Students", "", "boris", "anna", $"cn=Inner,ou=groups,{SlapdServer.Suffix}", "nobody"));
        await using var directory = await DirectorySite.StartAsync(slapd);
        await using var site = await RosterSite.OfAsync(directory.Server);
        static string Dn(string name) => $"cn={name},ou=groups,{SlapdServer.Suffix}";
        var id = await site.RunAsync("roster", "add", "algebra", "ldap", "--run", "spring", "--directory", "school", "--group", Dn("Lecturers") + "=teacher", "--group", Dn("Students") + "=student:A");
        await site.RunAsync("roster", "sync", "algebra", id);
        Assert.Equal(["anna@example.test teacher active A", "boris@example.test student active A", "clara@elsewhere.net student active A"], await site.PeopleAsync());

        await slapd.SetGroupAsync("Students", "member", $"uid=dora,ou=people,{SlapdServer.Suffix}");
        await site.RunAsync("roster", "sync", "algebra", id);
        Assert.Equal(["anna@example.test teacher active", "boris@example.test student ended A", "clara@elsewhere.net student ended A", "dora@example.test student active A"], await site.PeopleAsync());

        var wrong = await site.RunAsync("roster", "add", "algebra", "ldap", "--run", "spring", "--directory", "school", "--group", Dn("Nobody") + "=teacher");
        Assert.Contains("has no group", (await site.Server.CliAsync("roster", "sync", "algebra", wrong)).Failed(1).All);
    }
}
