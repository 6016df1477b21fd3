using CbaMail.Envelope;
using CbaMail.Lists;
using CbaMail.Queue;
using Xunit;
using Office = CbaMail.Tests.Server.Smtp.Server.PostOffice;

namespace CbaMail.Tests.Server.Lists;

/// <summary>Members whose mail comes back, digests, and what each member chooses for himself.</summary>
public sealed class ListUpkeepTests : ListOffice
{
    ListMember EvaNow => book.FindMember(club, Office.Address(Eva))!;

    async Task BounceAsync(BounceCause cause, BounceKind kind = BounceKind.ListMember) => await office.Store.CommitAsync(write =>
    {
        bounces.Bounced(write, new BounceTicket(kind, EvaNow.Id, time.GetUtcNow()), cause, "550 5.1.1 no such user", "t");
        return true;
    });

    async Task PauseAsync()
    {
        for (var day = 0; day < 5; day++)
        {
            await BounceAsync(BounceCause.Dead);
            time.Advance(TimeSpan.FromDays(1));
        }
    }

    async Task ProbeAsync(string word) => await office.Store.CommitAsync(write =>
    {
        var member = ListTable.FindMember(write.Prepare, EvaNow.Id)!;
        if (word == "arrived") ListTable.SetBounces(write, member with { Probe = word, Probed = time.GetUtcNow() });
        else bounces.Bounced(write, new BounceTicket(BounceKind.ListProbe, member.Id, time.GetUtcNow()), BounceCause.Dead, "550 5.1.1 still nobody", "t");
        return true;
    });

    [Fact]
    public async Task Who_bounces_on_five_days_is_paused_and_the_owner_hears_of_it()
    {
        await BounceAsync(BounceCause.Dead);
        await BounceAsync(BounceCause.Dead); // one a day counts
        Assert.Equal(2, EvaNow.Score);
        time.Advance(TimeSpan.FromDays(1));
        await PauseAsync();
        Assert.NotNull(EvaNow.Paused);
        Assert.Null(await SendAsync(Order(Ivan)));
        Assert.Empty(Queued());
        await bounces.UpkeepAsync(default);
        Assert.Contains("eva@elsewhere.test: 550 5.1.1 no such user", Letter(Ivan).Replace("=\r\n", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains("Do letters of Club reach you?", Letter(Eva), StringComparison.Ordinal);
        Assert.NotEqual("", Text("bounce+%@example.test"));
    }

    [Fact]
    public async Task Bounces_of_the_message_do_not_count_soft_ones_count_half_and_old_ones_are_forgotten()
    {
        await BounceAsync(BounceCause.Content);
        Assert.Equal(0, EvaNow.Score);
        await BounceAsync(BounceCause.Full);
        Assert.Equal(1, EvaNow.Score);
        time.Advance(TimeSpan.FromDays(8));
        await BounceAsync(BounceCause.Dead);
        Assert.Equal(2, EvaNow.Score);
    }

    [Fact]
    public async Task Whom_the_probe_reaches_gets_mail_again()
    {
        await PauseAsync();
        await bounces.UpkeepAsync(default);
        Assert.Equal("sent", EvaNow.Probe);
        await ProbeAsync("arrived");
        await bounces.UpkeepAsync(default);
        Assert.NotNull(EvaNow.Paused); // it may come back still
        time.Advance(TimeSpan.FromDays(5));
        await bounces.UpkeepAsync(default);
        Assert.Null(EvaNow.Paused);
        Assert.Equal(0, EvaNow.Score);
    }

    [Fact]
    public async Task Who_returns_three_probes_is_off_the_list()
    {
        await PauseAsync();
        for (var probe = 1; probe <= 3; probe++)
        {
            await bounces.UpkeepAsync(default);
            Assert.Equal(probe, EvaNow.Probes);
            await ProbeAsync("returned");
            if (probe < 3) time.Advance(TimeSpan.FromDays(7));
        }
        await bounces.UpkeepAsync(default);
        Assert.Null(book.FindMember(club, Office.Address(Eva)));
        Assert.Contains("eva@elsewhere.test is off the list", Letter(Ivan), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_digest_goes_to_those_who_want_it_in_the_form_they_want()
    {
        const string Plain = "plain@elsewhere.test";
        await book.SetMemberAsync(club, Office.Address(Eva), null, "digest");
        await book.JoinAsync(club, [(Plain, "")], "digest-plain");
        Assert.Null(await SendAsync(Order(Ivan, body: "First\r\n")));
        Assert.Null(await SendAsync(Order(Ivan, body: "Второе\r\n", id: "two@x", header: "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n")));
        Assert.Empty(Queued());
        Assert.Equal(2, office.Inbox("ivan").Count);
        await digests.IssueAsync(default);
        Assert.Empty(Queued()); // not yet
        time.Advance(TimeSpan.FromHours(24));
        await digests.IssueAsync(default);
        Assert.Equal(new[] { Eva, Plain }.Order(), Queued().Order());
        var mime = Letter(Eva);
        foreach (var expected in (string[])["Subject: Club Digest, Vol 1, Issue 1", "Content-Type: multipart/digest", "Message-ID: <one@x>", "First", "List-Id: Club <club.example.test>"]) Assert.Contains(expected, mime, StringComparison.Ordinal);
        var plain = Letter(Plain);
        foreach (var expected in (string[])[new string('-', 70), new string('-', 30), "End of Club Digest, Vol 1, Issue 1", "From: ivan@example.test"]) Assert.Contains(expected, plain.Replace("=\r\n", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.False(await digests.IssueAsync(club, default)); // all of it has gone out
    }

    [Fact]
    public async Task A_digest_goes_out_when_enough_posts_wait()
    {
        await book.SetAsync(club, old => old with { DigestPosts = 2 });
        await book.SetMemberAsync(club, Office.Address(Eva), null, "digest");
        Assert.Null(await SendAsync(Order(Ivan)));
        await digests.IssueAsync(default);
        Assert.Empty(Queued());
        Assert.Null(await SendAsync(Order(Ivan, id: "two@x")));
        await digests.IssueAsync(default);
        Assert.Equal([Eva], Queued());
    }

    [Fact]
    public async Task A_member_says_by_mail_how_he_wants_it_and_confirms_unless_he_has_signed_in()
    {
        Assert.Null(await SendAsync(Order(Ivan, "club+set-nomail@example.test")));
        Assert.Equal("nomail", book.FindMember(club, Office.Address(Ivan))!.Mode);
        Assert.Null(await SendAsync(Order(Eva, "club+set-digest@example.test")));
        Assert.Equal("normal", EvaNow.Mode);
        var letter = Letter(Eva);
        var token = letter[(letter.IndexOf("/list/confirm/", StringComparison.Ordinal) + 14)..][..26];
        Assert.Null(await SendAsync(Order(Eva, $"club-confirm+{token}@example.test", id: "c@x")));
        Assert.Equal("digest", EvaNow.Mode);
        Assert.NotNull(await SendAsync(Order(Eva, $"club-confirm+{token}@example.test", id: "d@x"))); // once
    }

    [Fact]
    public async Task A_stranger_does_not_set_how_a_member_gets_mail()
    {
        Assert.Null(await SendAsync(Order(Ivan, "club+set-nomail@example.test") with { Author = null }));
        Assert.Equal("normal", book.FindMember(club, Office.Address(Ivan))!.Mode);
    }

    [Fact]
    public async Task Held_posts_of_one_author_and_of_all_are_bounded()
    {
        for (var i = 0; i < 20; i++) Assert.Null(await SendAsync(Order("who@stranger.test", id: $"{i}@x")));
        Assert.Equal("4.5.3", (await SendAsync(Order("who@stranger.test", id: "more@x")))?.Status);
        Assert.Null(await SendAsync(Order("other@stranger.test", id: "other@x")));
    }

    [Fact]
    public async Task Only_an_author_who_is_proven_hears_that_nobody_has_decided()
    {
        Assert.Null(await SendAsync(Order("forged@stranger.test", proven: false)));
        Assert.Null(await SendAsync(Order("true@stranger.test", id: "two@x")));
        time.Advance(TimeSpan.FromDays(8));
        await posts.UpkeepAsync(default);
        Assert.Contains("true@stranger.test", Queued());
        Assert.DoesNotContain("forged@stranger.test", Queued());
    }

    [Fact]
    public async Task A_post_that_comes_back_by_another_list_is_known_by_its_mark()
    {
        Assert.Null(await SendAsync(Order(Ivan)));
        Assert.Contains("X-Loop: club@example.test", Letter(Eva), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_post_without_Message_ID_that_is_sent_again_is_known_again()
    {
        var order = Order(Ivan);
        var text = System.Text.Encoding.UTF8.GetString(order.Message.Span).Replace("Message-ID: <one@x>\r\n", "", StringComparison.Ordinal);
        for (var i = 0; i < 2; i++) Assert.Null(await SendAsync(order with { Message = System.Text.Encoding.UTF8.GetBytes(text) }));
        Assert.Single(office.Inbox("ivan"));
    }
}
