using CbaMail.Mailings;
using CbaMail.Mailings.Tracking;
using Xunit;

namespace CbaMail.Tests.Server.Mailings;

/// <summary>Totals of what became of copies, and writing again to those of whom nothing came; once, whoever asks how often.</summary>
public sealed class ResendingTests
{
    static readonly string[] far = ["a@gmail.test", "b@gmail.test", "c@corp.test"];

    static async Task<long> SentAsync(MailingFixture house, bool pixel = true)
    {
        var course = await house.CourseAsync(3, more: string.Concat(far.Select(address => $"{address},Даль,г\n")));
        var mailing = MailingFixture.Ok(await house.Press.CreateAsync(new(course.Slug, "school@example.test", "Для {{name}}", "<p>{{group}} <img src=\"cid:a.png\"></p>", null, [new("a.png", "png"u8.ToArray()), new("b.pdf", "pdf"u8.ToArray())], Pixel: pixel), default)).Id;
        await house.SendAsync(mailing);
        await house.Run.RunAllAsync(default);
        await AnswersAsync(house, mailing, failing: true);
        return mailing;
    }

    static Task AnswersAsync(MailingFixture house, long mailing, bool failing) => house.Store.CommitAsync(write =>
    {
        foreach (var row in house.Ledger(mailing).Where(row => row.State == LedgerState.Queued))
        {
            var gmail = row.Address.EndsWith("gmail.test", StringComparison.Ordinal);
            Ledger.RecordRemote(write, row.Id, gmail || !failing ? LedgerState.Delivered : LedgerState.Bounced, gmail ? "250 ok" : "550 5.7.1 no", gmail ? "alt1.aspmx.l.google.com [192.0.2.1]" : "mx.corp.test [192.0.2.2]", null, row.At.AddHours(gmail ? 0 : 1), gmail ? null : "policy");
        }
        return true;
    }, default).AsTask();

    static Resending Resending(MailingFixture house) => new(house.Store, house.Press, new MailingFiles(house.Store));

    static Task OpenAsync(MailingFixture house, long mailing, string address) => house.Store.CommitAsync(write =>
    {
        var row = house.Ledger(mailing).Single(one => one.Address == address);
        LedgerEventTable.Add(write, row.Id, "opened", "", "x", null, row.At.AddHours(2));
        LedgerEventTable.Settle(write, row.Id);
        return true;
    }, default).AsTask();

    [Fact]
    public async Task Totals_are_by_hour_and_by_who_runs_the_mail_servers()
    {
        await using var house = new MailingFixture();
        var mailing = await SentAsync(house);
        await OpenAsync(house, mailing, "a@gmail.test");
        var sheet = MailingFixture.Ok(new TotalsBook(house.Store).OfMailing(mailing));
        Assert.Equal([("local", 3, 3, 0, 0), ("google.com", 2, 2, 0, 1), ("corp.test", 1, 0, 1, 0)],
            sheet.Providers.Select(row => (row.Provider, row.Totals.Sent, row.Totals.Delivered, row.Totals.Bounced, row.Totals.Opened)));
        Assert.Equal((6, 5, 1, 1, 0), (sheet.Hours.Sum(row => row.Totals.Sent), sheet.Hours.Sum(row => row.Totals.Delivered), sheet.Hours.Sum(row => row.Totals.Bounced), sheet.Hours.Sum(row => row.Totals.Opened), sheet.Hours.Sum(row => row.Totals.Waiting)));
        Assert.True(sheet.Hours.Count is 3 or 4); // the clock may strike between two copies
        Assert.Equal(sheet.Hours.Sum(row => row.Totals.Delivered), sheet.Cells.Sum(row => row.Totals.Delivered));
        Assert.Equal(404, new TotalsBook(house.Store).OfMailing(999).Refusal!.HttpStatus);
        var all = new TotalsBook(house.Store).OfCourse(MailingFixture.Ok(house.Press.CourseOf(mailing)));
        Assert.Equal(sheet.Providers, all.Providers);
    }

    [Fact]
    public async Task Whom_it_did_not_reach_gets_it_once_more_and_once_only()
    {
        await using var house = new MailingFixture();
        var mailing = await SentAsync(house);
        var (second, people) = MailingFixture.Ok(await Resending(house).WriteAsync(mailing, "failed", null, default));
        Assert.Equal((1, mailing, "Для {{name}}", true), (people, second.Parent, second.Subject, second.Pixel));
        Assert.Equal(409, (await Resending(house).WriteAsync(mailing, "failed", null, default)).Refusal!.HttpStatus); // the draft stands
        await house.SendAsync(second.Id);
        await house.Run.RunAllAsync(default);
        Assert.Equal(["c@corp.test"], house.Ledger(second.Id).Select(row => row.Address));
        await AnswersAsync(house, second.Id, failing: false);
        // nobody is left of them
        var (third, none) = MailingFixture.Ok(await Resending(house).WriteAsync(mailing, "failed", null, default));
        Assert.Equal(0, none);
        Assert.NotNull((await house.Press.SendAsync(third.Id, false, default)).Refusal);
        Assert.Null(await house.Press.CancelAsync(third.Id, default));
    }

    [Fact]
    public async Task Whoever_did_not_open_it_gets_it_under_another_subject()
    {
        await using var house = new MailingFixture();
        var mailing = await SentAsync(house);
        await OpenAsync(house, mailing, "a@gmail.test");
        await OpenAsync(house, mailing, "u2@example.test");
        var (second, people) = MailingFixture.Ok(await Resending(house).WriteAsync(mailing, "unopened", "Ещё раз, {{name}}", default));
        Assert.Equal(3, people);
        await house.SendAsync(second.Id);
        await house.Run.RunAllAsync(default);
        Assert.Equal(["b@gmail.test", "u1@example.test", "u3@example.test"], house.Ledger(second.Id).Select(row => row.Address).Order());
        Assert.Equal(2, house.Inbox("u1@example.test").Count);
        Assert.Contains("b.pdf", house.Inbox("u1@example.test")[1]);
        Assert.Contains("/o/", house.Inbox("u1@example.test")[1]);
        Assert.Single(house.Inbox("u2@example.test"));
    }

    [Fact]
    public async Task Who_opened_what_tells_nothing_is_not_guessed()
    {
        await using var house = new MailingFixture();
        var mailing = await SentAsync(house, pixel: false);
        Assert.Contains("Nobody knows who opened", (await Resending(house).WriteAsync(mailing, "unopened", null, default)).Refusal!.Sentence);
        Assert.Contains("failed, unopened", (await Resending(house).WriteAsync(mailing, "everybody", null, default)).Refusal!.Sentence);
        Assert.True((await Resending(house).WriteAsync(mailing, "unreplied", null, default)).Ok);
        var draft = await house.MailingAsync(MailingFixture.Ok(house.Press.CourseOf(mailing)));
        Assert.Equal(409, (await Resending(house).WriteAsync(draft, "failed", null, default)).Refusal!.HttpStatus);
        Assert.Equal(404, (await Resending(house).WriteAsync(999, "failed", null, default)).Refusal!.HttpStatus);
    }
}
