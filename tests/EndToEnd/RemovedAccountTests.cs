using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>An account that is removed, brought back and renamed from the command line: its mail, its folders and who may see them.</summary>
public sealed class RemovedAccountTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    TestServer Server => fixture.Server;

    async Task<string> CliAsync(params string[] verb) => (await Server.CliAsync(verb)).Succeeded().Output;

    async Task<string> MailAsync(string user, string command)
    {
        await using var imap = await WireClient.ConnectAsync(Server.Imap);
        await imap.ImapLineAsync();
        var answer = await imap.ImapAsync($"LOGIN {user} \"{TestServer.Password}\"");
        if (answer[^1].StartsWith("OK", StringComparison.Ordinal)) answer = await imap.ImapAsync(command);
        return string.Join('\n', answer);
    }

    [Fact]
    public async Task Mail_and_shares_come_back_with_the_account_and_follow_its_new_name()
    {
        await Server.AddAccountsAsync("vera@example.test", "gleb@example.test");
        await Server.CliAsync("Subject: kept\n\nbody\n", ["message", "deliver", "vera@example.test"]);
        await CliAsync("mailbox", "create", "vera@example.test", "Team");
        await CliAsync("mailbox", "share", "vera@example.test", "Team", "gleb@example.test", "lr");
        await CliAsync("mailbox", "create", "gleb@example.test", "Notes");
        await CliAsync("mailbox", "share", "gleb@example.test", "Notes", "vera@example.test", "lr");

        var removed = await CliAsync("account", "remove", "vera@example.test");
        Assert.Contains("For 30 days", removed);
        Assert.Contains("NO", await MailAsync("vera@example.test", "NOOP"));
        Assert.Equal(1, (await Server.CliAsync("Subject: lost\n\n\n", ["message", "deliver", "vera@example.test"])).ExitCode);
        // whoever gets the name meanwhile gets nothing with it
        await Server.AddAccountsAsync("vera@example.test");
        Assert.DoesNotContain("Notes", await MailAsync("vera@example.test", "LIST \"\" *"));
        Assert.Contains("MESSAGES 0", await MailAsync("vera@example.test", "STATUS INBOX (MESSAGES)"));
        await CliAsync("account", "remove", "vera@example.test", "--now");

        var id = (await CliAsync("account", "removed")).Split(' ')[0];
        await CliAsync("account", "undelete", id);
        Assert.Contains("MESSAGES 1", await MailAsync("vera@example.test", "STATUS INBOX (MESSAGES)"));
        Assert.Contains("/gleb@example.test/Notes", await MailAsync("vera@example.test", "LIST \"\" *"));
        Assert.Contains("/vera@example.test/Team", await MailAsync("gleb@example.test", "LIST \"\" *"));

        await CliAsync("account", "rename", "vera@example.test", "vera.petrova@example.test");
        Assert.Contains("MESSAGES 1", await MailAsync("vera.petrova@example.test", "STATUS INBOX (MESSAGES)"));
        Assert.Contains("/gleb@example.test/Notes", await MailAsync("vera.petrova@example.test", "LIST \"\" *"));
        Assert.Contains("/vera.petrova@example.test/Team", await MailAsync("gleb@example.test", "LIST \"\" *"));
        await Server.CliAsync("Subject: to the old name\n\nbody\n", ["message", "deliver", "vera@example.test"]);
        Assert.Contains("MESSAGES 2", await MailAsync("vera.petrova@example.test", "STATUS INBOX (MESSAGES)"));
        await CliAsync("verify");
    }
}
