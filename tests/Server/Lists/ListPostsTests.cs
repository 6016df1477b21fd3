using CbaMail.Lists;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using Office = CbaMail.Tests.Server.Smtp.Server.PostOffice;

namespace CbaMail.Tests.Server.Lists;

/// <summary>What becomes of mail for a list: who gets it, what is changed in it, what is held, refused or dropped, and what is asked by mail.</summary>
public sealed class ListPostsTests : ListOffice
{
    [Fact]
    public async Task A_post_goes_to_every_member_with_the_lists_fields_prefix_and_footer()
    {
        Assert.Null(await SendAsync(Order(Ivan)));
        var letter = Assert.Single(office.Inbox("ivan"));
        foreach (var expected in (string[])["List-Id: Club <club.example.test>", "List-Post: <mailto:club@example.test>", "Subject: [Club] Hi", "Chess on Fridays", "List-Unsubscribe: <", "List-Unsubscribe-Post: List-Unsubscribe=One-Click", "From: ivan@example.test", "Return-Path: <bounce+"])
            Assert.Contains(expected, letter, StringComparison.Ordinal);
        Assert.Equal([Eva], Queued());
        Assert.NotEqual("", Text("bounce+%@example.test")); // a return address of her own
    }

    [Fact]
    public async Task The_same_message_is_sent_once_however_often_it_comes()
    {
        Assert.Null(await SendAsync(Order(Ivan)));
        Assert.Null(await SendAsync(Order(Ivan)));
        Assert.Single(office.Inbox("ivan"));
    }

    [Theory]
    [InlineData("List-Id: <club.example.test>\r\n")]
    [InlineData("X-Loop: club@example.test\r\n")]
    [InlineData("Auto-Submitted: auto-replied\r\n")]
    [InlineData("Content-Type: multipart/report; boundary=x\r\n")]
    public async Task What_goes_round_or_answers_by_itself_is_dropped(string header)
    {
        Assert.Null(await SendAsync(Order(Ivan, header: header)));
        Assert.Empty(office.Inbox("ivan"));
        Assert.Empty(Queued());
    }

    [Fact]
    public async Task A_bounce_to_the_list_is_dropped()
    {
        Assert.Null(await SendAsync(Order(Ivan) with { ReversePath = null }));
        Assert.Empty(office.Inbox("ivan"));
    }

    [Fact]
    public async Task What_is_signed_is_not_changed()
    {
        Assert.Null(await SendAsync(Order(Ivan, header: "MIME-Version: 1.0\r\nContent-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=b\r\n",
            body: "--b\r\n\r\nHello\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--b--\r\n")));
        var letter = Assert.Single(office.Inbox("ivan"));
        Assert.Contains("Subject: Hi", letter, StringComparison.Ordinal);
        Assert.DoesNotContain("Chess on Fridays", letter, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_strangers_post_waits_for_a_moderator_and_goes_out_once_he_accepts_it()
    {
        Assert.Null(await SendAsync(Order("who@stranger.test")));
        Assert.Empty(office.Inbox("ivan"));
        Assert.Equal([Ivan], Queued()); // the letter to the moderator
        var held = Assert.Single(posts.Held(club));
        Assert.Null(await posts.DecideAsync(club, held.Id, accept: true, default));
        Assert.NotNull(await posts.DecideAsync(club, held.Id, accept: true, default));
        Assert.Contains("From: who@stranger.test", Assert.Single(office.Inbox("ivan")), StringComparison.Ordinal);
        Assert.Empty(posts.Held(club));
    }

    [Fact]
    public async Task A_member_whom_nothing_proves_is_held_and_a_stranger_refused_where_nobody_moderates()
    {
        Assert.Null(await SendAsync(Order(Eva, proven: false)));
        Assert.Single(posts.Held(club));
        Assert.True((await book.SetAsync(club, old => old with { Moderation = "none" })).Ok);
        club = book.Find(club.Id)!;
        Assert.Equal("5.7.1", (await SendAsync(Order("who@stranger.test", id: "two@x")))?.Status);
    }

    [Fact]
    public async Task Copies_beyond_one_commit_reach_each_once_though_the_server_stops_between_them()
    {
        var many = Enumerable.Range(0, 600).Select(number => ($"m{number}@elsewhere.test", "")).ToList();
        Assert.Equal(600, (await book.JoinAsync(club, many, "normal")).Value);
        Assert.Null(await SendAsync(Order(Ivan)));
        Assert.Empty(Queued()); // all of it is written down, nothing of it placed
        Assert.True(await posts.GoOnAsync(default));
        Assert.Equal(ListPosts.PieceRows, Queued().Count + office.Inbox("ivan").Count);
        // another process goes on from the store alone
        var letters = new ListLetters(office.Mail, office.Queue, office.Settings, TimeProvider.System);
        var again = new ListPosts(office.Store, office.Mail, office.Queue, office.Directory, book, new ListTokens(office.Store), letters, office.Settings, NullLogger<ListPosts>.Instance);
        while (await again.GoOnAsync(default)) { }
        Assert.Equal(many.Select(one => one.Item1).Append(Eva).Order(StringComparer.Ordinal), Queued().Order(StringComparer.Ordinal));
        Assert.Single(office.Inbox("ivan"));
    }

    [Fact]
    public async Task Who_is_a_member_twice_over_gets_one_copy_and_who_wants_none_gets_none()
    {
        Assert.True((await office.Directory.AddAliasAsync("vanya@example.test", [Ivan])).Ok);
        await book.JoinAsync(club, [("vanya@example.test", "")], "normal");
        await book.SetMemberAsync(club, Office.Address(Eva), null, "nomail");
        Assert.Null(await SendAsync(Order(Ivan)));
        Assert.Single(office.Inbox("ivan"));
        Assert.Empty(Queued());
    }

    [Fact]
    public async Task Somebody_elsewhere_joins_by_confirming_and_is_asked_once()
    {
        const string Max = "max@elsewhere.test";
        Assert.Null(await SendAsync(Order(Max, "club-subscribe@example.test", id: "a@x")));
        Assert.Null(await SendAsync(Order(Max, "club-subscribe@example.test", id: "b@x")));
        Assert.Equal([Max], Queued());
        Assert.Null(book.FindMember(club, Office.Address(Max)));
        Assert.Equal("5.1.1", (await SendAsync(Order(Max, "club-confirm+aaaa@example.test")))?.Status);
    }

    [Fact]
    public async Task Who_has_signed_in_joins_and_leaves_at_once()
    {
        Assert.Null(await SendAsync(Order(Ivan, "club-unsubscribe@example.test")));
        Assert.Null(book.FindMember(club, Office.Address(Ivan)));
        Assert.Null(await SendAsync(Order(Ivan, "club-request@example.test", body: "please\r\nsubscribe\r\n")));
        Assert.NotNull(book.FindMember(club, Office.Address(Ivan)));
    }

    [Fact]
    public async Task Mail_for_the_owner_goes_to_him()
    {
        Assert.Null(await SendAsync(Order("who@stranger.test", "club-owner@example.test")));
        Assert.Contains("To: club-owner@example.test", Assert.Single(office.Inbox("ivan")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_link_of_a_copy_takes_its_member_off_and_no_other_word_does()
    {
        var tokens = new ListTokens(office.Store);
        var member = book.FindMember(club, Office.Address(Eva))!;
        var token = tokens.OfMember(member.Id);
        Assert.Equal(member.Id, tokens.MemberOf(token));
        Assert.Null(tokens.MemberOf(token[..^2] + "aa" == token ? token[..^2] + "bb" : token[..^2] + "aa"));
        Assert.True(await commands.LeaveAsync(member.Id, default));
        Assert.False(await commands.LeaveAsync(member.Id, default));
    }

    [Fact]
    public async Task An_address_of_a_list_is_nobody_elses()
    {
        Assert.False((await book.AddAsync(Ivan, new ListProfile())).Ok);
        Assert.False((await book.AddAsync("club-owner@example.test", new ListProfile())).Ok);
        Assert.False((await office.Directory.AddAliasAsync(Club, [Ivan])).Ok);
    }
}
