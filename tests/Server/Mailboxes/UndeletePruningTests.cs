using System.Text;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Mailboxes;
using CbaMail.Tests.Wire;
using Xunit;
using Office = CbaMail.Tests.Server.Smtp.Server.PostOffice;

namespace CbaMail.Tests.Server.Mailboxes;

public sealed class UndeletePruningTests : IAsyncLifetime
{
    readonly Office office = new();

    public ValueTask InitializeAsync() => office.InitializeAsync();
    public ValueTask DisposeAsync() => office.DisposeAsync();

    async Task ExpungeAsync(int count)
    {
        var ivan = office.Account("ivan");
        for (var i = 0; i < count; i++) Assert.Null(await office.Delivery.DeliverAsync(null, ivan.Address, Encoding.ASCII.GetBytes($"Subject: {i}\r\n\r\n{new string('x', 900)}\r\n"), default));
        long inbox;
        List<uint> uids;
        using (var read = office.Mail.Read())
        {
            inbox = read.Find(ivan.Id, "INBOX")!.Id;
            uids = [.. read.Messages(inbox).Select(row => row.Uid)];
        }
        await office.Mail.RemoveAsync(inbox, uids, default);
    }

    [Fact]
    public async Task A_message_that_is_named_twice_comes_back_once_and_keeps_its_body()
    {
        var undelete = new Undelete(office.Mail, office.Directory, office.Settings, TimeProvider.System);
        undelete.Begin();
        var ivan = office.Account("ivan");
        await ExpungeAsync(1);
        var id = undelete.List(ivan.Id).Single().Id;
        Assert.Equal(1, (await undelete.RestoreAsync(ivan, [id, id, id], null, default)).Value);
        Assert.Contains("Subject: 0", Assert.Single(office.Inbox("ivan")));
    }

    [Fact]
    public async Task The_name_of_a_removed_mailbox_goes_with_the_last_that_was_kept_of_it()
    {
        var time = new ManualTime();
        time.Set(DateTimeOffset.UtcNow);
        var undelete = new Undelete(office.Mail, office.Directory, office.Settings, time);
        undelete.Begin();
        var ivan = office.Account("ivan");
        Assert.Null(await office.Delivery.DeliverAsync(null, ivan.Address, "Subject: x\r\n\r\n"u8.ToArray(), default));
        await office.Store.CommitAsync(write =>
        {
            var old = office.Mail.EnsureMailbox(write, ivan.Id, "Old");
            return write.Prepare("UPDATE message SET mailbox_id = ?1 WHERE mailbox_id = (SELECT id FROM mailbox WHERE account_id = ?2 AND name = 'INBOX')").Bind(1, old).Bind(2, ivan.Id).Run()
                + write.Prepare("UPDATE mailbox SET messages = 1 WHERE id = ?").Bind(1, old).Run();
        });
        Assert.Null(await office.Mail.DeleteAsync(ivan.Id, "Old", default));
        Assert.Equal("Old", undelete.List(ivan.Id).Single().Mailbox);
        Assert.Equal(0, await undelete.PruneAsync(default));
        Assert.Equal(1, Names());
        time.Advance(TimeSpan.FromDays(15));
        Assert.Equal(1, await undelete.PruneAsync(default));
        Assert.Equal(0, Names());

        long? Names()
        {
            using var read = office.Store.Read();
            return read.Prepare("SELECT count(*) FROM kept_mailbox").Scalar();
        }
    }

    [Fact]
    public async Task What_is_too_old_or_more_than_the_share_of_a_quota_goes_for_good()
    {
        var time = new ManualTime();
        time.Set(DateTimeOffset.UtcNow);
        var undelete = new Undelete(office.Mail, office.Directory, office.Settings with { Accounts = new AccountSettings { KeepExpungedPercent = 50 } }, time);
        undelete.Begin();
        var ivan = office.Account("ivan");
        await ExpungeAsync(6);
        Assert.Equal(6, undelete.List(ivan.Id).Count());
        Assert.Equal(0, await undelete.PruneAsync(default)); // no quota: no share of it
        await office.Directory.SetAccountAsync(ivan, new AccountChange(Quota: 8_000)); // some 1,000 bytes each: 4,000 are 3 or 4
        Assert.InRange(await undelete.PruneAsync(default), 2, 3);
        Assert.InRange(undelete.List(ivan.Id).Sum(one => one.Size), 1, 4_000);
        var newest = undelete.List(ivan.Id).First().Id;
        time.Advance(TimeSpan.FromDays(13));
        Assert.Equal(0, await undelete.PruneAsync(default));
        Assert.Equal(newest, undelete.List(ivan.Id).First().Id);
        time.Advance(TimeSpan.FromDays(1.1));
        await undelete.PruneAsync(default);
        Assert.Empty(undelete.List(ivan.Id));
        await ExpungeAsync(1); // what nobody keeps is gone at once
        Assert.Single(undelete.List(ivan.Id));
    }
}
