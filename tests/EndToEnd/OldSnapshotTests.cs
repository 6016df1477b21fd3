using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using CbaMail.Backup;
using CbaMail.Storage.Sqlite;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>A snapshot that a released version would have made of its data, restored by the program of today: all of it, and one account.</summary>
public class OldSnapshotTests
{
    private const string Folder = "tests/Vectors/released";

    private static string Sha256(string file) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)));

    // as of then: the database with the schema of then, the packs, a manifest that says so
    private static async Task<string> MakeAsync(string release, string folder)
    {
        var data = System.IO.Directory.CreateDirectory(Path.Combine(folder, "old")).FullName;
        await using (var file = File.OpenRead(Path.Combine(House.Repository.Root, Folder, release + ".tgz")))
        await using (var unzipped = new GZipStream(file, CompressionMode.Decompress))
            await TarFile.ExtractToDirectoryAsync(unzipped, data, overwriteFiles: true);
        const string name = "2026-01-02T030405Z";
        var repository = Path.Combine(folder, "repository");
        var snapshot = System.IO.Directory.CreateDirectory(Path.Combine(repository, "snapshots", name)).FullName;
        System.IO.Directory.CreateDirectory(Path.Combine(repository, "files"));
        var packs = System.IO.Directory.CreateDirectory(Path.Combine(repository, "packs")).FullName;
        var database = Path.Combine(snapshot, "cbamail.db");
        long schema;
        using (var connection = new SqliteConnection(Path.Combine(data, "cbamail.db"), readOnly: false))
        {
            connection.Execute($"VACUUM INTO '{database}'");
            schema = connection.Prepare("PRAGMA user_version").Scalar() ?? 0;
        }
        var entries = new List<PackEntry>();
        foreach (var pack in System.IO.Directory.GetFiles(Path.Combine(data, "packs")).Order())
        {
            File.Copy(pack, Path.Combine(packs, Path.GetFileName(pack)));
            entries.Add(new PackEntry(int.Parse(Path.GetFileNameWithoutExtension(pack), null), new FileInfo(pack).Length, Sha256(pack), DateTimeOffset.UnixEpoch));
        }
        var manifest = new Manifest(1, name, 1, release, schema, "mail.example.test", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, 0, 0, 0, true,
            new FileInfo(database).Length, Sha256(database), entries, [], []);
        await File.WriteAllBytesAsync(Path.Combine(snapshot, "manifest.json"), manifest.ToBytes());
        return repository;
    }

    [Theory]
    [MemberData(nameof(UpgradeTests.Releases), MemberType = typeof(UpgradeTests))]
    public async Task A_snapshot_of_a_release_is_restored_and_taken_over(string release)
    {
        await using var server = await TestServer.StartAsync();
        await server.StopAsync();
        System.IO.Directory.Delete(server.Data, recursive: true);
        var repository = await MakeAsync(release, server.Folder);
        (await server.CliAsync("verify", repository)).Succeeded();
        (await server.CliAsync("restore", repository)).Succeeded();
        (await server.CliAsync("verify")).Succeeded(); // without a server, too
        await server.StartAgainAsync();
        async Task CheckAsync() => (await Tool.RunAsync("python3", Path.Combine(House.Repository.Root, "tests/EndToEnd/python/released.py"), "check",
            Path.Combine(House.Repository.Root, Folder, release + ".json"), server.Imap.ToString(null as IFormatProvider))).Succeeded();
        await CheckAsync();
        (await server.CliAsync("verify")).Succeeded();
        // one account out of it, whose database is older than what runs here
        var gone = (await server.CliAsync("account", "list", "--json")).Succeeded().Output;
        var address = System.Text.Json.JsonDocument.Parse(gone).RootElement.EnumerateArray().Select(account => account.GetProperty("address").GetString()!).First(name => name.StartsWith("anna@", StringComparison.Ordinal));
        (await server.CliAsync("account", "remove", address)).Succeeded();
        var back = System.Text.Json.JsonDocument.Parse((await server.CliAsync("restore", repository, "--account", address, "--json")).Succeeded().Output).RootElement;
        Assert.True(back.GetProperty("created").GetBoolean());
        Assert.NotEqual(0, back.GetProperty("restored").GetInt32());
        Assert.Empty(back.GetProperty("damage").EnumerateArray());
        (await server.CliAsync("verify")).Succeeded();
    }
}
