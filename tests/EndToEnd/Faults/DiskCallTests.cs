using System.Text.RegularExpressions;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Faults;

/// <summary>The real program's own calls: flushed before acknowledged; and a disk that becomes read-only below it.</summary>
[Trait("Category", "Slow")]
public sealed partial class DiskCallTests(ServerFixture fixture, ITestOutputHelper output) : IClassFixture<ServerFixture>
{
    const string Anna = ServerFixture.Anna;
    TestServer Server => fixture.Server;

    // "17 fsync(90</tmp/data/packs/00000001.pack>) = 0", "17 fsync(90</...> <unfinished ...>", "17 <... fsync resumed>) = 0"
    [GeneratedRegex(@"^(\d+) +(?:fsync|fdatasync)\(\d+<(?<file>[^>]*)>(?<done>\) += 0)?")] private static partial Regex Flush { get; }
    [GeneratedRegex(@"^(\d+) +<\.\.\. (?:fsync|fdatasync) resumed>.*= 0")] private static partial Regex Resumed { get; }

    // "17 sync_file_range(90</...>, 4096, 8192, SYNC_FILE_RANGE_WAIT_BEFORE|SYNC_FILE_RANGE_WRITE|SYNC_FILE_RANGE_WAIT_AFTER) = 0"
    [GeneratedRegex(@"^(\d+) +sync_file_range\(\d+<(?<file>[^>]*)>.*SYNC_FILE_RANGE_WAIT_AFTER(?<done>\) += 0)?")] private static partial Regex HandOver { get; }
    [GeneratedRegex(@"^(\d+) +<\.\.\. sync_file_range resumed>.*= 0")] private static partial Regex HandedOver { get; }

    /// <summary>
    /// For each answer that begins so: the files made durable since the answer before it, of any kind: by a flush of their own, or handed over to
    /// the device whole before the flush of the log began (Storage/InPlace.cs says where that is enough).
    /// </summary>
    static List<HashSet<string>> FlushedBefore(string[] trace, params string[] answers)
    {
        var (found, since, open) = (new List<HashSet<string>>(), new HashSet<string>(), new Dictionary<string, string[]>());
        var (handed, handing) = (new HashSet<string>(), new Dictionary<string, string>());
        foreach (var line in trace)
        {
            if (Flush.Match(line) is { Success: true } flush)
            {
                string[] covered = [flush.Groups["file"].Value, .. handed];
                if (flush.Groups["done"].Success) since.UnionWith(covered);
                else open[flush.Groups[1].Value] = covered;
            }
            else if (Resumed.Match(line) is { Success: true } resumed && open.Remove(resumed.Groups[1].Value, out var files)) since.UnionWith(files);
            else if (HandOver.Match(line) is { Success: true } over)
            {
                if (over.Groups["done"].Success) handed.Add(over.Groups["file"].Value);
                else handing[over.Groups[1].Value] = over.Groups["file"].Value;
            }
            else if (HandedOver.Match(line) is { Success: true } ended && handing.Remove(ended.Groups[1].Value, out var file)) handed.Add(file);
            else if (answers.Any(answer => line.Contains('"' + answer, StringComparison.Ordinal)))
            {
                found.Add(since);
                (since, handed) = ([], []);
            }
            else if (line.Contains("\"354 ", StringComparison.Ordinal) || line.Contains("\"+ ", StringComparison.Ordinal)) (since, handed) = ([], []);
        }
        return found;
    }

    [Fact]
    public async Task Each_acknowledgement_comes_after_the_flush_of_pack_and_log()
    {
        const int messages = 8;
        string[] trace;
        await using (var traced = await Traced.AttachAsync(Server, "-y", "-s", "40", "-e", "trace=fsync,fdatasync,sync_file_range,write,writev,sendto,sendmsg"))
        {
            await using var smtp = await WireClient.SmtpHelloAsync(Server.Smtp);
            for (var i = 0; i < messages; i++)
            {
                await smtp.SmtpAsync("MAIL FROM:<sender@example.org>", "250");
                await smtp.SmtpAsync($"RCPT TO:<{Anna}>", "250");
                await smtp.SmtpAsync("DATA", "354");
                await smtp.SmtpAsync($"Subject: traced {i}\r\n\r\n{new string('x', 500 * i)}\r\n.", "250");
            }
            await using var imap = await WireClient.ImapLoginAsync(Server.Imap, Anna);
            for (var i = 0; i < messages; i++)
            {
                await imap.SendAsync($"a{i} APPEND INBOX {{30}}\r\n");
                Assert.StartsWith("+", await imap.ReadLineAsync());
                await imap.SendAsync("Subject: appended\r\n\r\nabcdefg\r\n"[..30] + "\r\n");
                Assert.StartsWith("OK [APPENDUID", (await imap.ImapLinesAsync($"a{i}"))[^1]);
            }
            trace = await traced.EndAsync();
        }
        var accepted = FlushedBefore(trace, "250 2.0.0 Accepted");
        var appended = FlushedBefore(trace, [.. Enumerable.Range(0, messages).Select(i => $"a{i} OK [APPENDUID")]);
        output.WriteLine($"{accepted.Count} messages, {appended.Count} appended; before the first: {string.Join(", ", accepted[0].Select(Path.GetFileName))}");
        Assert.Equal((messages, messages), (accepted.Count, appended.Count));
        foreach (var flushed in accepted.Concat(appended))
        {
            Assert.Contains(flushed, file => file.EndsWith(".pack", StringComparison.Ordinal));
            Assert.Contains(flushed, file => file.EndsWith("cbamail.db-wal", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Become_read_only_it_refuses_and_reads_on_and_takes_mail_again_by_itself()
    {
        await Letter.SendAsync(Server.Smtp, "sender@example.org", Anna, Letter.Text("sender@example.org", Anna, "readable"));
        await using var imap = await WireClient.ImapLoginAsync(Server.Imap, Anna);
        await imap.ImapAsync("SELECT INBOX", "OK");
        await using var smtp = await WireClient.SmtpHelloAsync(Server.Smtp);
        // a file system that is open for writing cannot be remounted; after an error ext4 answers writes so
        await using (await Traced.AttachAsync(Server, "-e", "trace=pwrite64,pwritev,ftruncate", "-e", "inject=pwrite64,pwritev,ftruncate:error=EROFS"))
        {
            await smtp.SmtpAsync("MAIL FROM:<sender@example.org>", "250");
            await smtp.SmtpAsync($"RCPT TO:<{Anna}>", "250");
            await smtp.SmtpAsync("DATA", "354");
            await smtp.SmtpAsync("Subject: lost\r\n\r\n.", "452 4.3.1 ");
            await smtp.SmtpAsync("MAIL FROM:<sender@example.org>", "452 4.3.1 ");
            Assert.StartsWith("NO [UNAVAILABLE]", (await imap.ImapAsync("APPEND INBOX {5+}\r\nHello"))[^1]);
            Assert.StartsWith("NO [UNAVAILABLE]", (await imap.ImapAsync("STORE 1 +FLAGS (\\Flagged)"))[^1]);
            Assert.Contains("readable", string.Concat(await imap.ImapAsync("FETCH 1:* (BODY[])", "OK")));
            await using var other = await WireClient.ImapLoginAsync(Server.Imap, Anna);
            await other.ImapAsync("SELECT INBOX", "OK");
            Assert.Contains("no new mail is taken", (await Server.CliAsync("status")).Failed(1).All);
        }
        await Wait.UntilAsync(async () => (await smtp.SmtpAsync("MAIL FROM:<sender@example.org>")).StartsWith("250", StringComparison.Ordinal), "mail is taken again");
        await smtp.SmtpAsync("RSET", "250");
        await imap.ImapAsync("STORE 1 +FLAGS (\\Flagged)", "OK");
        await Letter.SendAsync(Server.Smtp, "sender@example.org", Anna, Letter.Text("sender@example.org", Anna, "after"));
        Assert.DoesNotContain("Subject: lost", string.Concat(await Letter.AllAsync(Server.Imap, Anna)));
        (await Server.CliAsync("verify")).Succeeded();
    }
}
