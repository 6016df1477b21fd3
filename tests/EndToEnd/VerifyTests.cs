using CbaMail.Storage.Blobs;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary><c>verify</c> with the real program: damage planted while it is stopped, named and mended while it runs, read by Python's imaplib.</summary>
public sealed class VerifyTests
{
    const string Anna = "anna@example.test";

    // prints the tagged answer, then the subject of each message that came
    const string Fetch = """
        import imaplib, sys
        m = imaplib.IMAP4("127.0.0.1", int(sys.argv[1]))
        m.login(sys.argv[2], sys.argv[3])
        m.select("INBOX")
        kind, data = m.fetch("1:*", "(FLAGS BODY.PEEK[])")
        if kind == "NO":
            print(kind, data[0].decode())
            data = m.response("FETCH")[1]
        else:
            print(kind)
        for item in data:
            if isinstance(item, tuple):
                print([l for l in item[1].decode().splitlines() if l.startswith("Subject: ")][0])
        assert m.noop()[0] == "OK"
        m.logout()
        """;

    static readonly string[] All = ["OK", .. Enumerable.Range(1, 5).Select(i => $"Subject: letter {i}")];

    static async Task<TestServer> WithMailAsync()
    {
        var server = await TestServer.StartAsync();
        await server.AddAccountsAsync(Anna);
        for (var i = 1; i <= 5; i++)
            (await server.CliAsync($"From: b@example.test\nTo: {Anna}\nSubject: letter {i}\nDate: Mon, 02 Feb 2026 10:00:00 +0000\nMessage-ID: <{i}@example.test>\n\n"
                + string.Concat(Enumerable.Range(0, 30).Select(n => $"{i * 7919 + n * 104729}\n")), ["message", "deliver", Anna])).Succeeded();
        Assert.Equal(0, await server.StopAsync());
        return server;
    }

    static string Pack(TestServer server) => Path.Combine(server.Data, "packs", "00000001.pack");

    static async Task<List<(long Position, RecordHead Head)>> RecordsAsync(string pack)
    {
        var bytes = await File.ReadAllBytesAsync(pack, TestContext.Current.CancellationToken);
        bool Read(long position, Span<byte> to)
        {
            if (position + to.Length > bytes.Length) return false;
            bytes.AsSpan((int)position, to.Length).CopyTo(to);
            return true;
        }
        return [.. RecordReader.All(Read, bytes.Length)];
    }

    static async Task<string[]> FetchAsync(TestServer server) =>
        (await Tool.RunAsync("python3", "-c", Fetch, server.Imap.ToString(null as IFormatProvider), Anna, ServerFixture.Password)).Succeeded().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    [Fact]
    public async Task A_flipped_bit_is_named_and_mended_from_a_copy_while_the_rest_is_served()
    {
        await using var server = await WithMailAsync();
        (await server.CliAsync("verify")).Succeeded(); // stopped: it is done here
        var records = await RecordsAsync(Pack(server));
        var copy = Path.Combine(server.Folder, "copy");
        System.IO.Directory.CreateDirectory(Path.Combine(copy, "packs"));
        File.Copy(Pack(server), Path.Combine(copy, "packs", "00000001.pack"));
        using (var file = new FileStream(Pack(server), FileMode.Open))
        {
            file.Position = records[2].Position + records[2].Head.Stored - 5;
            var value = file.ReadByte();
            file.Position--;
            file.WriteByte((byte)(value ^ 16));
        }
        var offline = (await server.CliAsync("verify")).Failed(1);
        await server.StartAgainAsync();
        var online = (await server.CliAsync("verify")).Failed(1);
        foreach (var ran in (Ran[])[offline, online])
            Assert.Contains($"{Anna}, INBOX, UID 3, \"letter 3\", 2026-02-02 10:00: the body is damaged: the record at {records[2].Position} of pack 1", ran.Output, StringComparison.Ordinal);
        var json = (await server.CliAsync("verify", "--json")).Failed(1).Output;
        Assert.Contains("\"kind\":\"body\"", json, StringComparison.Ordinal);
        Assert.Contains("\"uid\":3", json, StringComparison.Ordinal);
        Assert.Contains("\"kind\":\"summary\"", json, StringComparison.Ordinal);

        var fetched = await FetchAsync(server);
        Assert.StartsWith("NO [SERVERBUG] The body of UID 3 is damaged", fetched[0], StringComparison.Ordinal);
        Assert.Equal(["Subject: letter 1", "Subject: letter 2", "Subject: letter 4", "Subject: letter 5"], fetched[1..]);

        Assert.Contains("is whole again: taken from", (await server.CliAsync("verify", "--repair", "--from", copy)).Succeeded().Output, StringComparison.Ordinal);
        Assert.DoesNotContain("repaired:", (await server.CliAsync("verify", "--repair")).Succeeded().Output, StringComparison.Ordinal);
        Assert.Equal(All, await FetchAsync(server));
    }

    [Fact]
    public async Task A_pack_cut_short_is_mended_without_a_copy()
    {
        await using var server = await WithMailAsync();
        var records = await RecordsAsync(Pack(server));
        using (var file = new FileStream(Pack(server), FileMode.Open)) file.SetLength(records[3].Position + 20);
        await server.StartAgainAsync();
        var problems = (await server.CliAsync("verify")).Failed(1).Output;
        Assert.Contains("UID 4, \"letter 4\"", problems, StringComparison.Ordinal);
        Assert.Contains("UID 5, \"letter 5\"", problems, StringComparison.Ordinal);
        Assert.DoesNotContain("letter 3", problems, StringComparison.Ordinal);
        (await server.CliAsync("verify", "--repair")).Succeeded();
        (await server.CliAsync("verify")).Succeeded();
        Assert.Equal(All, await FetchAsync(server));
        Assert.Equal(0, await server.StopAsync());
        (await server.CliAsync("verify")).Succeeded();
    }
}
