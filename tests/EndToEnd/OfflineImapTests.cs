using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

[Trait("Category", "Slow")]
public class OfflineImapTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private const string Anna = ServerFixture.Anna;
    private readonly TestServer server = fixture.Server;

    [Fact]
    public async Task Syncs_both_ways_and_then_has_nothing_to_do()
    {
        await Letter.AppendManyAsync(server.Imap, Anna, "INBOX", 60, i => Letter.Text("stranger@example.org", Anna, $"message {i}"));
        var mail = Path.Combine(server.Folder, "offline");
        await File.WriteAllTextAsync(Path.Combine(server.Folder, "offlineimaprc"), $"""
            [general]
            accounts = cba
            metadata = {server.Folder}/offlineimap
            ui = basic
            [Account cba]
            localrepository = here
            remoterepository = there
            [Repository here]
            type = Maildir
            localfolders = {mail}
            [Repository there]
            type = IMAP
            remotehost = 127.0.0.1
            remoteport = {server.Imap}
            remoteuser = {Anna}
            remotepass = {ServerFixture.Password}
            ssl = no
            starttls = no
            auth_mechanisms = PLAIN, LOGIN
            usecompression = no
            """ + "\n", TestContext.Current.CancellationToken);
        await SyncAsync();
        var inbox = Path.Combine(mail, "INBOX");
        Assert.Equal(60, Files(inbox).Count);

        var file = Files(inbox)[0];
        File.Move(file, Path.Combine(inbox, "cur", Path.GetFileName(file).Split(":2,")[0] + ":2,FS"));
        await File.WriteAllTextAsync(Path.Combine(inbox, "cur", "1700000000_0.1.host:2,S"), Letter.Text(Anna, Anna, "written here"), TestContext.Current.CancellationToken);
        await SyncAsync();
        Assert.Equal(61, await Letter.CountAsync(server.Imap, Anna));
        await using var client = await WireClient.ImapLoginAsync(server.Imap, Anna);
        await client.ImapAsync("SELECT INBOX", "OK");
        Assert.Equal(1, (await client.ImapAsync("SEARCH FLAGGED", "OK"))[0].Split(' ').Length - 2);

        var before = string.Join('\n', Files(inbox));
        await SyncAsync();
        Assert.Equal(before, string.Join('\n', Files(inbox)));
        Assert.Equal(61, await Letter.CountAsync(server.Imap, Anna));
    }

    private async Task SyncAsync() =>
        (await new Tool { Folder = server.Folder, Limit = TimeSpan.FromMinutes(2), Environment = { ["HOME"] = server.Folder } }
            .StartAsync("offlineimap", "-c", "offlineimaprc", "-o", "-u", "basic")).Succeeded();

    private static List<string> Files(string folder) =>
        [.. new[] { "cur", "new" }.SelectMany(sub => System.IO.Directory.GetFiles(Path.Combine(folder, sub))).Order(StringComparer.Ordinal)];
}
