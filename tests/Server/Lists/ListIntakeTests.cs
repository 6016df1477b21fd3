using System.Text;
using CbaMail.Lists;
using Xunit;

namespace CbaMail.Tests.Server.Lists;

/// <summary>Members and archives that other programs have written.</summary>
public sealed class ListIntakeTests : ListOffice
{
    async Task<string[]> TakeAsync(string file, string? mode = null, string? role = null)
    {
        var taken = await new ListIntake(office.Store, book).TakeAsync(book.Find(club.Address)!, Encoding.UTF8.GetBytes(file), mode, role, default);
        return taken.Ok ? [.. taken.Value.Select(one => $"{one.Line} {one.Address} {one.Deed}")] : [taken.Refusal.Sentence];
    }

    string Mode(string address) => book.Members(club).First(one => one.Address == address).Mode;

    [Fact]
    public async Task A_table_of_Mailman_says_who_gets_what_and_what_he_is()
    {
        const string file = "email,display_name,delivery_mode,delivery_status,role\nanna@x.test,Anna,plaintext_digests,enabled,member\nboris@x.test,,DeliveryMode.regular,DeliveryStatus.by_user,member\neva@elsewhere.test,Eva,mime_digests,enabled,member\nolga@x.test,,regular,enabled,owner\nmax@x.test,,regular,enabled,moderator\nnone@x.test,,regular,enabled,nonmember\n";
        Assert.Equal(["2 anna@x.test added", "3 boris@x.test added", "4 eva@elsewhere.test changed", "5 olga@x.test added", "6 max@x.test added", "7 none@x.test left-out"], await TakeAsync(file));
        Assert.Equal(("digest-plain", "nomail", "digest"), (Mode("anna@x.test"), Mode("boris@x.test"), Mode(Eva)));
        Assert.Equal([Ivan, "olga@x.test"], book.Find(club.Address)!.Profile.Owners!);
        Assert.Equal(["max@x.test"], book.Find(club.Address)!.Profile.Moderators!);
        Assert.All((await TakeAsync(file)).Take(5), line => Assert.EndsWith("unchanged", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Lines_of_mailman_members_are_read_with_names_and_without()
    {
        Assert.Equal(["1 anna@x.test added", "2 boris@x.test added", "3 no address left-out", "4 BORIS@x.test left-out"], await TakeAsync("Anna <anna@x.test>\nboris@x.test\nno address\nBoris <BORIS@x.test>\n", "digest"));
        Assert.Equal("Anna", book.Members(club).First(one => one.Address == "anna@x.test").Name);
        Assert.Equal("digest", Mode("boris@x.test"));
        Assert.Equal(["1 olga@x.test added"], await TakeAsync("olga@x.test\n", role: "owner"));
        Assert.Equal([Ivan, "olga@x.test"], book.Find(club.Address)!.Profile.Owners!);
    }

    [Fact]
    public async Task An_archive_is_taken_in_once_by_its_own_dates_and_in_threads()
    {
        const string file = "From a Thu\nFrom: Anna <anna@x.test>\nDate: Tue, 05 Mar 2024 10:00:00 +0000\nSubject: Openings\nMessage-ID: <one@x>\n\nWhich?\n\nFrom b Fri\nFrom: boris@x.test\nDate: Sat, 06 Apr 2024 10:00:00 +0000\nSubject: Re: Openings\nMessage-ID: <two@x>\nIn-Reply-To: <one@x>\n\nAll.\n\nFrom c Sat\nFrom: eva@x.test\nDate: Sun, 07 Apr 2024 10:00:00 +0000\n\nwithout an id\n\nFrom d Sun\nFrom: shy@x.test\nX-No-Archive: Yes\n\nhidden\n";
        var intake = new ListArchiveIntake(office.Store, office.Mail, book, archive);
        async Task<(int, int, int)> ArchiveAsync() => await intake.TakeAsync(book.Find(club.Address)!, Encoding.UTF8.GetBytes(file), default) is { Ok: true, Value: var taken } ? (taken.Added, taken.Known, taken.LeftOut.Count) : default;
        Assert.Equal(default, await ArchiveAsync()); // it keeps none yet
        await book.SetAsync(club, old => old with { Archive = "members" });
        Assert.Equal((3, 0, 1), await ArchiveAsync());
        Assert.Equal((0, 3, 1), await ArchiveAsync()); // before the pages know of them
        await archive.IndexAsync(default);
        Assert.Equal((0, 3, 1), await ArchiveAsync());
        Assert.Equal([("2024-04", 2), ("2024-03", 1)], archive.Months(club));
        var first = Assert.Single(archive.Month(club, "2024-03"));
        Assert.Equal(["Openings", "Re: Openings"], archive.Thread(club, first.Thread).Select(one => one.Subject));
    }
}
