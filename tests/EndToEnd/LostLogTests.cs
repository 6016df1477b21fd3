using CbaMail.Storage.Sqlite;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>kill -9, and then somebody takes the database's log away: the file that looked like rubbish.</summary>
public sealed class LostLogTests
{
    const string Anna = "anna@example.test";

    static string WithFile(int number)
    {
        var noise = new byte[90_000];
        new Random(number).NextBytes(noise);
        return $"From: x@elsewhere.test\r\nTo: {Anna}\r\nSubject: late {number}\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\nMessage-ID: <late{number}@x.test>\r\nMIME-Version: 1.0\r\n" +
            $"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nlate {number}\r\n--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
            $"{Convert.ToBase64String(noise, Base64FormattingOptions.InsertLineBreaks)}\r\n--b--\r\n";
    }

    [Fact]
    public async Task Nothing_starts_until_it_is_back_or_a_repair_has_put_the_mail_of_it_where_it_is_found()
    {
        await using var server = await TestServer.StartAsync();
        await server.AddAccountsAsync(Anna);
        for (var i = 1; i <= 5; i++) await Letter.SendAsync(server.Smtp, "x@elsewhere.test", Anna, Letter.Text("x@elsewhere.test", Anna, $"early {i}"));
        Assert.Equal(0, await server.StopAsync());
        await server.StartAgainAsync();
        for (var i = 1; i <= 5; i++) await Letter.SendAsync(server.Smtp, "x@elsewhere.test", Anna, i % 2 == 0 ? WithFile(i) : Letter.Text("x@elsewhere.test", Anna, $"late {i}"));
        await server.KillAsync();
        var (log, aside) = (Path.Combine(server.Data, "cbamail.db-wal"), Path.Combine(server.Folder, "rubbish"));
        Assert.NotEqual(0, new FileInfo(log).Length);
        File.Move(log, aside);
        File.Delete(Path.Combine(server.Data, "cbamail.db-shm"));

        for (var twice = 0; twice < 2; twice++) // refusing changes nothing
        {
            var refused = await Assert.ThrowsAsync<InvalidOperationException>(server.StartAgainAsync);
            Assert.Contains("ended with 1:", refused.Message);
            Assert.Contains("cbamail.db-wal, is missing although the server was not stopped properly", refused.Message);
            Assert.DoesNotContain("   at ", refused.Message);
            Assert.Contains("cbamail.db-wal, is missing", (await server.CliAsync("verify")).Failed(1).Output);
            Assert.Contains("cbamail.db-wal, is missing", (await server.CliAsync("backup", Path.Combine(server.Folder, "backup"))).Failed(1).Error);
        }
        // put back, and moved into the database by a look with another program, all is there and nothing is missed
        File.Copy(aside, log);
        using (var look = new SqliteConnection(Path.Combine(server.Data, "cbamail.db"), readOnly: false)) Assert.NotEqual(0, look.Prepare("SELECT count(*) FROM message").Scalar());
        Assert.False(File.Exists(log));
        await server.StartAgainAsync();
        Assert.Equal(10, await Letter.CountAsync(server.Imap, Anna));
        for (var i = 6; i <= 9; i++) await Letter.SendAsync(server.Smtp, "x@elsewhere.test", Anna, i % 2 == 0 ? WithFile(i) : Letter.Text("x@elsewhere.test", Anna, $"late {i}"));
        await server.KillAsync();
        File.Delete(log);
        File.Delete(Path.Combine(server.Data, "cbamail.db-shm"));

        var repaired = (await server.CliAsync("verify", "--repair")).Succeeded().Output;
        Assert.Contains("messages whose rows stood in the missing log are in the mailbox \"Recovered\"", repaired);
        (await server.CliAsync("verify")).Succeeded();
        await server.StartAgainAsync();
        var recovered = await Letter.AllAsync(server.Imap, Anna, "Recovered");
        foreach (var number in Enumerable.Range(6, 4)) Assert.Contains(recovered, text => text.Contains($"Subject: late {number}\r\n", StringComparison.Ordinal));
        foreach (var number in (int[])[6, 8]) Assert.Contains(recovered, text => text.Contains(WithFile(number), StringComparison.Ordinal)); // with its attachment
        var inbox = await Letter.CountAsync(server.Imap, Anna);
        Assert.InRange(inbox, 5, 10);
        await Letter.SendAsync(server.Smtp, "x@elsewhere.test", Anna, Letter.Text("x@elsewhere.test", Anna, "after"));
        Assert.Equal(inbox + 1, await Letter.CountAsync(server.Imap, Anna));
        (await server.CliAsync("verify")).Succeeded();
    }
}
