using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

public class CurlTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private const string Anna = ServerFixture.Anna;
    private const string Boris = ServerFixture.Boris;
    private readonly TestServer server = fixture.Server;

    private static Task<Ran> Curl(string input, params string[] arguments) =>
        new Tool { Input = input }.StartAsync("curl", ["-sS", "-k", "--max-time", "20", .. arguments]);

    private static string User(string address) => $"{address}:{ServerFixture.Password}";

    [Theory]
    [InlineData("smtp, clear", "smtp", "25", false)]
    [InlineData("submission with STARTTLS", "smtp", "587", true)]
    [InlineData("submission over TLS", "smtps", "465", true)]
    public async Task Sends_and_reads_back(string subject, string scheme, string port, bool signIn)
    {
        var letter = Letter.Text(Anna, Boris, subject, $"By {subject}: Привет\r\n.leading dot\r\n");
        string[] auth = signIn ? ["--user", User(Anna), "--ssl-reqd"] : [];
        (await Curl(letter, ["--url", $"{scheme}://127.0.0.1:{server.Offset + int.Parse(port, null)}/client.example.org",
            "--mail-from", Anna, "--mail-rcpt", Boris, "--upload-file", "-", .. auth])).Succeeded();
        var found = (await Curl("", $"imap://127.0.0.1:{server.Imap}/INBOX", "--user", User(Boris), "-X", $"UID SEARCH SUBJECT \"{subject}\"")).Succeeded().Output;
        var uid = found.Trim().Split(' ')[^1];
        var text = (await Curl("", $"imap://127.0.0.1:{server.Imap}/INBOX;UID={uid}", "--user", User(Boris))).Succeeded().Output;
        Assert.Contains("Привет\r\n.leading dot\r\n", text);
        Assert.Contains("Received: ", text);
        Assert.StartsWith("Return-Path: <anna@example.test>", text);
    }

    [Fact]
    public async Task Submission_without_sign_in_is_refused()
    {
        var ran = await Curl(Letter.Text(Anna, Boris, "no"), "--url", $"smtp://127.0.0.1:{server.Submission}/x.example.org",
            "--mail-from", Anna, "--mail-rcpt", Boris, "--upload-file", "-");
        Assert.NotEqual(0, ran.ExitCode);
        Assert.Contains("530", ran.Error);
    }

    [Theory]
    [InlineData("PLAIN")]
    [InlineData("LOGIN")]
    public async Task A_wrong_password_is_refused(string mechanism)
    {
        var ran = await Curl(Letter.Text(Anna, Boris, "no"), "--url", $"smtps://127.0.0.1:{server.Submissions}/x.example.org", "--login-options", $"AUTH={mechanism}",
            "--user", $"{Anna}:wrong", "--mail-from", Anna, "--mail-rcpt", Boris, "--upload-file", "-");
        Assert.Equal(67, ran.ExitCode);         // curl: login denied
    }

    [Theory]
    [InlineData("imap", 143, "--ssl-reqd")]
    [InlineData("imaps", 993, "--ssl-reqd")]
    [InlineData("imap", 143, "-s")]
    public async Task Imap_lists_appends_and_fetches(string scheme, int port, string option)
    {
        var url = $"{scheme}://127.0.0.1:{server.Offset + port}";
        var list = (await Curl("", url, "--user", User(Anna), option)).Succeeded().Output;
        foreach (var (name, use) in new[] { ("INBOX", ""), ("Sent", @"\Sent"), ("Drafts", @"\Drafts"), ("Trash", @"\Trash"), ("Junk", @"\Junk"), ("Archive", @"\Archive") })
            Assert.Contains(list.Split('\n'), l => l.Contains(name, StringComparison.Ordinal) && l.Contains(use, StringComparison.Ordinal));
        var letter = Letter.Text(Anna, Anna, "appended by curl");
        var file = Path.Combine(server.Folder, "append.eml");
        await File.WriteAllTextAsync(file, letter, TestContext.Current.CancellationToken);
        (await Curl("", "-T", file, $"{url}/Drafts", "--user", User(Anna), option)).Succeeded();
        var text = (await Curl("", $"{url}/Drafts;MAILINDEX=1", "--user", User(Anna), option)).Succeeded().Output;
        Assert.Equal(letter[letter.IndexOf("\r\n\r\n", StringComparison.Ordinal)..], text[text.IndexOf("\r\n\r\n", StringComparison.Ordinal)..]);
    }

    [Theory]
    [InlineData("pop3", 110, "--ssl-reqd")]
    [InlineData("pop3", 110, "-s")]
    [InlineData("pop3s", 995, "-s")]
    public async Task Pop3_lists_fetches_and_deletes(string scheme, int port, string option)
    {
        var (url, user, body) = ($"{scheme}://127.0.0.1:{server.Offset + port}", User(ServerFixture.Boris), "Привет\r\n.\r\n.leading dot\r\n..two\r\n");
        await Curl("", url, "--user", user, option);
        (await Curl(Letter.Text(Anna, Boris, "for " + scheme, body), "--url", $"smtp://127.0.0.1:{server.Smtp}/client.example.org", "--mail-from", Anna, "--mail-rcpt", Boris, "--upload-file", "-")).Succeeded();
        var last = (await Curl("", url, "--user", user, option)).Succeeded().Output.Trim().Split('\n')[^1].Trim().Split(' ');
        var text = (await Curl("", $"{url}/{last[0]}", "--user", user, option)).Succeeded().Output;
        Assert.EndsWith(body, text);
        Assert.Equal(last[1], System.Text.Encoding.UTF8.GetByteCount(text).ToString(null as IFormatProvider));
        Assert.Contains($"{last[0]} ", (await Curl("", url, "--user", user, option, "-X", "UIDL")).Succeeded().Output);
        Assert.DoesNotContain("leading", (await Curl("", $"{url}", "--user", user, option, "-X", $"TOP {last[0]} 0")).Succeeded().Output);
        (await Curl("", $"{url}/{last[0]}", "--user", user, option, "-X", "DELE", "-I")).Succeeded();
        Assert.NotEqual(0, (await Curl("", $"{url}/{last[0]}", "--user", user, option)).ExitCode);
    }

    [Fact]
    public async Task Pop3_knows_no_apop_and_no_wrong_password()
    {
        Assert.Equal(67, (await Curl("", $"pop3://127.0.0.1:{server.Pop3}", "--user", $"{Anna}:wrong")).ExitCode);       // curl: login denied
        Assert.NotEqual(0, (await Curl("", $"pop3://127.0.0.1:{server.Pop3}", "--user", User(Anna), "--login-options", "AUTH=+APOP")).ExitCode);
    }
}
