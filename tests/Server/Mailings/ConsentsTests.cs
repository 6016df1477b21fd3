using CbaMail.Courses;
using CbaMail.Mailings;
using Xunit;

namespace CbaMail.Tests.Server.Mailings;

/// <summary>Who has left what, and which mailings leave him out for it.</summary>
public sealed class ConsentsTests : IAsyncDisposable
{
    readonly MailingFixture house = new();

    public ValueTask DisposeAsync() => house.DisposeAsync();

    async Task<long> SentAsync(Course course, MailingClass kind)
    {
        var id = MailingFixture.Ok(await house.Press.CreateAsync(new(course.Slug, "school@example.test", "Hello, {{name}}", "<body><p>{{name}}</p></body>", null, [], Class: kind), default)).Id;
        var outcome = await house.Press.SendAsync(id, false, default);
        if (outcome.Refusal is null) await house.Run.RunAllAsync(default);
        return id;
    }

    Reader ReaderOf(long mailing, string address) => house.Press.Consents.Find(house.Ledger(mailing).Single(row => string.Equals(row.Address, address, StringComparison.OrdinalIgnoreCase)).Id)!;

    (LedgerState, string) Row(long mailing, string address) => house.Ledger(mailing).Where(row => row.Address == address).Select(row => (row.State, row.Reply)).Single();

    static string Today => DateTimeOffset.UtcNow.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);

    [Fact]
    public async Task Leaving_a_course_keeps_its_mail_away_and_neither_what_is_mandatory_nor_other_classes()
    {
        var course = await house.CourseAsync(3);
        var first = await SentAsync(course, MailingClass.Course);
        Assert.True(await house.Press.Consents.SetAsync(ReaderOf(first, "u2@example.test"), wanted: false, "one-click", default));
        var next = await SentAsync(course, MailingClass.Course);
        Assert.Equal((LedgerState.Skipped, $"unsubscribed from the mail of {course.Slug} on {Today} (one-click)"), Row(next, "u2@example.test"));
        Assert.Equal(new LedgerCounts(3, 0, 0, 2, 0, 0, 1), house.Counts(next));
        Assert.Equal(3, house.Counts(await SentAsync(course, MailingClass.Mandatory)).Delivered);
        Assert.Equal(3, house.Counts(await SentAsync(course, MailingClass.Optional)).Delivered);
        Assert.Equal(1, house.Press.Consents.Left(first));
        await house.Press.Consents.SetAsync(ReaderOf(first, "u2@example.test"), wanted: true, "page", default);
        Assert.Equal(3, house.Counts(await SentAsync(course, MailingClass.Course)).Delivered);
        Assert.Equal(0, house.Press.Consents.Left(first));
        Assert.Equal([(true, "page"), (false, "one-click")], house.Press.Consents.Of(course, "u2@example.test").Select(said => (said.Wanted, said.Source)));
    }

    [Fact]
    public async Task Leaving_optional_mail_counts_in_every_course_of_the_domain()
    {
        var course = await house.CourseAsync(2);
        var other = MailingFixture.Ok(await house.Courses.AddAsync("Другой курс", "example.test", null, default));
        MailingFixture.Ok(await house.Courses.ImportAsync(other.Slug, "address,name\nU1@example.test,Один\n"u8.ToArray(), default));
        await house.Press.Consents.SetAsync(ReaderOf(await SentAsync(course, MailingClass.Optional), "u1@example.test"), wanted: false, "page", default);
        var id = MailingFixture.Ok(await house.Press.CreateAsync(new(other.Slug, "school@example.test", "x", null, "x", [], Class: MailingClass.Optional), default)).Id;
        Assert.Contains("nobody is left", (await house.Press.SendAsync(id, false, default)).Refusal!.Sentence, StringComparison.Ordinal);
        Assert.Equal(1, house.Counts(await SentAsync(other, MailingClass.Course)).Delivered);
    }

    [Fact]
    public async Task Marketing_goes_to_who_has_asked_for_it_alone_and_a_manager_says_on_what_that_rests()
    {
        var course = await house.CourseAsync(2);
        var without = await house.Press.Consents.NoteAsync(course, "u1@example.test", MailingClass.Marketing, true, "", default);
        Assert.Equal("basis", without.Refusal!.Field);
        MailingFixture.Ok(await house.Press.Consents.NoteAsync(course, "u1@example.test", MailingClass.Marketing, true, "form of 1 September", default));
        var id = await SentAsync(course, MailingClass.Marketing);
        Assert.Equal(LedgerState.Delivered, Row(id, "u1@example.test").Item1);
        Assert.Equal((LedgerState.Skipped, "has not asked for marketing mail"), Row(id, "u2@example.test"));
        Assert.False((await house.Press.Consents.NoteAsync(course, "u1@example.test", MailingClass.Mandatory, false, "", default)).Ok);
    }

    [Fact]
    public async Task Who_leaves_while_a_mailing_is_on_its_way_gets_no_more_of_it()
    {
        var course = await house.CourseAsync(20);
        var first = await SentAsync(course, MailingClass.Course);
        var reader = ReaderOf(first, "u20@example.test");
        var id = await house.MailingAsync(course);
        await house.SendAsync(id);
        await house.Press.Consents.SetAsync(reader, wanted: false, "page", default);
        await house.Run.RunAllAsync(default);
        Assert.Equal(LedgerState.Skipped, Row(id, "u20@example.test").Item1);
        Assert.Equal(19, house.Counts(id).Delivered);
    }

    [Fact]
    public async Task A_pause_keeps_all_but_mandatory_mail_away_until_it_is_over()
    {
        var course = await house.CourseAsync(1);
        var reader = ReaderOf(await SentAsync(course, MailingClass.Course), "u1@example.test");
        var until = DateTimeOffset.UtcNow.AddDays(7);
        await house.Press.Consents.WishAsync(reader, new([course.Id], true, false, "ru", "Europe/Moscow", until, false), default);
        var sheet = house.Press.Consents.Sheet(reader, mailing => house.Press.ComposerOf(mailing.Id, false));
        Assert.Equal(("ru", "Europe/Moscow"), (sheet.Choice.Language, sheet.Choice.Zone));
        Assert.Equal("Hello, Участник 1", sheet.Sent.Single().Subject);
        Assert.Equal(MailingState.Draft, house.State(await SentAsync(course, MailingClass.Course)));
        Assert.Equal(1, house.Counts(await SentAsync(course, MailingClass.Mandatory)).Delivered);
        await house.Press.Consents.WishAsync(reader, new([course.Id], true, false, null, null, null, false), default);
        Assert.Equal(1, house.Counts(await SentAsync(course, MailingClass.Course)).Delivered);
    }

    [Fact]
    public async Task A_complaint_keeps_no_mandatory_mail_away_and_a_dead_address_all()
    {
        var course = await house.CourseAsync(1, "c@elsewhere.test,C,A\nd@elsewhere.test,D,A\n");
        await house.Queue.Suppressions.AddAsync("c@elsewhere.test", "complaint", "", null);
        await house.Queue.Suppressions.AddAsync("d@elsewhere.test", "dead", "", null);
        var mandatory = await SentAsync(course, MailingClass.Mandatory);
        Assert.Equal([LedgerState.Delivered, LedgerState.Queued, LedgerState.Skipped], house.Ledger(mandatory).Select(row => row.State));
        Assert.Equal(2, house.Counts(await SentAsync(course, MailingClass.Course)).Skipped);
    }

    [Fact]
    public async Task The_header_says_what_the_class_allows_and_copies_stay_the_same_bytes()
    {
        var course = await house.CourseAsync(1);
        var mandatory = Header(await SentAsync(course, MailingClass.Mandatory));
        Assert.DoesNotContain("List-Unsubscribe", mandatory, StringComparison.Ordinal);
        Assert.Contains($"List-Id: <{course.Slug}.example.test>\r\n", mandatory, StringComparison.Ordinal);
        Assert.Contains("List-Owner: <mailto:school@example.test>\r\n", mandatory, StringComparison.Ordinal);
        var mail = await SentAsync(course, MailingClass.Course);
        Assert.Matches(@"List-Unsubscribe: <https?://\S+/u/[a-z2-7.]+>,\s+<mailto:unsubscribe\+[a-z2-7.]+@example\.test\?subject=unsubscribe>\r\n", Header(mail));
        Assert.Contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", Header(mail), StringComparison.Ordinal);
        Assert.DoesNotContain("/u/", Body(mail), StringComparison.Ordinal);
        var offer = await SentAsync(course, MailingClass.Optional);
        Assert.Contains("/u/", Body(offer), StringComparison.Ordinal);
        Assert.Contains(":optional:", Header(offer), StringComparison.Ordinal);

        string Copy(long id) => house.Inbox("u1@example.test").Single(text => text.Contains(house.Ledger(id)[0].MessageId, StringComparison.Ordinal));
        string Header(long id) => Copy(id)[..(Copy(id).IndexOf("\r\n\r\n", StringComparison.Ordinal) + 2)];
        string Body(long id) => Copy(id)[Copy(id).IndexOf("\r\n\r\n", StringComparison.Ordinal)..];
    }

    [Fact]
    public async Task A_link_is_good_after_a_restart_and_nobody_can_make_one()
    {
        var course = await house.CourseAsync(1);
        var row = house.Ledger(await SentAsync(course, MailingClass.Course))[0];
        var token = house.Press.Links.Page(row.Id, DateTimeOffset.UtcNow).Split('/')[^1];
        await house.RestartAsync();
        Assert.Equal(row.Id, house.Press.Links.Read(token));
        Assert.Null(house.Press.Links.Read(token[..^2] + (token[^2] == 'a' ? "bb" : "aa")));
        Assert.Null(house.Press.Links.Read("x"));
        // what leads a bounce back takes nobody off
        var bounce = await house.Store.CommitAsync(write => house.Queue.Bounces.Make(write, CbaMail.Queue.BounceKind.Ledger, row.Id, "link"));
        Assert.Null(house.Press.Links.Read(bounce.LocalPart["bounce+".Length..]));
    }
}
