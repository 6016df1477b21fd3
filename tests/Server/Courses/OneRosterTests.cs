using System.IO.Compression;
using System.Text;
using CbaMail.Courses;
using CbaMail.Courses.Sources;
using CbaMail.Tests.Server.Mailings;
using Xunit;
using static CbaMail.Tests.Server.Mailings.MailingFixture;

namespace CbaMail.Tests.Server.Courses;

/// <summary>OneRoster 1.2 files become courses, runs and people.</summary>
public sealed class OneRosterTests
{
    const string Sessions = "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear\nt1,,,Spring,term,2027-02-01,2027-06-01,,2027\n";
    const string Titles = "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId\nc1,,,t1,Algebra,ALG,,o1\n";
    const string Classes = "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,termSourcedIds\nk1,,,Algebra 1A,,c1,,scheduled,,o1,t1\nk2,,,Algebra 1B,,c1,,scheduled,,o1,t1\n";
    const string UserColumns = "sourcedId,status,dateLastModified,enabledUser,givenName,familyName,email,agentSourcedIds,role\n";
    const string Users = UserColumns + "anna,,,true,Anna,Ivanova,anna@example.test,,teacher\nboris,,,true,Boris,Petrov,boris@example.test,\"mum,anna\",student\nclara,,,true,Clara,Sidorova,clara@example.test,,student\nmum,,,true,Maria,Petrova,mum@elsewhere.net,boris,parent\nhelp,,,true,Helen,Aide,help@example.test,,aide\noff,,,false,Off,Away,off@example.test,,student\n";
    const string EnrolmentColumns = "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate\n";
    const string Enrolled = EnrolmentColumns + "e1,,,k1,o1,anna,teacher,true,,\ne2,,,k1,o1,boris,student,,,\ne3,,,k1,o1,clara,student,,,\ne4,,,k1,o1,help,aide,,,\ne5,,,k1,o1,off,student,,,\ne6,,,k1,o1,ghost,student,,,\ne7,,,k2,o1,anna,teacher,,,\n";

    static byte[] Zip(string mode, params (string Name, string Text)[] tables)
    {
        using var bytes = new MemoryStream();
        using (var archive = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            var manifest = "propertyName,value\nmanifest.version,1.0\noneroster.version,1.2\n" + string.Concat(new[] { "academicSessions", "classes", "courses", "enrollments", "users", "orgs" }.Select(name => $"file.{name},{(tables.Any(table => table.Name == name) ? mode : "absent")}\n"));
            foreach (var (name, text) in tables.Prepend(("manifest", manifest)))
            {
                using var entry = archive.CreateEntry(name + ".csv").Open();
                entry.Write(Encoding.UTF8.GetBytes(text));
            }
        }
        return bytes.ToArray();
    }

    static byte[] Bulk(string enrolled = Enrolled, string sessions = Sessions) => Zip("bulk", ("academicSessions", sessions), ("courses", Titles), ("classes", Classes), ("users", Users), ("enrollments", enrolled));

    static async Task<(MailingFixture House, OneRoster Roster)> OpenAsync()
    {
        var house = new MailingFixture();
        await house.Users.AddDomainAsync("example.test");
        return (house, new OneRoster(house.Store, house.Courses, house.Runs, house.Users, house.Settings, TimeProvider.System));
    }

    static string[] People(MailingFixture house, string run) => [.. house.Enrolments.Of(Ok(house.Courses.Find("algebra"))).Where(one => one.Run == run).OrderBy(one => one.Person.Address, StringComparer.Ordinal)
        .Select(one => $"{one.Person.Address.Split('@')[0]} {CourseWords.Of(one.Role)}{(one.Ended ? " ended" : "")}{(one.GuardianOf.Count > 0 ? " of " + string.Join(' ', one.GuardianOf) : "")}")];

    [Fact]
    public async Task Classes_become_runs_with_the_dates_of_their_terms_and_the_people_in_them()
    {
        var (house, roster) = await OpenAsync();
        await using var _ = house;
        var would = Ok(await roster.TakeAsync("example.test", Bulk(), new(IsRehearsal: true), default));
        Assert.Equal(["Algebra 1A made 4", "Algebra 1B made 1"], would.Classes.Select(one => $"{one.Name} {one.Deed} {one.People!.Added}"));
        Assert.Empty(house.Courses.List());

        var done = Ok(await roster.TakeAsync("example.test", Bulk(), new(), default));
        Assert.Equal(["algebra-1a", "algebra-1b"], done.Classes.Select(one => one.Run));
        var course = Assert.Single(house.Courses.List());
        Assert.Equal("Algebra", course.Name);
        var run = Ok(house.Runs.Find(course, "algebra-1a"));
        Assert.Equal((new DateOnly(2027, 2, 1), new DateOnly(2027, 5, 31)), (run.Starts!.Value, run.Ends!.Value)); // endDate is no part of a term
        Assert.Equal(["anna teacher", "boris student", "clara student", "help assistant", "mum guardian of boris@example.test"], People(house, "algebra-1a"));
        Assert.Contains(done.Classes[0].People!.Notes, note => note.Reason.Contains("ghost", StringComparison.Ordinal));

        var again = Ok(await roster.TakeAsync("example.test", Bulk(), new(EndMissing: true), default));
        Assert.All(again.Classes, one => Assert.Equal(("unchanged", 0, 0, 0), (one.Deed, one.People!.Added, one.People.Updated, one.People.Ended)));
        Assert.Single(house.Courses.List());
    }

    [Fact]
    public async Task Whoever_a_whole_file_does_not_name_leaves_where_that_is_asked_for()
    {
        var (house, roster) = await OpenAsync();
        await using var _ = house;
        Ok(await roster.TakeAsync("example.test", Bulk(), new(), default));
        var fewer = Bulk(Enrolled.Replace("e3,,,k1,o1,clara,student,,,\n", "", StringComparison.Ordinal), Sessions.Replace("2027-06-01", "2027-06-15", StringComparison.Ordinal));
        var kept = Ok(await roster.TakeAsync("example.test", fewer, new(), default));
        Assert.Equal(("changed", 0), (kept.Classes[0].Deed, kept.Classes[0].People!.Ended));
        var tried = Ok(await roster.TakeAsync("example.test", fewer, new(IsRehearsal: true, EndMissing: true, LeastEnded: 5), default));
        Assert.Equal("ended clara@example.test", Assert.Single(tried.Classes[0].People!.Changes.Select(change => $"{change.Deed} {change.Address}")));
        Ok(await roster.TakeAsync("example.test", fewer, new(EndMissing: true, LeastEnded: 5), default));
        Assert.Contains("clara student ended", People(house, "algebra-1a"));
    }

    [Fact]
    public async Task A_difference_changes_what_it_names_and_nothing_else()
    {
        var (house, roster) = await OpenAsync();
        await using var _ = house;
        Ok(await roster.TakeAsync("example.test", Bulk(), new(), default));
        var difference = Zip("delta",
            ("users", UserColumns + "dora,active,2027-03-01T00:00:00Z,true,Dora,New,dora@example.test,,student\n"),
            ("enrollments", EnrolmentColumns + "e3,tobedeleted,2027-03-01T00:00:00Z,k1,o1,clara,student,,,\ne8,active,2027-03-01T00:00:00Z,k1,o1,dora,student,,,\ne9,active,2027-03-01T00:00:00Z,k1,o1,boris,student,,,\n"));
        Ok(await roster.TakeAsync("example.test", difference, new(EndMissing: true, LeastEnded: 5), default));
        Assert.Equal(["anna teacher", "boris student", "clara student ended", "dora student", "help assistant", "mum guardian of boris@example.test"], People(house, "algebra-1a"));
    }

    [Fact]
    public async Task What_is_no_such_file_is_refused()
    {
        var (house, roster) = await OpenAsync();
        await using var _ = house;
        foreach (var file in new[] { Encoding.UTF8.GetBytes("address,name\n"), Zip("bulk", ("users", ""))[..60], new byte[5000] })
            Assert.NotNull((await roster.TakeAsync("example.test", file, new(), default)).Refusal);
    }
}
