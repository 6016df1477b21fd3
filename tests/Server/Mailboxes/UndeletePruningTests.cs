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
