using System.Text.RegularExpressions;
using CbaMail.Mailings;
using CbaMail.Mailings.Tracking;
using CbaMail.Queue;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Mailings.Tracking;

/// <summary>What is seen of copies: by people, and by programs that look into mail.</summary>
public sealed partial class SightingsTests
{
    const string Firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    const string Letter = "<html><body><p>{{name}}</p><a href=\"https://a.example/x?y=1&amp;z=2\">A</a> <a href='https://b.example/'>B</a> <a href=\"https://c.example/{{group}}\">C</a> <a href=\"mailto:x@y.example\">M</a></body></html>";

    [GeneratedRegex("href=\"(http[^\"]+/c/[^\"]+)\"")] private static partial Regex Links { get; }

    sealed class House(MailingFixture fixture, Sightings sightings, ResponseBook book, long mailing) : IAsyncDisposable
    {
        public MailingFixture Fixture => fixture;
        public long Mailing => mailing;

        public static async Task<House> OpenAsync(bool pixel = true, bool clicks = true)
        {
            var fixture = new MailingFixture();
            var course = await fixture.CourseAsync(3);
            var mailing = MailingFixture.Ok(await fixture.Press.CreateAsync(new(course.Slug, "school@example.test", "Привет", Letter, null, [], Pixel: pixel, Clicks: clicks), default)).Id;
            await fixture.SendAsync(mailing);
            await fixture.Run.RunAllAsync(default);
            return new(fixture, new Sightings(fixture.Store, fixture.Settings, TimeProvider.System, NullLogger<Sightings>.Instance), new ResponseBook(fixture.Store), mailing);
        }

        public LedgerRow Row(int person) => fixture.Ledger(mailing)[person - 1];
        public ResponseCounts Counts => MailingFixture.Ok(book.Of(mailing)).Counts;
        public IReadOnlyList<FollowedLink> Links => MailingFixture.Ok(book.Of(mailing)).Links;

        public async Task SeeAsync(int person, SightingKind kind, double seconds, string link = "", string agent = Firefox, bool head = false)
        {
            sightings.See(new(Row(person).Id, kind, link, agent, head, Row(person).At.AddSeconds(seconds)));
            await sightings.WriteAsync();
        }

        public IReadOnlyList<LedgerEvent> Events(int person)
        {
            using var read = fixture.Store.Read();
            return LedgerEventTable.Of(read, Row(person).Id);
        }

        public ValueTask DisposeAsync()
        {
            sightings.Dispose();
            return fixture.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_copy_has_its_picture_and_links_that_lead_where_they_led()
    {
        await using var house = await House.OpenAsync();
        var copy = house.Fixture.Inbox("u1@example.test")[0];
        var html = Quoted(copy);
        Assert.Contains("/o/", html);
        Assert.Contains("href=\"mailto:x@y.example\"", html);
        var links = Links.Matches(html).Select(match => System.Net.WebUtility.HtmlDecode(match.Groups[1].Value)).ToList();
        Assert.Equal(["https://a.example/x?y=1&z=2", "https://b.example/", "https://c.example/Б-1"], links.Take(3).Select(Target));
        Assert.Equal(4, links.Count); // and one that nobody sees
        Assert.Contains("display:none", html);
        var tracked = house.Fixture.Press.Links.Tracked;
        foreach (var link in links) Assert.Equal(house.Row(1).Id, tracked.ReadLink(Token(link), Target(link))!.Id);
        Assert.Equal(BounceKind.Unseen, tracked.ReadLink(Token(links[3]), Target(links[3]))!.Kind);
        Assert.Null(tracked.ReadLink(Token(links[0]), "https://evil.example/"));
        var token = Token(links[0]);
        Assert.Null(tracked.ReadLink(token[..^1] + (token[^1] == 'a' ? 'b' : 'a'), Target(links[0])));
        Assert.Null(house.Fixture.Press.Links.Read(Token(links[0]))); // no way out of a mailing
        Assert.DoesNotContain("/o/", Quoted(house.Fixture.Inbox("u1@example.test")[0]).Replace(html, "", StringComparison.Ordinal));
    }

    static string Token(string link) => link[(link.IndexOf("/c/", StringComparison.Ordinal) + 3)..link.IndexOf('?', StringComparison.Ordinal)];
    static string Target(string link) => Uri.UnescapeDataString(link[(link.IndexOf("?u=", StringComparison.Ordinal) + 3)..]);

    static string Quoted(string message) => message.Contains("quoted-printable", StringComparison.OrdinalIgnoreCase)
        ? message.Replace("=\r\n", "", StringComparison.Ordinal).Replace("=3D", "=", StringComparison.Ordinal) : message;

    [Fact]
    public async Task Without_a_wish_of_its_author_a_mailing_tells_nothing()
    {
        await using var house = await House.OpenAsync(pixel: false, clicks: false);
        var copy = Quoted(house.Fixture.Inbox("u1@example.test")[0]);
        Assert.Contains("https://b.example/", copy);
        Assert.DoesNotContain("/o/", copy);
        Assert.DoesNotContain("/c/", copy);
        var course = MailingFixture.Ok(house.Fixture.Press.CourseOf(house.Mailing));
        var refused = await house.Fixture.Press.CreateAsync(new(course.Slug, "school@example.test", "x", null, "text", [], Pixel: true), default);
        Assert.Equal("html", refused.Refusal!.Field);
    }

    [Fact]
    public async Task A_person_opens_and_follows_links()
    {
        await using var house = await House.OpenAsync();
        await house.SeeAsync(1, SightingKind.Opened, 60);
        await house.SeeAsync(1, SightingKind.Opened, 61);
        await house.SeeAsync(1, SightingKind.Clicked, 70, "https://a.example/");
        await house.SeeAsync(2, SightingKind.Clicked, 3600, "https://a.example/"); // pictures are not shown to everybody
        Assert.Equal(house.Row(1).At.AddSeconds(60), house.Row(1).Opened);
        Assert.Equal(house.Row(1).At.AddSeconds(70), house.Row(1).Clicked);
        Assert.Null(house.Row(2).Opened);
        Assert.Equal((3, 2, 2, 0, 0), (house.Counts.Delivered, house.Counts.Opened, house.Counts.Clicked, house.Counts.OpenedByScanners, house.Counts.ClickedByScanners));
        Assert.Equal(2, house.Events(1).Single(one => one.Kind == "opened").Count);
        Assert.Equal([new FollowedLink("https://a.example/", 2, 2, 0)], house.Links);
    }

    [Theory]
    [InlineData(SightingKind.Clicked, 120, Firefox, true, "it asked with HEAD")]
    [InlineData(SightingKind.Clicked, 120, "Barracuda Sentinel (EE)", false, "it calls itself barracuda")]
    [InlineData(SightingKind.Clicked, 120, "", false, "it does not say what it is")]
    [InlineData(SightingKind.Opened, 120, "Mozilla/5.0", false, "Apple fetches pictures of all mail")]
    [InlineData(SightingKind.Opened, 2, Firefox, false, "within 5 s of delivery")]
    [InlineData(SightingKind.Clicked, 20, Firefox, false, "a link within a minute of delivery, before the letter was opened")]
    [InlineData(SightingKind.Unseen, 120, Firefox, false, "it followed a link that people do not see")]
    public async Task A_program_is_told_apart_and_shown_apart(SightingKind kind, int seconds, string agent, bool head, string why)
    {
        await using var house = await House.OpenAsync();
        await house.SeeAsync(1, kind, seconds, kind == SightingKind.Clicked ? "https://a.example/" : "", agent, head);
        Assert.Equal((null, null), (house.Row(1).Opened, house.Row(1).Clicked));
        Assert.Equal(why, Assert.Single(house.Events(1)).Scanner);
        Assert.Equal((0, 0), (house.Counts.Opened, house.Counts.Clicked));
        Assert.Equal((kind == SightingKind.Opened ? 1 : 0, kind == SightingKind.Clicked ? 1 : 0), (house.Counts.OpenedByScanners, house.Counts.ClickedByScanners));
        // a person who comes after it is one
        await house.SeeAsync(1, SightingKind.Opened, 4000, agent: "Thunderbird");
        Assert.NotNull(house.Row(1).Opened);
        Assert.Equal((1, 0), (house.Counts.Opened, house.Counts.OpenedByScanners));
    }

    [Fact]
    public async Task Who_follows_all_links_within_seconds_is_a_program_after_all()
    {
        await using var house = await House.OpenAsync();
        await house.SeeAsync(1, SightingKind.Clicked, 300, "https://a.example/");
        Assert.NotNull(house.Row(1).Clicked);
        await house.SeeAsync(1, SightingKind.Clicked, 300.3, "https://b.example/");
        Assert.Null(house.Row(1).Clicked);
        await house.SeeAsync(1, SightingKind.Clicked, 310, "https://c.example/");
        Assert.Null(house.Row(1).Clicked);
        await house.SeeAsync(1, SightingKind.Clicked, 5000, "https://c.example/"); // hours later it is his browser
        Assert.NotNull(house.Row(1).Clicked);
        // at a person's pace
        foreach (var (link, at) in new[] { ("https://a.example/", 300), ("https://b.example/", 308), ("https://c.example/", 320) }) await house.SeeAsync(2, SightingKind.Clicked, at, link);
        Assert.NotNull(house.Row(2).Clicked);
        // what nobody sees tells of what was seen just before
        await house.SeeAsync(3, SightingKind.Clicked, 300, "https://a.example/");
        await house.SeeAsync(3, SightingKind.Unseen, 301);
        Assert.Null(house.Row(3).Clicked);
    }

    [Fact]
    public async Task A_flood_of_one_link_is_a_few_rows()
    {
        await using var house = await House.OpenAsync();
        for (var i = 0; i < 300; i++) await house.SeeAsync(1, SightingKind.Clicked, 100 + i * 400, $"https://{i % 100}.example/");
        Assert.Equal(60, house.Events(1).Count);
        Assert.Equal(300, house.Events(1).Sum(one => one.Count));
        await house.SeeAsync(1, SightingKind.Opened, 90); // of a row that is not there nothing is kept
        using var sightings = new Sightings(house.Fixture.Store, house.Fixture.Settings, TimeProvider.System, NullLogger<Sightings>.Instance);
        for (var i = 0; i < Sightings.MostWaiting + 5; i++) sightings.See(new(999_999, SightingKind.Opened, "", Firefox, false, DateTimeOffset.UtcNow));
        Assert.Equal(5, sightings.Dropped);
        await sightings.WriteAsync();
    }

    [Fact]
    public async Task Audiences_ask_who_opened_clicked_and_replied()
    {
        await using var house = await House.OpenAsync();
        await house.SeeAsync(1, SightingKind.Opened, 60);
        await house.SeeAsync(2, SightingKind.Clicked, 3600, "https://a.example/");
        await house.SeeAsync(3, SightingKind.Opened, 1);
        Replying(house, 3, automatic: false);
        var course = MailingFixture.Ok(house.Fixture.Press.CourseOf(house.Mailing));
        IEnumerable<string> Who(string text) => MailingFixture.Ok(house.Fixture.Audiences.Preview(course, MailingFixture.Ok(house.Fixture.Audiences.Parse(course, text)))).People.Select(one => one.Address[..2]);
        Assert.Equal(["u1", "u2"], Who($"who opened mailing {house.Mailing}"));
        Assert.Equal(["u3"], Who($"who have not opened mailing {house.Mailing}"));
        Assert.Equal(["u2"], Who($"who clicked mailing {house.Mailing}"));
        Assert.Equal(["u3"], Who($"who replied mailing {house.Mailing}"));
    }

    static void Replying(House house, int person, bool automatic) =>
        house.Fixture.Store.CommitAsync(write => { new Replies(house.Fixture.Store, TimeProvider.System).Record(write, new(house.Row(person).Id, "x@y", automatic)); return true; }, default).AsTask().GetAwaiter().GetResult();

    [Theory]
    [InlineData("u1@example.test", "In-Reply-To: <{0}>", "", true, false)]
    [InlineData("u1@example.test", "References: <a@b> <{0}> <c@d>\r\nIn-Reply-To: <c@d>", "", true, false)]   // his answer to an answer
    [InlineData("school@example.test", "References: <{0}> <c@d>\r\nIn-Reply-To: <c@d>", "", false, false)]     // the sender answers
    [InlineData("school@example.test", "In-Reply-To: <{0}>", "", false, false)]
    [InlineData("other@else.test", "In-Reply-To: <{0}>", "", true, false)]                                    // from another address of his
    [InlineData("u1@example.test", "In-Reply-To: <{0}>", "Auto-Submitted: auto-replied\r\n", true, true)]
    [InlineData("u1@example.test", "In-Reply-To: <{0}>", "Auto-Submitted: no\r\n", true, false)]
    [InlineData("u1@example.test", "In-Reply-To: <{0}>", "Precedence: bulk\r\n", true, true)]
    [InlineData("u1@example.test", "In-Reply-To: <{0}x>", "", false, false)]
    [InlineData("u1@example.test", "In-Reply-To: <{0}>", "Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n", false, false)]
    public async Task An_answer_is_found_by_the_message_that_it_names(string from, string names, string more, bool found, bool automatic)
    {
        await using var house = await House.OpenAsync();
        var message = $"From: <{from}>\r\nTo: <school@example.test>\r\nMessage-ID: <r1@else.test>\r\n{string.Format(System.Globalization.CultureInfo.InvariantCulture, names, house.Row(1).MessageId)}\r\n{more}Subject: Re\r\n\r\nok\r\n";
        var reply = new Replies(house.Fixture.Store, TimeProvider.System).Find(System.Text.Encoding.UTF8.GetBytes(message), fromNobody: false);
        Assert.Equal(found ? (house.Row(1).Id, "r1@else.test", automatic) : ((long, string, bool)?)null, reply is null ? null : (reply.LedgerId, reply.MessageId, reply.IsAutomatic));
    }

    [Fact]
    public async Task An_answer_counts_once_and_one_of_a_program_apart()
    {
        await using var house = await House.OpenAsync();
        Replying(house, 1, automatic: true);
        Assert.Null(house.Row(1).Replied);
        Replying(house, 1, automatic: false);
        Replying(house, 1, automatic: false);
        Assert.NotNull(house.Row(1).Replied);
        Assert.Equal((1, 1), (house.Counts.Replied, house.Counts.AutoReplied));
        Assert.Equal(["auto-replied", "replied"], house.Events(1).Select(one => one.Kind));
    }
}
