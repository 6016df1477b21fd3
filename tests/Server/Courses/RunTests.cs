using CbaMail.Courses;
using CbaMail.Envelope;
using CbaMail.Tests.Server.Mailings;
using Xunit;
using static CbaMail.Tests.Server.Mailings.MailingFixture;

namespace CbaMail.Tests.Server.Courses;

public sealed class RunTests
{
    [Fact]
    public async Task A_course_has_a_run_without_dates_from_the_beginning_and_keeps_it()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(2);
        var runs = house.Runs.Runs(course);
        Assert.Equal(("default", null, 2), (runs[0].Slug, runs[0].Starts, runs[0].People));
        Assert.Equal(400, (await house.Runs.RemoveAsync(course, runs[0], default))!.HttpStatus);
    }

    [Fact]
    public async Task A_run_has_dates_a_zone_and_holidays()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(0);
        var run = Ok(await house.Runs.AddAsync(course, new("Весна 2027", "2027-02-01", "2027-06-30", "Europe/Moscow", ["2027-05-01..2027-05-09", "2027-02-23"]), default));
        Assert.Equal("vesna-2027", run.Slug);
        var found = Ok(house.Runs.Find(course, "VESNA-2027"));
        Assert.Equal(new DateOnly(2027, 6, 30), found.Ends);
        Assert.Equal(["2027-02-23", "2027-05-01..2027-05-09"], found.Holidays.Select(IsoDate.Of));
        var moved = Ok(await house.Runs.ChangeAsync(course, found, new(Starts: "2027-02-08", Ends: ""), default));
        Assert.Equal((new DateOnly(2027, 2, 8), null), (moved.Starts, moved.Ends));
        Assert.Equal("starts", (await house.Runs.ChangeAsync(course, found, new(Starts: "8.2.2027 "), default)).Refusal!.Field);
        Assert.Equal("ends", (await house.Runs.ChangeAsync(course, found, new(Ends: "2027-01-01"), default)).Refusal!.Field);
        Assert.Equal("zone", (await house.Runs.ChangeAsync(course, found, new(Zone: "Mars/Olympus"), default)).Refusal!.Field);
        Assert.Equal("holidays", (await house.Runs.ChangeAsync(course, found, new(Holidays: ["2027-05-09..2027-05-01"]), default)).Refusal!.Field);
        Assert.Equal("vesna-2027-2", Ok(await house.Runs.AddAsync(course, new("Весна 2027"), default)).Slug);
        Assert.Null(await house.Runs.RemoveAsync(course, found, default));
        Assert.False(house.Runs.Find(course, "vesna-2027").Ok);
    }

    [Fact]
    public async Task Every_change_of_a_session_raises_its_sequence_and_moving_it_keeps_its_length()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(0);
        var run = Ok(await house.Runs.AddAsync(course, new("Run", Zone: "Europe/Moscow"), default));
        Assert.True(RunBook.TryTime(run, "2027-02-01T10:00", out var starts));
        Assert.Equal(new DateTimeOffset(2027, 2, 1, 7, 0, 0, TimeSpan.Zero), starts);
        var one = Ok(await house.Runs.AddMeetingAsync(course, run, new("Lecture 1", starts, starts!.Value.AddMinutes(90), "Hall 2"), default));
        Assert.Equal((0, "Hall 2"), (one.Sequence, one.Place));
        var moved = Ok(await house.Runs.ChangeMeetingAsync(run, one.Id, new(Starts: starts.Value.AddDays(1)), default));
        Assert.Equal((1, one.Uid, starts.Value.AddDays(1).AddMinutes(90)), (moved.Sequence, moved.Uid, moved.Ends));
        Assert.Equal(1, Ok(await house.Runs.ChangeMeetingAsync(run, one.Id, new(Place: "Hall 2"), default)).Sequence);
        Assert.True(Ok(await house.Runs.ChangeMeetingAsync(run, one.Id, new(Cancelled: true), default)).Cancelled);
        Assert.Equal("ends", (await house.Runs.ChangeMeetingAsync(run, one.Id, new(Ends: starts), default)).Refusal!.Field);
        Assert.False(RunBook.TryTime(run, "tomorrow", out _));
    }

    [Fact]
    public async Task A_person_is_one_in_all_runs_of_a_domain_and_has_a_place_in_each()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(2);
        var spring = Ok(await house.Runs.AddAsync(course, new("Spring"), default));
        var (anna, added) = Ok(await house.Enrolments.PutAsync(course, spring, "U1@example.test", new(Role: "преподаватель", Groups: ["B", " a ", "b"], Language: "русский", Zone: "Asia/Omsk",
            From: "2027-02-01", Fields: new Dictionary<string, string> { ["seat"] = "7" }, Attributes: new Dictionary<string, string> { ["city"] = "Омск" }), default));
        Assert.True(added);
        Assert.Equal((CourseRole.Teacher, "ru", "Asia/Omsk", "Участник 1", "u1@example.test"), (anna.Role, anna.Person.Language, anna.Person.Zone, anna.Person.Name, anna.Person.Address));
        Assert.Equal(["a", "B"], anna.Groups);
        Assert.Contains("seat", Ok(house.Courses.Find(course.Slug)).Columns);
        Assert.Equal(2, Ok(house.Courses.Find(course.Slug)).Participants);
        Assert.Equal(2, house.Enrolments.Of(course).Count(one => one.Person.Id == anna.Person.Id));
        // the same again changes nothing, and what is not named stays
        var again = Ok(await house.Enrolments.PutAsync(course, spring, "u1@example.test", new(Groups: ["A", "b"]), default)).Now;
        Assert.Equal(anna.Groups, again.Groups);
        Assert.Equal(anna.From, again.From);
        Assert.Null(await house.Enrolments.RemoveAsync(course, spring, "u1@example.test", default));
        Assert.Equal(404, (await house.Enrolments.RemoveAsync(course, spring, "u1@example.test", default))!.HttpStatus);
        Assert.Equal("Омск", MergeJson.Read(house.Enrolments.Of(course)[0].Person.Attributes)["city"]);
    }

    [Fact]
    public async Task A_guardian_names_whom_he_looks_after_and_they_are_in_the_run()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(2);
        var run = Ok(house.Runs.Find(course, ""));
        var mother = Ok(await house.Enrolments.PutAsync(course, run, "mother@elsewhere.test", new(GuardianOf: ["U2@example.test"]), default)).Now;
        Assert.Equal((CourseRole.Guardian, "u2@example.test"), (mother.Role, mother.GuardianOf.Single()));
        Assert.Equal(404, (await house.Enrolments.PutAsync(course, run, "mother@elsewhere.test", new(GuardianOf: ["nobody@example.test"]), default)).Refusal!.HttpStatus);
        Assert.Null(await house.Courses.RemoveParticipantAsync(course.Slug, "u2@example.test", default));
        Assert.Empty(Ok(house.Enrolments.Find(course, run, "mother@elsewhere.test")).GuardianOf);
    }

    [Theory]
    [InlineData("role", "Backend developer")]
    [InlineData("from", "yesterday")]
    [InlineData("until", "2000-01-01")]
    [InlineData("status", "asleep")]
    [InlineData("language", "de")]
    [InlineData("zone", "../etc/passwd")]
    public async Task What_is_not_valid_is_refused_by_its_field(string field, string value)
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(0);
        var wish = new EnrolmentWish(Role: field == "role" ? value : null, From: field == "from" ? value : "2027-01-01", Until: field == "until" ? value : null,
            Status: field == "status" ? value : null, Language: field == "language" ? value : null, Zone: field == "zone" ? value : null);
        Assert.Equal(field, (await house.Enrolments.PutAsync(course, Ok(house.Runs.Find(course, "default")), "a@example.test", wish, default)).Refusal?.Field);
    }

    [Fact]
    public async Task Who_is_not_in_a_run_today_gets_no_mailing()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(4);
        var run = Ok(house.Runs.Find(course, "default"));
        Ok(await house.Enrolments.PutAsync(course, run, "u1@example.test", new(From: "2199-01-01"), default));
        Ok(await house.Enrolments.PutAsync(course, run, "u2@example.test", new(Until: "2001-01-01"), default));
        Ok(await house.Enrolments.PutAsync(course, run, "u3@example.test", new(Status: "ended"), default));
        var id = await house.MailingAsync(course);
        await house.SendAsync(id);
        Assert.Equal(["u4@example.test"], house.Ledger(id).Select(row => row.Address));
    }

    [Fact]
    public async Task Groups_are_renamed_and_removed_and_their_people_stay()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(1);
        var run = Ok(house.Runs.Find(course, "default"));
        Ok(await house.Runs.AddGroupAsync(run, "B", default));
        Assert.Equal(Refusal.AlreadyExists.HttpStatus, (await house.Runs.AddGroupAsync(run, " b", default)).Refusal!.HttpStatus);
        Ok(await house.Enrolments.PutAsync(course, run, "u1@example.test", new(Groups: ["b"]), default));
        Assert.Equal(("Б", 1), (Ok(await house.Runs.RenameGroupAsync(run, "b", "Б", default)).Name, house.Runs.Groups(run).Single(group => group.Name == "Б").People));
        Assert.Null(await house.Runs.RemoveGroupAsync(run, "б", default));
        Assert.Empty(Ok(house.Enrolments.Find(course, run, "u1@example.test")).Groups);
    }
}
