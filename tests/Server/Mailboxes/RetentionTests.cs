using System.Text;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Mailboxes;
using CbaMail.Tests.Wire;
using Xunit;
using Office = CbaMail.Tests.Server.Smtp.Server.PostOffice;

namespace CbaMail.Tests.Server.Mailboxes;

public sealed class RetentionTests : IAsyncLifetime
{
    readonly Office office = new();
    readonly ManualTime time = new();

    public async ValueTask InitializeAsync()
    {
        await office.InitializeAsync();
        time.Set(DateTimeOffset.UtcNow);
    }

    public ValueTask DisposeAsync() => office.DisposeAsync();

    Account Ivan => office.Account("ivan");

    Mailbox Of(string name)
    {
        using var read = office.Mail.Read();
        return read.Find(Ivan.Id, name)!;
    }

    List<uint> Uids(string name)
    {
        var mailbox = Of(name);
        using var read = office.Mail.Read();
        return [.. read.Messages(mailbox.Id).Select(row => row.Uid)];
    }

    async Task PutAsync(string name, int count, MessageFlags flags = MessageFlags.None)
    {
        var staged = office.Mail.Stage(Encoding.ASCII.GetBytes("Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n\r\nold\r\n"));
        for (var i = 0; i < count; i++) Assert.True((await office.Mail.AppendAsync(Of(name).Id, staged, flags, [], null, 0, default)).Ok);
    }

    Retention With(AccountSettings accounts) => new(office.Mail, office.Settings with { Accounts = accounts }, time);

    [Fact]
    public async Task What_has_been_there_for_longer_than_the_mailbox_keeps_it_goes_unless_it_is_flagged()
    {
        await PutAsync("Archive", 2, MessageFlags.Flagged);
        await PutAsync("Archive", 3);
        await PutAsync("INBOX", 2);
        await office.Mail.SetKeepDaysAsync(Of("Archive").Id, 30, default);
        var retention = With(new());
        time.Advance(TimeSpan.FromDays(29.9));
        Assert.Equal(0, await retention.RunAsync(default));
        time.Advance(TimeSpan.FromDays(0.2));
        Assert.Equal(3, await retention.RunAsync(default));
        Assert.Equal([1u, 2u], Uids("Archive"));
        Assert.Equal(2, Uids("INBOX").Count);
        Assert.Equal(0, await retention.RunAsync(default));
        Assert.Equal((2, 2), (Of("Archive").Messages, Of("Archive").Unseen));
    }

    [Fact]
    public async Task Flags_that_wait_to_get_into_their_rows_count()
    {
        await PutAsync("Archive", 5);
        var archive = Of("Archive").Id;
        await office.Mail.SetKeepDaysAsync(archive, 1, default);
        var known = new KnownRuns(Of("Archive").ModSeq, [new KnownRun(1, 5, 5, MessageFlags.None, null)]);
        Assert.NotNull(await office.Mail.Store.StartCommit(t => PendingFlags.Store(t, office.Mail.Notifier, archive, known, new FlagChange(FlagMode.Add, MessageFlags.Flagged, []), office.Mail.KeywordRoom, null), default));
        time.Advance(TimeSpan.FromDays(2));
        Assert.Equal(0, await With(new()).RunAsync(default));
        Assert.Equal(5, Uids("Archive").Count);
    }

    [Fact]
    public async Task Junk_and_Trash_keep_what_the_settings_say_until_they_say_otherwise_themselves()
    {
        await PutAsync("Junk", 2);
        await PutAsync("Trash", 2);
        await PutAsync("Archive", 2);
        time.Advance(TimeSpan.FromDays(10));
        Assert.Equal(0, await With(new()).RunAsync(default)); // unset: for ever
        Assert.Equal(2, await With(new() { KeepJunk = TimeSpan.FromDays(7), KeepTrash = TimeSpan.FromDays(30) }).RunAsync(default));
        Assert.Empty(Uids("Junk"));
        await office.Mail.SetKeepDaysAsync(Of("Trash").Id, 0, default);
        time.Advance(TimeSpan.FromDays(100));
        Assert.Equal(0, await With(new() { KeepTrash = TimeSpan.FromDays(30) }).RunAsync(default));
        await office.Mail.SetKeepDaysAsync(Of("Trash").Id, null, default);
        Assert.Equal(2, await With(new() { KeepTrash = TimeSpan.FromDays(30) }).RunAsync(default));
        Assert.Equal(2, Uids("Archive").Count);
    }

    [Fact]
    public async Task Thousands_go_in_commits_that_let_others_in_between()
    {
        var staged = office.Mail.Stage("Subject: many\r\n\r\n.\r\n"u8.ToArray());
        var uploads = Enumerable.Repeat(new Upload(staged, MessageFlags.None, [], null), 100).ToList();
        for (var i = 0; i < 51; i++) Assert.True((await office.Mail.AppendAsync(Of("Archive").Id, uploads, 0, default)).Ok);
        await office.Mail.SetKeepDaysAsync(Of("Archive").Id, 1, default);
        time.Advance(TimeSpan.FromDays(1.5));
        Assert.Equal(5100, await With(new()).RunAsync(default));
        Assert.Equal(0, Of("Archive").Messages);
    }
}
