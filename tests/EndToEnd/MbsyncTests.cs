using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>isync's mbsync keeps a Maildir and the server alike: it is the strictest reader of UIDs that there is.</summary>
[Trait("Category", "Slow")]
public class MbsyncTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private const string Anna = ServerFixture.Anna;
    private readonly TestServer server = fixture.Server;

    private string Local => Path.Combine(server.Folder, "mail");
    private string Inbox => Path.Combine(Local, "INBOX");

    [Fact]
    public async Task Two_way_sync_of_1000_messages_and_the_second_run_changes_nothing()
    {
        await Letter.AppendManyAsync(server.Imap, Anna, "INBOX", 1000, i => Letter.Text("stranger@example.org", Anna, $"message {i:0000}", $"Body {i}\r\n{new string('x', i)}\r\n"));
        await WriteSettingsAsync();
        await SyncAsync();
        Assert.Equal(1000, Messages(Inbox).Count);

        // here: flags, deletions, new messages, a new folder with a name that is not ASCII
        foreach (var file in Messages(Inbox).Take(100).ToList()) Mark(file, "S");
        foreach (var file in Messages(Inbox).Where(f => !f.EndsWith('S')).Take(50).ToList()) Mark(file, "FT");
        for (var i = 0; i < 20; i++)
            await File.WriteAllTextAsync(Path.Combine(Inbox, "new", $"{1700000000 + i}.local_{i}.host"), Letter.Text(Anna, Anna, $"local {i}"), TestContext.Current.CancellationToken);
        foreach (var sub in new[] { "cur", "new", "tmp" }) System.IO.Directory.CreateDirectory(Path.Combine(Local, "Курс", sub));
        await File.WriteAllTextAsync(Path.Combine(Local, "Курс", "new", "1700000100.local.host"), Letter.Text(Anna, Anna, "in a course"), TestContext.Current.CancellationToken);
        await SyncAsync();
        Assert.Equal(970, await Letter.CountAsync(server.Imap, Anna));
        Assert.Single(await Letter.AllAsync(server.Imap, Anna, "&BBoEQwRABEE-"));

        // there: flags, expunged ones, a new message
        await using (var client = await WireClient.ImapLoginAsync(server.Imap, Anna))
        {
            await client.ImapAsync("SELECT INBOX", "OK");
            Assert.Equal(100, (await client.ImapAsync("SEARCH SEEN", "OK"))[0].Split(' ').Length - 2);
            await client.ImapAsync("STORE 201:210 +FLAGS.SILENT (\\Flagged \\Answered)", "OK");
            await client.ImapAsync("STORE 301:330 +FLAGS.SILENT (\\Deleted)", "OK");
            await client.ImapAsync("EXPUNGE", "OK");
        }
        await Letter.SendAsync(server.Smtp, "stranger@example.org", Anna, Letter.Text("stranger@example.org", Anna, "late"));
        await SyncAsync();
        Assert.Equal(941, Messages(Inbox).Count);
        Assert.Equal(10, Messages(Inbox).Count(f => f.Contains(":2,FR", StringComparison.Ordinal)));

        // nothing happened: nothing may change, here or there
        var (here, there) = (Snapshot(), await StatusAsync());
        await SyncAsync();
        Assert.Equal(here, Snapshot());
        Assert.Equal(there, await StatusAsync());
    }

    private async Task SyncAsync() =>
        (await new Tool { Folder = server.Folder, Limit = TimeSpan.FromMinutes(3), Environment = { ["HOME"] = server.Folder } }.StartAsync("mbsync", "-c", "mbsyncrc", "-a")).Succeeded();

    private static List<string> Messages(string folder) =>
        [.. new[] { "cur", "new" }.SelectMany(sub => System.IO.Directory.GetFiles(Path.Combine(folder, sub))).Order(StringComparer.Ordinal)];

    private static void Mark(string file, string flags)
    {
        var name = Path.GetFileName(file);
        var bare = name.Contains(":2,", StringComparison.Ordinal) ? name[..name.IndexOf(":2,", StringComparison.Ordinal)] : name;
        File.Move(file, Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(file))!, "cur", $"{bare}:2,{flags}"));
    }

    private string Snapshot() => string.Join('\n', System.IO.Directory.EnumerateFiles(Local, "*", SearchOption.AllDirectories)
        .Where(f => f.Contains("/cur/", StringComparison.Ordinal) || f.Contains("/new/", StringComparison.Ordinal)).Order(StringComparer.Ordinal));

    private async Task<string> StatusAsync()
    {
        await using var client = await WireClient.ImapLoginAsync(server.Imap, Anna);
        return string.Join('\n', await client.ImapAsync("LIST \"\" * RETURN (STATUS (MESSAGES UNSEEN UIDNEXT UIDVALIDITY HIGHESTMODSEQ))", "OK"));
    }

    private async Task WriteSettingsAsync()
    {
        System.IO.Directory.CreateDirectory(Local);
        var certificate = await new Tool { Input = "" }.StartAsync("openssl", "s_client", "-connect", $"127.0.0.1:{server.Imaps}", "-showcerts");
        var pem = certificate.Output[certificate.Output.IndexOf("-----BEGIN", StringComparison.Ordinal)..];
        pem = pem[..(pem.LastIndexOf("-----END CERTIFICATE-----", StringComparison.Ordinal) + 25)] + "\n";
        await File.WriteAllTextAsync(Path.Combine(server.Folder, "server.pem"), pem);
        await File.WriteAllTextAsync(Path.Combine(server.Folder, "mbsyncrc"), $"""
            IMAPAccount cba
            Host localhost
            Port {server.Imaps}
            User {Anna}
            Pass "{ServerFixture.Password}"
            SSLType IMAPS
            CertificateFile {server.Folder}/server.pem
            PipelineDepth 50

            IMAPStore there
            Account cba

            MaildirStore here
            Path {Local}/
            Inbox {Inbox}
            SubFolders Verbatim

            Channel cba
            Far :there:
            Near :here:
            Patterns *
            Create Both
            Remove Both
            Expunge Both
            SyncState *
            """ + "\n");
    }
}
