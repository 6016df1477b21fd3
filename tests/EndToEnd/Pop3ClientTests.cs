using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>Programs that fetch mail by POP3 on their own: mpop, into a maildir.</summary>
public class Pop3ClientTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private readonly TestServer server = fixture.Server;

    private async Task DeliverAsync(string address, params string[] subjects)
    {
        foreach (var subject in subjects)
            (await server.CliAsync(Letter.Text(ServerFixture.Boris, address, subject, $"{subject}: Привет\r\n.dot\r\n"), ["message", "deliver", address])).Succeeded();
    }

    private string Maildir(string name)
    {
        var folder = Path.Combine(server.Folder, name);
        foreach (var part in new[] { "cur", "new", "tmp" }) System.IO.Directory.CreateDirectory(Path.Combine(folder, part));
        return folder;
    }

    private static string[] Subjects(string maildir) =>
        [.. System.IO.Directory.GetFiles(Path.Combine(maildir, "new")).Select(file => File.ReadAllLines(file).First(line => line.StartsWith("Subject: ", StringComparison.Ordinal))[9..]).Order()];

    private async Task PrivateAsync(string file, string text)
    {
        await File.WriteAllTextAsync(Path.Combine(server.Folder, file), text);
        File.SetUnixFileMode(Path.Combine(server.Folder, file), UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public async Task Mpop_fetches_what_is_new_and_deletes_it()
    {
        await server.AddAccountsAsync("mpop@example.test");
        var maildir = Maildir("mpop");
        await PrivateAsync("mpoprc", $"""
            defaults
            tls on
            tls_certcheck off
            uidls_file {server.Folder}/uidls
            account implicit
            host 127.0.0.1
            port {server.Pop3s}
            tls_starttls off
            user mpop@example.test
            password {ServerFixture.Password}
            delivery maildir {maildir}
            keep on
            account stls : implicit
            uidls_file {server.Folder}/uidls-of-stls
            port {server.Pop3}
            tls_starttls on
            keep off
            """);
        Task<Ran> Mpop(string account) => new Tool { Folder = server.Folder }.StartAsync("mpop", "-C", Path.Combine(server.Folder, "mpoprc"), account);

        await DeliverAsync("mpop@example.test", "one", "two");
        (await Mpop("implicit")).Succeeded();
        Assert.Equal(["one", "two"], Subjects(maildir));
        await DeliverAsync("mpop@example.test", "three");
        (await Mpop("implicit")).Succeeded();       // by UIDL only the new one
        Assert.Equal(["one", "three", "two"], Subjects(maildir));
        (await Mpop("stls")).Succeeded();           // another list: all again, and deleted
        Assert.Equal(["one", "one", "three", "three", "two", "two"], Subjects(maildir));
        (await Mpop("stls")).Succeeded();
        Assert.Equal(6, Subjects(maildir).Length);
    }

    [Fact]
    public async Task What_was_said_to_be_deleted_is_so_after_a_kill_and_unique_ids_are_what_they_were()
    {
        await using var own = await TestServer.StartAsync();
        await own.AddAccountsAsync("kill@example.test");
        foreach (var subject in new[] { "one", "two", "three" })
            (await own.CliAsync(Letter.Text(ServerFixture.Boris, "kill@example.test", subject), ["message", "deliver", "kill@example.test"])).Succeeded();
        List<string> before;
        await using (var client = await SignInAsync(own.Pop3))
        {
            before = await LinesAsync(client, "UIDL");
            await client.SendAsync("DELE 2\r\nQUIT\r\n");
            Assert.StartsWith("+OK", await client.ReadLineAsync());
            Assert.StartsWith("+OK", await client.ReadLineAsync());
        }
        await own.KillAsync();
        await own.StartAgainAsync();
        await using var again = await SignInAsync(own.Pop3);
        Assert.Equal([before[0].Split(' ')[1], before[2].Split(' ')[1]], (await LinesAsync(again, "UIDL")).Select(line => line.Split(' ')[1]));
    }

    private static async Task<WireClient> SignInAsync(int port)
    {
        var client = await WireClient.ConnectAsync(port);
        foreach (var line in new[] { "", "USER kill@example.test\r\n", $"PASS {TestServer.Password}\r\n" })
        {
            if (line.Length > 0) await client.SendAsync(line);
            Assert.StartsWith("+OK", await client.ReadLineAsync());
        }
        return client;
    }

    private static async Task<List<string>> LinesAsync(WireClient client, string command)
    {
        await client.SendLineAsync(command);
        Assert.StartsWith("+OK", await client.ReadLineAsync());
        var lines = new List<string>();
        while (await client.ReadLineAsync() is { } line && line != ".") lines.Add(line);
        return lines;
    }
}
