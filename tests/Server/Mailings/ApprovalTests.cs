using CbaMail.Courses;
using CbaMail.Mailings;
using CbaMail.Mailings.Approvals;
using Xunit;
using static CbaMail.Tests.Server.Mailings.MailingFixture;

namespace CbaMail.Tests.Server.Mailings;

/// <summary>A second person says yes to what is then sent, and to nothing else.</summary>
public sealed class ApprovalTests : IAsyncDisposable
{
    const string Author = "school@example.test", Second = "dean@example.test";

    readonly MailingFixture world = new();
    ApprovalBook book = null!;
    Course course = null!;

    async Task OpenAsync(int above = 0, params MailingClass[] classes)
    {
        course = await world.CourseAsync(10);
        await world.Users.AddAccountsAsync([new("dean@example.test", "Dean"), new("school@example.test", "School")]);
        book = new ApprovalBook(world.Store, world.Mail, world.Queue, world.Press, world.Settings, TimeProvider.System);
        Ok(await book.PutPolicyAsync("example.test", null, new(classes, above, [Second, Author]), default));
    }

    public async ValueTask DisposeAsync() => await world.DisposeAsync();

    async Task<long> WriteAsync(string subject = "Hello", string? to = null, MailingClass kind = MailingClass.Course, long? parent = null, string html = "<p>Hello</p>") =>
        Ok(await world.Press.CreateAsync(new(course.Slug, Author, subject, html, null, [], To: to, Class: kind, Parent: parent, Author: Author), default)).Id;

    async Task<string> SendAsync(long id) => (await world.Press.SendAsync(id, false, default)).Refusal?.Sentence ?? "";

    async Task SaveAsync(string rule)
    {
        Assert.True(AudienceText.TryParse(rule, out var parsed, out _));
        Ok(await world.Audiences.SaveAsync(course, "few", parsed!, false, default));
    }

    ApprovalView Look(long id) => Ok(book.Look(id));

    [Fact]
    public async Task Without_a_yes_nothing_goes_out_and_with_it_everything()
    {
        await OpenAsync();
        var id = await WriteAsync();
        Assert.Contains("needs the approval of a second person", await SendAsync(id));
        Assert.Equal(("none", true), (Look(id).State, Look(id).Needed));
        var asked = Ok(await book.AskAsync(id, Author, "Before Monday, please", default));
        Assert.Equal(("asked", 10, "Before Monday, please"), (asked.State, asked.Readers, asked.Note));
        Assert.Contains("waits for the approval", await SendAsync(id));
        Assert.Null(await book.DecideAsync(id, Second, false, true, null, default));
        Assert.Equal(("approved", Second), (Look(id).State, Look(id).DecidedBy));
        Assert.Equal("", await SendAsync(id));
    }

    [Fact]
    public async Task Nobody_approves_his_own_and_strangers_approve_nothing()
    {
        await OpenAsync();
        var id = await WriteAsync();
        Ok(await book.AskAsync(id, "u1@example.test", null, default));
        Assert.Contains("another person must", (await book.DecideAsync(id, Author, true, true, null, default))!.Sentence); // he administers the domain, and wrote it
        Assert.Contains("another person must", (await book.DecideAsync(id, "u1@example.test", true, true, null, default))!.Sentence); // who asks is no second person either
        Assert.Contains("not among those", (await book.DecideAsync(id, "u2@example.test", false, true, null, default))!.Sentence);
        Assert.Equal("asked", Look(id).State);
        Assert.Null(await book.DecideAsync(id, "u2@example.test", mayAnyway: true, true, null, default));
        Assert.Contains("Nobody asks", (await book.DecideAsync(id, Second, false, true, null, default))!.Sentence); // once
    }

    [Fact]
    public async Task A_refusal_says_why_and_holds()
    {
        await OpenAsync();
        var id = await WriteAsync();
        Ok(await book.AskAsync(id, Author, null, default));
        Assert.Contains("Say why", (await book.DecideAsync(id, Second, false, false, " ", default))!.Sentence);
        Assert.Null(await book.DecideAsync(id, Second, false, false, "the hour is wrong", default));
        Assert.Contains($"was refused by {Second}: the hour is wrong", await SendAsync(id));
        Assert.Null(await book.WithdrawAsync(id, default));
        Assert.Contains("needs the approval", await SendAsync(id));
    }

    [Fact]
    public async Task An_audience_that_means_others_by_now_is_not_what_was_approved()
    {
        await OpenAsync();
        await SaveAsync("in group Б-1");
        var id = await WriteAsync(to: "few");
        Ok(await book.AskAsync(id, Author, null, default));
        Assert.Null(await book.DecideAsync(id, Second, false, true, null, default));
        await SaveAsync("in group Б-2");
        Assert.Equal("changed", Look(id).State);
        Assert.Contains("has changed since it was approved (audience)", await SendAsync(id));
        Ok(await book.AskAsync(id, Author, null, default));
        await SaveAsync("everybody");
        Assert.Contains("must be asked for again", (await book.DecideAsync(id, Second, false, true, null, default))!.Sentence);
    }

    [Fact]
    public async Task A_few_who_join_are_no_other_mailing_but_many_are()
    {
        await OpenAsync();
        var (few, many) = (await WriteAsync("few"), await WriteAsync("many"));
        foreach (var id in new[] { few, many })
        {
            Ok(await book.AskAsync(id, Author, null, default));
            Assert.Null(await book.DecideAsync(id, Second, false, true, null, default));
        }
        async Task JoinAsync(int from, int to) => Ok(await world.Courses.ImportAsync(course.Slug,
            System.Text.Encoding.UTF8.GetBytes("address,name,group\n" + string.Concat(Enumerable.Range(from, to - from).Select(i => $"j{i}@elsewhere.test,J {i},x\n"))), default));
        await JoinAsync(0, 6);
        Assert.Equal("", await SendAsync(few));
        await JoinAsync(6, 7);
        Assert.Contains("(readers)", await SendAsync(many));
    }

    [Theory]
    [InlineData(MailingClass.Marketing, 5, true)]
    [InlineData(MailingClass.Course, 5, false)]
    [InlineData(MailingClass.Marketing, 10, false)]
    public async Task A_policy_covers_classes_and_sizes(MailingClass kind, int above, bool needed)
    {
        await OpenAsync(above, MailingClass.Marketing, MailingClass.Mandatory);
        Assert.Equal(needed, Look(await WriteAsync(kind: kind)).Needed);
    }

    [Fact]
    public async Task What_is_sent_again_to_some_of_them_was_approved_with_the_first()
    {
        await OpenAsync();
        var id = await WriteAsync();
        Ok(await book.AskAsync(id, Author, null, default));
        Assert.Null(await book.DecideAsync(id, Second, false, true, null, default));
        Assert.Equal("", await SendAsync(await WriteAsync(to: "in group Б-1", parent: id)));
        Assert.Contains("needs the approval", await SendAsync(await WriteAsync(parent: id, html: "<p>Something else</p>")));
    }

    [Fact]
    public async Task A_schedule_needs_it_too()
    {
        await OpenAsync();
        var id = await WriteAsync();
        Assert.Contains("needs the approval", (await world.Timetable.SetAsync(id, "at 2099-09-01 08:00", null, default))!.Sentence);
        Ok(await book.AskAsync(id, Author, null, default));
        Assert.Null(await book.DecideAsync(id, Second, false, true, null, default));
        Assert.Null(await world.Timetable.SetAsync(id, "at 2099-09-01 08:00", null, default));
    }

    [Fact]
    public async Task A_link_is_of_one_approver_works_once_and_ends_with_the_question()
    {
        await OpenAsync();
        var id = await WriteAsync();
        Ok(await book.AskAsync(id, "u1@example.test", null, default));
        using (var read = world.Store.Read()) Assert.Equal(1, Links(read)); // none for its author, though the policy names him
        Assert.Null(book.Find("no such token"));
        Assert.Contains("not valid any more", (await book.DecideAsync("0123", true, null, default))!.Sentence);
        Assert.Null(await book.WithdrawAsync(id, default));
        using (var read = world.Store.Read()) Assert.Equal(0, Links(read));
    }

    static long Links(CbaMail.Storage.ReadTransaction read) => read.Prepare("SELECT count(*) FROM approval_link").Scalar() ?? 0;
}
