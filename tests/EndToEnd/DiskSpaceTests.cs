using System.Text.Json;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>A server with small packs that looks for space every second.</summary>
public sealed class DiskSpaceServer : ServerFixture
{
    protected override string Configuration => "storage:\n  pack-bytes: 8M\n  collect-every: 1s\n  collect-bytes-per-second: 200M\n";
}

/// <summary>Mail that is removed gives its space back while the server works.</summary>
public sealed class DiskSpaceTests(DiskSpaceServer fixture) : IClassFixture<DiskSpaceServer>
{
    const int Messages = 400;
    const int Bytes = 500_000;
    TestServer Server => fixture.Server;

    static string Body(int i)
    {
        var bytes = new byte[Bytes * 3 / 4];
        new Random(i).NextBytes(bytes);
        return $"From: a@example.org\r\nSubject: {i}\r\n\r\n" + Convert.ToBase64String(bytes, Base64FormattingOptions.InsertLineBreaks) + "\r\n";
    }

    long PackBytes => System.IO.Directory.GetFiles(Path.Combine(Server.Data, "packs")).Select(path => new FileInfo(path)).Sum(file => file.Exists ? file.Length : 0);

    [Fact]
    public async Task Two_hundred_megabytes_of_which_nine_tenths_are_removed_shrink_to_less_than_one_and_a_half_of_what_lives()
    {
        await using (var client = await WireClient.SmtpHelloAsync(Server.Smtp))
            for (var i = 1; i <= Messages; i++)
            {
                await client.SmtpAsync("MAIL FROM:<a@example.org>", "250");
                await client.SmtpAsync($"RCPT TO:<{ServerFixture.Anna}>", "250");
                await client.SmtpAsync("DATA", "354");
                await client.SendAsync(Body(i));
                await client.SmtpAsync(".", "250");
            }
        Assert.True(PackBytes > Messages * (long)Bytes / 2);
        await using var imap = await WireClient.ImapLoginAsync(Server.Imap, ServerFixture.Anna);
        await imap.ImapAsync("SELECT INBOX", "OK");
        await imap.ImapAsync("STORE " + string.Join(',', Enumerable.Range(1, Messages).Where(i => i % 10 != 0)) + " +FLAGS.SILENT (\\Deleted)", "OK");
        await imap.ImapAsync("EXPUNGE", "OK");
        (await Server.CliAsync("mailbox", "forget", ServerFixture.Anna, "--all")).Succeeded(); // or it would be kept for a fortnight

        // base64 is text: a part of it is compressed away, so what lives is measured, not computed
        async Task<(long Bytes, long Dead)> SpaceAsync()
        {
            var disk = JsonDocument.Parse((await Server.CliAsync("status", "--json")).Output).RootElement.GetProperty("disk");
            return (disk.GetProperty("packBytes").GetInt64(), disk.GetProperty("deadBytes").GetInt64());
        }

        await Wait.UntilAsync(async () =>
        {
            var (bytes, dead) = await SpaceAsync();
            return bytes < 1.5 * (bytes - dead) && PackBytes < 1.5 * (bytes - dead) + (2 << 20); // zeros ahead of the writer
        }, "the packs shrink", 60);
        Assert.Contains("was collected", Server.Log);
        for (var round = 0; round < 2; round++)
        {
            await using var client = await WireClient.ImapLoginAsync(Server.Imap, ServerFixture.Anna);
            await client.ImapAsync("SELECT INBOX", "OK");
            for (var i = 1; i <= Messages / 10; i++)
            {
                var line = (await client.ImapAsync($"FETCH {i} (BODY.PEEK[TEXT])", "OK"))[0];
                var text = Body(i * 10);
                Assert.Contains(text[(text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..], line, StringComparison.Ordinal);
            }
            if (round > 0) break;
            await Server.KillAsync();
            await Server.StartAgainAsync();
        }
    }

    [Fact]
    public async Task An_administrator_collects_now_and_sees_what_came_of_it()
    {
        var ran = await Server.CliAsync("vault", "collect", "--json");
        ran.Succeeded();
        var report = JsonDocument.Parse(ran.Output).RootElement;
        foreach (var name in new[] { "packs", "freed", "copied", "kept", "held", "forgotten" }) Assert.True(report.GetProperty(name).GetInt64() >= 0);
        Assert.Contains("were removed", (await Server.CliAsync("vault", "collect")).Output);
        Assert.Contains("dead", (await Server.CliAsync("status")).Output);
    }
}
