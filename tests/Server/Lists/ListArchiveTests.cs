using CbaMail.Lists;
using CbaMail.Mailboxes;
using Xunit;
using Office = CbaMail.Tests.Server.Smtp.Server.PostOffice;

namespace CbaMail.Tests.Server.Lists;

/// <summary>The archive of a list: the folder, who may read it, and what its pages are made of.</summary>
public sealed class ListArchiveTests : ListOffice
{
    async Task KeepAsync(string who)
    {
        Assert.True((await book.SetAsync(club, old => old with { Archive = who })).Ok);
        club = book.Find(club.Id)!;
    }

    IReadOnlyList<string> Seen(string account)
    {
        using var reader = office.Mail.Read();
        return [.. new MailboxAccess(office.Directory, "Others", "Public").All(reader, office.Directory.FindAccount(Office.Address(account))!).Where(access => !access.IsOwn && access.Has(Rights.Read)).Select(access => access.Name)];
    }

    [Fact]
    public async Task A_post_is_in_the_folder_and_on_the_pages_by_threads()
    {
        await KeepAsync("members");
        Assert.Null(await SendAsync(Order(Ivan, body: "About chess\r\n")));
        Assert.Null(await SendAsync(Order(Ivan, header: "In-Reply-To: <one@x>\r\n", body: "Слон бьёт\r\n", id: "two@x")));
        await archive.IndexAsync(default);
        var month = Assert.Single(archive.Months(club));
        Assert.Equal(2, month.Messages);
        var posts = archive.Month(club, month.Month);
        Assert.Equal(posts[0].Id, posts[1].Thread);
        Assert.Equal([posts[1].Id], archive.Search(club, "слон").Select(post => post.Id));
        Assert.Empty(archive.Search(club, "ferz"));
        Assert.Contains("List-Archive: <", System.Text.Encoding.UTF8.GetString(archive.Message(club, posts[0].Id)!.Value.Message), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_folder_is_read_by_members_from_when_they_join_to_when_they_leave()
    {
        const string Anna = "плюс@example.test";
        await KeepAsync("members");
        Assert.Equal(["Public/Lists/club"], Seen(Ivan));
        Assert.Empty(Seen(Anna));
        await book.JoinAsync(club, [(Anna, "")], "normal");
        Assert.Equal(["Public/Lists/club"], Seen(Anna));
        await book.LeaveAsync(club, Office.Address(Anna));
        Assert.Empty(Seen(Anna));
        await KeepAsync("public");
        Assert.Equal(["Public/Lists/club"], Seen(Anna));
        await KeepAsync("private");
        Assert.Empty(Seen(Anna));
        Assert.Equal(["Public/Lists/club"], Seen(Ivan)); // the owner
    }

    [Fact]
    public async Task Pages_are_for_members_or_for_all_as_the_list_says()
    {
        await KeepAsync("members");
        Assert.True(archive.MayRead(club, Office.Address(Eva), null));
        Assert.False(archive.MayRead(club, null, null));
        Assert.False(archive.MayRead(club, Office.Address("who@stranger.test"), null));
        await KeepAsync("private");
        Assert.False(archive.MayRead(club, Office.Address(Eva), null));
        Assert.True(archive.MayRead(club, Office.Address(Ivan), null));
        await KeepAsync("public");
        Assert.True(archive.MayRead(club, null, null));
        Assert.False(archive.IsInside(club, null, null)); // and sees no addresses
        await KeepAsync("none");
        Assert.False(archive.MayRead(club, Office.Address(Ivan), null));
    }

    [Fact]
    public async Task What_its_author_wants_in_no_archive_and_what_is_taken_out_of_the_folder_is_not_shown()
    {
        await KeepAsync("members");
        Assert.Null(await SendAsync(Order(Ivan, header: "X-No-Archive: Yes\r\n")));
        Assert.Null(await SendAsync(Order(Ivan, id: "two@x")));
        await archive.IndexAsync(default);
        var post = Assert.Single(archive.Newest(club, 10));
        using (var reader = office.Mail.Read())
        {
            var folder = reader.Find(-club.DomainId, ListArchive.FolderName(club))!;
            await office.Mail.RemoveAsync(folder.Id, [post.Uid], default);
        }
        Assert.Null(archive.Message(club, post.Id));
        await archive.UpkeepAsync(default);
        Assert.Empty(archive.Newest(club, 10));
    }

    [Fact]
    public async Task A_new_list_of_an_old_name_does_not_show_what_the_old_one_kept()
    {
        await KeepAsync("public");
        Assert.Null(await SendAsync(Order(Ivan)));
        await archive.IndexAsync(default);
        Assert.Null(await book.RemoveAsync(club));
        club = (await book.AddAsync(Club, new ListProfile { Archive = "public", Owners = [Ivan] })).Value!;
        await archive.IndexAsync(default);
        Assert.Empty(archive.Newest(club, 10));
        Assert.Equal(["Public/Lists/club"], Seen(Ivan));
    }

    [Fact]
    public void The_word_that_opens_an_archive_ends_and_is_none_that_takes_a_member_off()
    {
        var tokens = new ListTokens(office.Store);
        var now = time.GetUtcNow();
        var word = tokens.OfReader(7, now);
        Assert.Equal(7, tokens.ReaderOf(word, now));
        Assert.Null(tokens.ReaderOf(word, now.AddDays(181)));
        Assert.Null(tokens.MemberOf(word));
        Assert.Null(tokens.ReaderOf(tokens.OfMember(7), now));
        Assert.Null(tokens.ReaderOf(word[..^3] + "aaa", now) is 7 && !word.EndsWith("aaa", StringComparison.Ordinal) ? 7 : null);
    }
}
