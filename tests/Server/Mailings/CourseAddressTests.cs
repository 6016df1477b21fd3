using System.Text;
using CbaMail.Courses;
using CbaMail.Envelope;
using CbaMail.Mailings;
using Xunit;

namespace CbaMail.Tests.Server.Mailings;

/// <summary>What a teacher writes to the address of a run: who may, what waits, and that it goes out once with a ledger.</summary>
public sealed class CourseAddressTests : IAsyncLifetime
{
    const string Address = "osnovy-2027@example.test";
    readonly MailingFixture house = new();
    CourseAddresses addresses = null!;
    Course course = null!;
    Run run = null!;

    public async ValueTask InitializeAsync()
    {
        course = await house.CourseAsync(3);
        run = MailingFixture.Ok(house.Runs.Find(course, "default"));
        await EnrolAsync("u1@example.test", "teacher");
        await EnrolAsync("u2@example.test", "assistant");
        await EnrolAsync("prof@elsewhere.test", "teacher");
        addresses = Open();
        MailingFixture.Ok(await addresses.PutAsync(course, run, Address, null, null, default));
    }

    public ValueTask DisposeAsync() => house.DisposeAsync();

    CourseAddresses Open() => new(house.Store, house.Users, house.Press, house.Runs, house.Mail, house.Queue, house.Settings, TimeProvider.System);

    async Task EnrolAsync(string address, string role) => MailingFixture.Ok(await house.Enrolments.PutAsync(course, run, address, new EnrolmentWish(Name: "Анна Учитель", Role: role), default));

    static MailAddress Parsed(string text) => MailAddress.TryParse(text, out var address) ? address : throw new ArgumentException(text);

    ValueTask<Refusal?> WriteAsync(string from, string body = "Завтра занятия нет. {{name}}", string id = "one@x", string header = "", bool proven = true, string to = Address) =>
        addresses.TakeAsync(Parsed(to), new CourseMail(Parsed(from), Encoding.UTF8.GetBytes(
            $"From: Anna Teacher <{from}>\r\nTo: {to}\r\nSubject: Tomorrow\r\nMessage-ID: <{id}>\r\n{header}MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{body}\r\n"),
            proven ? house.Users.FindAccount(Parsed(from)) : null, proven ? Parsed(from).DomainKey : null, false, "t"), default);

    CoursePost Post() => Assert.Single(addresses.Posts(course));

    [Fact]
    public async Task A_teachers_letter_goes_to_the_run_as_a_mailing_with_a_ledger()
    {
        Assert.Null(await WriteAsync("u1@example.test"));
        await addresses.GoOnAsync(default);
        var post = Post();
        Assert.Equal("sent", post.State);
        Assert.Equal(4, house.Ledger(post.Mailing).Count);
        var shown = MailingFixture.Ok(house.Press.Preview(post.Mailing, "u3@example.test"));
        Assert.Equal("Anna Teacher <u1@example.test>", shown.From);
        Assert.Equal("Tomorrow", shown.Subject);
        Assert.Contains("Завтра занятия нет. {{name}}", shown.Text, StringComparison.Ordinal); // no field of a template
    }

    [Fact]
    public async Task The_same_letter_is_sent_once_however_often_it_comes_and_whatever_is_cut_off()
    {
        Assert.Null(await WriteAsync("u1@example.test"));
        Assert.Null(await WriteAsync("u1@example.test"));
        await house.RestartAsync();
        addresses = Open();
        await addresses.GoOnAsync(default);
        await addresses.GoOnAsync(default);
        Assert.Equal("sent", Post().State);
        Assert.Single(house.Press.List(course.Id));
    }

    [Theory]
    [InlineData("u3@example.test", true)] // a student
    [InlineData("who@stranger.test", true)]
    [InlineData("u1@example.test", false)] // who says that he is the teacher
    public async Task Nobody_else_may_write(string from, bool proven)
    {
        Assert.Equal("5.7.1", (await WriteAsync(from, proven: proven))?.Status);
        Assert.Empty(addresses.Posts(course));
        Assert.Empty(house.Press.List(course.Id));
    }

    [Fact]
    public async Task A_teacher_elsewhere_writes_in_the_runs_name_with_his_own()
    {
        Assert.Null(await WriteAsync("prof@elsewhere.test"));
        Assert.Equal($"Anna Teacher <{Address}>", MailingFixture.Ok(house.Press.Preview(Post().Mailing, null)).From);
        Assert.Equal("Anna Teacher <prof@elsewhere.test>", MailingFixture.Ok(house.Press.Find(Post().Mailing)).ReplyTo);
    }

    [Fact]
    public async Task What_programs_write_is_dropped()
    {
        Assert.Null(await WriteAsync("u1@example.test", header: "Auto-Submitted: auto-replied\r\n"));
        Assert.Empty(addresses.Posts(course));
    }

    [Fact]
    public async Task An_assistants_letter_waits_until_a_teacher_answers()
    {
        Assert.Null(await WriteAsync("u2@example.test"));
        Assert.Equal("held", Post().State);
        Assert.Equal(["prof@elsewhere.test", "u1@example.test"], house.Queue.List().SelectMany(entry => entry.Recipients).Select(one => one.Address).Order());
        await addresses.GoOnAsync(default);
        Assert.Equal(MailingState.Draft, house.State(Post().Mailing));
        var word = Word();
        Assert.NotNull(await WriteAsync("u1@example.test", to: Address.Replace("@", "-accept+aaaaaaaa@", StringComparison.Ordinal), id: "guess@x"));
        Assert.NotNull(addresses.FindHeld(word));
        Assert.Null(await WriteAsync("u1@example.test", to: Address.Replace("@", $"-accept+{word}@", StringComparison.Ordinal), id: "yes@x"));
        Assert.NotNull(await WriteAsync("u1@example.test", to: Address.Replace("@", $"-accept+{word}@", StringComparison.Ordinal), id: "again@x")); // once
        await addresses.GoOnAsync(default);
        Assert.Equal("sent", Post().State);
    }

    string Word()
    {
        using var reader = house.Mail.Read();
        using var row = reader.Transaction.Prepare("SELECT content_id FROM queue_message ORDER BY id DESC LIMIT 1");
        Assert.True(row.Step());
        var content = reader.Content(row.Int64(0))!;
        var text = Encoding.UTF8.GetString(content.Read(0, (int)content.Size));
        return text[(text.IndexOf("-accept+", StringComparison.Ordinal) + 8)..][..26];
    }

    [Fact]
    public async Task A_rejected_letter_is_not_sent_and_its_author_is_told()
    {
        Assert.Null(await WriteAsync("u2@example.test"));
        var post = Post();
        Assert.Null(await addresses.DecideAsync(post.Id, accept: false, default));
        Assert.NotNull(await addresses.DecideAsync(post.Id, accept: true, default));
        await addresses.GoOnAsync(default);
        Assert.Equal("rejected", Post().State);
        Assert.Equal(MailingState.Cancelled, house.State(post.Mailing));
        Assert.Contains("u2@example.test", house.Queue.List().SelectMany(entry => entry.Recipients).Select(one => one.Address));
    }

    [Fact]
    public async Task An_address_of_a_run_is_nobody_elses_and_can_be_taken_away()
    {
        Assert.False((await addresses.PutAsync(course, run, "u1@example.test", null, null, default)).Ok);
        Assert.False((await house.Users.AddAliasAsync(Address, ["u1@example.test"])).Ok);
        Assert.True(house.Users.Resolve(Parsed(Address)).Ok);
        Assert.Null(await addresses.RemoveAsync(course, Address, default));
        Assert.False(house.Users.Resolve(Parsed(Address)).Ok);
    }

    [Fact]
    public async Task A_run_that_is_removed_takes_its_address_with_it()
    {
        var second = MailingFixture.Ok(await house.Runs.AddAsync(course, new RunWish(Name: "Autumn"), default));
        MailingFixture.Ok(await addresses.PutAsync(course, second, "autumn@example.test", "none", null, default));
        Assert.Null(await house.Runs.RemoveAsync(course, second, default));
        Assert.Equal([Address], addresses.List(course).Select(one => one.Address.ToString()));
        Assert.Equal("5.1.1", (await WriteAsync("u1@example.test", to: "autumn@example.test"))?.Status);
        Assert.True((await house.Users.AddAliasAsync("autumn@example.test", ["u1@example.test"])).Ok);
    }
}
