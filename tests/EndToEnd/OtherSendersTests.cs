using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>msmtp and neomutt: what administrators' scripts and people in terminals send with.</summary>
public class OtherSendersTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private const string Anna = ServerFixture.Anna;
    private const string Boris = ServerFixture.Boris;
    private readonly TestServer server = fixture.Server;

    [Theory]
    [InlineData(587, "on")]
    [InlineData(465, "off")]
    public async Task Msmtp_sends(int port, string starttls)
    {
        var tool = new Tool { Input = Letter.Text(Anna, Boris, $"msmtp {port}", "Здравствуйте\r\n").Replace("\r\n", "\n", StringComparison.Ordinal) };
        (await tool.StartAsync("msmtp", "--host=127.0.0.1", $"--port={server.Offset + port}", "--tls=on", $"--tls-starttls={starttls}", "--tls-certcheck=off",
            "--auth=on", $"--user={Anna}", $"--passwordeval=echo '{ServerFixture.Password}'", $"--from={Anna}", "--", Boris)).Succeeded();
        Assert.Contains(await Letter.AllAsync(server.Imap, Boris), m => m.Contains($"Subject: msmtp {port}", StringComparison.Ordinal) && m.Contains("Здравствуйте", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Msmtp_reports_a_refused_recipient()
    {
        var ran = await new Tool { Input = Letter.Text(Anna, "nobody@example.test", "x") }.StartAsync("msmtp", "--host=127.0.0.1", $"--port={server.Smtp}",
            "--auth=off", $"--from={Anna}", "--", "nobody@example.test");
        Assert.NotEqual(0, ran.ExitCode);
        Assert.Contains("550", ran.Error);
    }

    [Fact]
    public async Task Neomutt_sends_in_batch_with_an_attachment()
    {
        var attachment = Path.Combine(server.Folder, "расписание.txt");
        await File.WriteAllTextAsync(attachment, "понедельник\n", TestContext.Current.CancellationToken);
        await WriteSettingsAsync();
        (await new Tool { Folder = server.Folder, Input = "Письмо из терминала\n", Environment = { ["HOME"] = server.Folder } }
            .StartAsync("neomutt", "-n", "-F", "muttrc", "-s", "Расписание занятий", "-a", attachment, "--", Boris)).Succeeded();
        var got = Assert.Single(await Letter.AllAsync(server.Imap, Boris), m => m.Contains("multipart/mixed", StringComparison.Ordinal));
        Assert.Contains("attachment", got);
    }

    [Fact]
    public async Task Neomutt_opens_a_mailbox_and_saves_a_message()
    {
        await Letter.SendAsync(server.Smtp, "stranger@example.org", Anna, Letter.Text("stranger@example.org", Anna, "for neomutt"));
        await WriteSettingsAsync();
        var saved = Path.Combine(server.Folder, "saved.mbox");
        var keys = $"<tag-pattern>~s 'for neomutt'<enter><tag-prefix><copy-message><kill-line>{saved}<enter><exit>";
        await new Tool { Folder = server.Folder, Environment = { ["HOME"] = server.Folder, ["TERM"] = "xterm" } }
            .StartAsync("script", "-qec", $"neomutt -n -F muttrc -f imap://127.0.0.1:{server.Imap}/INBOX -e \"push \\\"{keys}\\\"\"", "/dev/null");
        Assert.True(File.Exists(saved), "neomutt saved nothing");
        Assert.Contains("Subject: for neomutt", await File.ReadAllTextAsync(saved, TestContext.Current.CancellationToken));
    }

    private Task WriteSettingsAsync() => File.WriteAllTextAsync(Path.Combine(server.Folder, "muttrc"), $"""
        set from = "{Anna}"
        set realname = "Анна"
        set ssl_starttls = no
        set ssl_force_tls = no
        set imap_user = "{Anna}"
        set imap_pass = "{ServerFixture.Password}"
        set smtp_url = "smtp://127.0.0.1:{server.Smtp}/"
        set folder = "imap://127.0.0.1:{server.Imap}/"
        set copy = no
        set confirmcreate = no
        set confirmappend = no
        set quit = yes
        set delete = no
        set mail_check_stats = no
        set sleep_time = 0
        """);
}
