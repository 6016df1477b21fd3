using CbaMail.Backup;
using Xunit;

namespace CbaMail.Tests.Server.Backup;

/// <summary>A backup that was damaged where it lies: whoever looks at it or restores from it is told what, and what to do.</summary>
public sealed class DamagedRepositoryTests : IAsyncLifetime
{
    readonly string folder = System.IO.Directory.CreateTempSubdirectory("cba-backup").FullName;
    Premises premises = null!;
    string first = "", second = "";

    string Repository => Path.Combine(folder, "repository");
    string Pack(int number) => Path.Combine(Repository, "packs", $"{number:d8}.pack");
    string Manifest(string snapshot) => Path.Combine(Repository, "snapshots", snapshot, "manifest.json");

    public async ValueTask InitializeAsync()
    {
        premises = new Premises(Path.Combine(folder, "data"));
        var anna = await premises.AddAsync("anna");
        System.IO.Directory.CreateDirectory(Path.Combine(premises.Data, "tls"));
        await File.WriteAllTextAsync(Path.Combine(premises.Data, "tls", "self-signed.key"), "secret");
        for (var i = 0; i < 60; i++) await premises.AppendAsync(premises.Mailbox(anna, "INBOX"), Premises.Letter(i, 8000));
        first = await BackUpAsync();
        for (var i = 60; i < 120; i++) await premises.AppendAsync(premises.Mailbox(anna, "INBOX"), Premises.Letter(i, 8000));
        second = await BackUpAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await premises.DisposeAsync();
        System.IO.Directory.Delete(folder, recursive: true);
    }

    async Task<string> BackUpAsync() => (await premises.Backups.RunAsync(new BackupOrder(Repository), null, default)).Value!.Snapshot;

    (BackupCheckSummary Summary, List<string> Problems) Verify()
    {
        var problems = new List<string>();
        var result = RepositoryCheck.Run(Repository, finding => { if (finding.IsProblem) problems.Add(finding.Text); }, null, TimeProvider.System, default);
        Assert.True(result.Ok, result.Refusal?.Sentence);
        Assert.Equal(problems.Count, result.Value.Problems);
        return (result.Value, problems);
    }

    async Task<string> RestoreRefusedAsync(string? at = null)
    {
        var result = await new WholeRestore(new RestoreOrder(Repository, Path.Combine(folder, "refused"), at), TimeProvider.System).RunAsync(default);
        Assert.False(result.Ok);
        Assert.False(File.Exists(Path.Combine(folder, "refused", "cbamail.db")));
        return result.Refusal!.Sentence;
    }

    async Task RestoresAsync(string at)
    {
        var data = Path.Combine(folder, "restored-" + Guid.NewGuid().ToString("n"));
        var result = await new WholeRestore(new RestoreOrder(Repository, data, at), TimeProvider.System).RunAsync(default);
        Assert.True(result.Ok, result.Refusal?.Sentence);
        await using var restored = new Premises(data);
        restored.Census(); // reads every body
    }

    static void Flip(string file, long at)
    {
        using var stream = new FileStream(file, FileMode.Open);
        stream.Position = at;
        var was = stream.ReadByte();
        stream.Position = at;
        stream.WriteByte((byte)(was ^ 0x40));
    }

    static void Cut(string file)
    {
        using var stream = new FileStream(file, FileMode.Open);
        stream.SetLength(stream.Length / 2);
    }

    [Fact]
    public void A_whole_one_is_whole()
    {
        var (summary, _) = Verify();
        Assert.Equal((0, 2), (summary.Problems, summary.Snapshots));
        Assert.True(summary.Packs > 2);
        Assert.Contains("The backup is whole.", summary.Text);
    }

    [Theory]
    [InlineData("missing", "Pack 1 is missing", "Pack 1 is missing in the backup")]
    [InlineData("cut", "Pack 1 ends at", "Pack 1 is damaged in the backup")]
    [InlineData("flipped", "Pack 1 is damaged: it does not have the checksum", "Pack 1 is damaged in the backup")]
    [InlineData("garbage", "Pack 1 is damaged: it does not have the checksum", "Pack 1 is damaged in the backup")]
    public async Task A_pack_that_is_damaged_is_named_with_what_to_do(string damage, string looked, string restored)
    {
        var bytes = await File.ReadAllBytesAsync(Pack(1), TestContext.Current.CancellationToken);
        if (damage == "missing") File.Delete(Pack(1));
        else if (damage == "cut") Cut(Pack(1));
        else if (damage == "flipped") Flip(Pack(1), bytes.Length / 3);
        else await File.WriteAllBytesAsync(Pack(1), new byte[bytes.Length], TestContext.Current.CancellationToken);
        var problem = Assert.Single(Verify().Problems);
        Assert.StartsWith(looked, problem);
        Assert.Contains($"the snapshots {first}, {second} cannot be restored completely", problem);
        Assert.Contains("run the backup again", problem);
        var refused = await RestoreRefusedAsync();
        Assert.StartsWith(restored, refused);
        Assert.Contains("--accept-damage", refused);
        // as the sentence says
        File.Delete(Pack(1));
        await BackUpAsync();
        Assert.Empty(Verify().Problems);
        await RestoresAsync(first);
        await RestoresAsync(second);
    }

    [Fact]
    public async Task What_only_the_newer_snapshot_needs_leaves_the_older_one_whole()
    {
        var last = System.IO.Directory.GetFiles(Path.Combine(Repository, "packs")).Order().Last();
        Flip(last, new FileInfo(last).Length - 10);
        Assert.Contains($"the snapshot {second} cannot be restored completely", Assert.Single(Verify().Problems));
        await RestoresAsync(first);
    }

    [Theory]
    [InlineData("")]
    [InlineData("garbage")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("[1, 2]")]
    [InlineData("{\"format\":1,\"name\":\"NAME\",\"databaseSha256\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"packs\":[null],\"files\":[],\"damage\":[]}")]
    [InlineData("{\"format\":1,\"name\":\"NAME\",\"databaseSha256\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"packs\":[{\"number\":-1,\"length\":-5,\"sha256\":null}],\"files\":[],\"damage\":[]}")]
    [InlineData("{\"format\":1,\"name\":\"NAME\",\"databaseSha256\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"packs\":[],\"files\":[{\"path\":\"../x\",\"size\":1,\"sha256\":\"../../../../etc/passwd\"}],\"damage\":[]}")]
    [InlineData("{\"format\":99999999999999999999}")]
    public async Task Garbage_where_a_manifest_should_be_is_said_and_no_older_snapshot_takes_its_place_unasked(string text)
    {
        await File.WriteAllTextAsync(Manifest(second), text.Replace("NAME", second, StringComparison.Ordinal), TestContext.Current.CancellationToken);
        var sentence = $"The manifest of the snapshot {second} is damaged ({Manifest(second)})";
        Assert.StartsWith(sentence, Assert.Single(Verify().Problems));
        Assert.StartsWith(sentence, await RestoreRefusedAsync());
        Assert.StartsWith(sentence, await RestoreRefusedAsync(second));
        Assert.Contains(Listing.Of(Repository).Value!, info => info.Damage.Any(said => said.StartsWith(sentence, StringComparison.Ordinal)));
        await RestoresAsync(first);
        var next = await premises.Backups.RunAsync(new BackupOrder(Repository, Keep: 1), null, default);
        Assert.StartsWith(sentence, Assert.Single(next.Value!.Damage));
        Assert.Empty(next.Value.Removed);
        await RestoresAsync(first);
        // as the sentence says
        System.IO.Directory.Delete(Path.Combine(Repository, "snapshots", second), recursive: true);
        Assert.Empty((await premises.Backups.RunAsync(new BackupOrder(Repository, Keep: 1), null, default)).Value!.Damage);
        Assert.Empty(Verify().Problems);
    }

    [Fact]
    public async Task A_database_of_a_snapshot_that_is_cut_missing_or_damaged_is_named()
    {
        var database = Path.Combine(Repository, "snapshots", second, "cbamail.db");
        foreach (var (damage, said) in new (Action, string)[] { (() => Flip(database, 9000), "is damaged"), (() => Cut(database), "ends at"), (() => File.Delete(database), "is missing") })
        {
            damage();
            var problem = Assert.Single(Verify().Problems);
            Assert.StartsWith($"The database of the snapshot {second} {said}", problem);
            Assert.Contains("--at", problem);
            Assert.Contains("he database is", await RestoreRefusedAsync());
            await RestoresAsync(first);
        }
    }

    [Fact]
    public void A_file_that_is_damaged_is_named()
    {
        Flip(Assert.Single(System.IO.Directory.GetFiles(Path.Combine(Repository, "files"))), 2);
        Assert.StartsWith("The file tls/self-signed.key is damaged", Assert.Single(Verify().Problems));
    }

    [Fact]
    public void What_is_no_backup_is_refused()
    {
        var result = RepositoryCheck.Run(folder, _ => { }, null, TimeProvider.System, default);
        Assert.Contains("is no backup", result.Refusal!.Sentence);
    }
}
