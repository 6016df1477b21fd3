using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Faults;

/// <summary>A backup into a disk of 8 MiB: full in the middle of a run.</summary>
[Trait("Category", "Slow")]
public sealed class FullBackupTests : IAsyncLifetime
{
    const string Anna = "anna@example.test";
    SmallDisk disk = null!;
    TestServer server = null!;

    // the backup is on the small disk, the data are not
    public async ValueTask InitializeAsync()
    {
        disk = await SmallDisk.MountAsync(8);
        server = await TestServer.StartAsync(launch: disk.Launch with { Folder = null, Seen = path => path });
        await server.AddAccountsAsync(Anna);
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
        if (disk is not null) await disk.DisposeAsync();
    }

    string Repository => Path.Combine(disk.Folder, "backup"); // for the server
    string Seen => disk.Seen(Repository); // for us

    Task SendAsync(int number, int kibibytes)
    {
        var noise = new byte[kibibytes * 768];
        new Random(number).NextBytes(noise);
        return Letter.SendAsync(server.Smtp, "sender@example.org", Anna, Letter.Text("sender@example.org", Anna, $"letter {number}", Convert.ToBase64String(noise, Base64FormattingOptions.InsertLineBreaks) + "\r\n"));
    }

    Task<Ran> VerifyAsync() => server.CliAsync("verify", Seen);

    async Task IsAsBeforeAsync(int messages)
    {
        (await VerifyAsync()).Succeeded();
        Assert.Single((await server.CliAsync("restore", Seen, "--list")).Succeeded().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Single(System.IO.Directory.GetDirectories(Path.Combine(Seen, "snapshots")));
        Assert.Equal(messages, await Letter.CountAsync(server.Imap, Anna));
        Assert.True(server.IsRunning, server.Log);
        Assert.DoesNotContain("   at ", server.Log);
        Assert.DoesNotContain("No new mail is taken", server.Log); // it is another disk's trouble
    }

    [Fact]
    public async Task It_says_so_leaves_earlier_snapshots_whole_and_the_next_one_works()
    {
        for (var i = 1; i <= 10; i++) await SendAsync(i, 200);
        (await server.CliAsync("backup", Repository)).Succeeded();

        // more mail than there is room for: seen before a byte is copied
        for (var i = 11; i <= 80; i++) await SendAsync(i, 200);
        var before = (await server.CliAsync("backup", Repository)).Failed(1);
        Assert.Contains("free, and new mail needs", before.Error);
        Assert.DoesNotContain("   at ", before.All);
        await IsAsBeforeAsync(80);

        // something else takes the room meanwhile: an attachment of a mailing fits no more, in the middle of the run
        (await disk.RemountAsync("size=20m")).Succeeded();
        System.IO.Directory.CreateDirectory(Path.Combine(server.Data, "mailings"));
        var attachment = Path.Combine(server.Data, "mailings", "attachment");
        await File.WriteAllBytesAsync(attachment, new byte[20 << 20], TestContext.Current.CancellationToken);
        var midst = (await server.CliAsync("backup", Repository)).Failed(1);
        Assert.Contains($"The disk of {Repository} is full: this run is undone, earlier snapshots are whole", midst.Error);
        Assert.DoesNotContain("   at ", midst.All);
        await IsAsBeforeAsync(80);
        Assert.InRange(new DirectoryInfo(Path.Combine(Seen, "packs")).GetFiles().Sum(file => file.Length), 1, 4 << 20); // what the run had copied is gone

        File.Delete(attachment);
        await SendAsync(81, 1);
        (await server.CliAsync("backup", Repository)).Succeeded();
        (await VerifyAsync()).Succeeded();
        var restored = Path.Combine(server.Folder, "restored");
        (await new Tool { Folder = server.Folder }.StartAsync(TestServer.Program, ["restore", Seen, "--data", restored])).Succeeded();
        (await new Tool { Folder = server.Folder }.StartAsync(TestServer.Program, ["verify", "--data", restored])).Succeeded();
        Assert.Equal(2, (await server.CliAsync("restore", Seen, "--list")).Succeeded().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }
}
