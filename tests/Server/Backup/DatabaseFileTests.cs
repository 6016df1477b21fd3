using CbaMail.Backup;
using CbaMail.Storage.Sqlite;
using Xunit;

namespace CbaMail.Tests.Server.Backup;

/// <summary>A database that SQLite cannot read any more.</summary>
public sealed class DatabaseFileTests
{
    static readonly DateTimeOffset Now = new(2026, 3, 4, 5, 6, 7, TimeSpan.Zero);

    // pages of the table, found by SQLite's own virtual table where it is there; else by the names that stand in them
    static void Spoil(string file, Func<long, bool> which)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.ReadWrite);
        for (long page = 1; page < stream.Length / 4096; page++)
        {
            if (!which(page)) continue;
            stream.Position = page * 4096;
            stream.Write(new byte[200]);
        }
    }

    [Fact]
    public async Task A_whole_one_has_no_problem()
    {
        await using var vault = await BackupFixture.NewAsync();
        await vault.AppendAsync(BackupFixture.Message(1));
        await vault.Store.DisposeAsync();
        Assert.Null(DatabaseFile.Problem(vault.Folder));
        await vault.RestartAsync();
    }

    [Fact]
    public async Task What_can_be_read_of_a_damaged_one_is_saved_and_mended()
    {
        await using var vault = await BackupFixture.NewAsync();
        for (var i = 1; i <= 600; i++) await vault.AppendAsync(BackupFixture.Message(i, 3));
        await vault.Store.DisposeAsync();
        var database = Path.Combine(vault.Folder, "cbamail.db");
        // some pages in the midst, where messages and bodies lie
        var pages = new FileInfo(database).Length / 4096;
        Spoil(database, page => page > pages / 2 && page % 29 == 0);
        Assert.NotNull(DatabaseFile.Problem(vault.Folder));

        var said = new List<string>();
        Assert.Null(DatabaseFile.Salvage(vault.Folder, Now, said.Add));
        Assert.Contains(said, line => line.Contains("the damaged one is kept as", StringComparison.Ordinal));
        Assert.True(File.Exists(database + ".damaged-20260304-050607"));
        Assert.Null(DatabaseFile.Problem(vault.Folder));
        await vault.RestartAsync();
        await vault.RepairAsync();
        var rows = vault.Rows();
        Assert.InRange(rows.Count, 300, 600);
        Assert.InRange(rows.Count(row => row.Uid <= 600), 300, 600);
        var first = rows.First(row => row.Uid <= 600).Uid;
        Assert.Equal(BackupFixture.Message((int)first, 3), vault.Body(first));
        // what was given out is not given out again
        Assert.True(await vault.AppendAsync(BackupFixture.Message(1000)) > 600);
    }

    [Fact]
    public async Task Of_one_that_was_cut_short_the_rest_is_saved()
    {
        await using var vault = await BackupFixture.NewAsync();
        for (var i = 1; i <= 300; i++) await vault.AppendAsync(BackupFixture.Message(i, 3));
        await vault.Store.DisposeAsync();
        using (var file = File.Open(Path.Combine(vault.Folder, "cbamail.db"), FileMode.Open)) file.SetLength(file.Length / 4096 * 3 / 4 * 4096);
        Assert.NotNull(DatabaseFile.Problem(vault.Folder));
        Assert.Null(DatabaseFile.Salvage(vault.Folder, Now, _ => { }));
        Assert.Null(DatabaseFile.Problem(vault.Folder));
        await vault.RestartAsync();
        await vault.RepairAsync();
        Assert.NotEmpty(vault.Rows());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Flipped_bits_anywhere_stop_no_salvage(int seed)
    {
        await using var vault = await BackupFixture.NewAsync();
        for (var i = 1; i <= 200; i++) await vault.AppendAsync(BackupFixture.Message(i, 3));
        await vault.Store.DisposeAsync();
        var database = Path.Combine(vault.Folder, "cbamail.db");
        var bytes = await File.ReadAllBytesAsync(database, TestContext.Current.CancellationToken);
        var random = new Random(seed);
        // near the beginning of pages, where their heads and the order of their rows stand
        for (var i = 0; i < 60; i++) bytes[(random.Next(1, bytes.Length / 4096) * 4096) + random.Next(200)] ^= (byte)(1 << random.Next(8));
        await File.WriteAllBytesAsync(database, bytes, TestContext.Current.CancellationToken);
        if (DatabaseFile.Problem(vault.Folder) is not null) Assert.Null(DatabaseFile.Salvage(vault.Folder, Now, _ => { }));
        Assert.Null(DatabaseFile.Problem(vault.Folder));
        // a key that was hit cannot be made again: that is said
        if (await Record.ExceptionAsync(vault.RestartAsync) is { } lost) Assert.Matches("^The key .* is missing in the database; restore it from a backup$", lost.Message);
    }

    [Fact]
    public async Task Of_one_that_is_no_database_nothing_is_touched()
    {
        await using var vault = await BackupFixture.NewAsync();
        await vault.Store.DisposeAsync();
        var database = Path.Combine(vault.Folder, "cbamail.db");
        var whole = await File.ReadAllBytesAsync(database, TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(database, new byte[8192].Select((_, i) => (byte)(i * 7)).ToArray(), TestContext.Current.CancellationToken);
        Assert.NotNull(DatabaseFile.Problem(vault.Folder));
        Assert.Contains("cbamail restore", DatabaseFile.Salvage(vault.Folder, Now, _ => { }), StringComparison.Ordinal);
        Assert.Equal(8192, new FileInfo(database).Length);
        await File.WriteAllBytesAsync(database, whole, TestContext.Current.CancellationToken);
        await vault.RestartAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Mail_without_its_database_starts_nothing_and_nothing_is_changed(bool empty)
    {
        await using var vault = await BackupFixture.NewAsync();
        await vault.AppendAsync(BackupFixture.Message(1));
        await vault.Store.DisposeAsync();
        var database = Path.Combine(vault.Folder, "cbamail.db");
        File.Move(database, database + ".elsewhere");
        if (empty) await File.WriteAllBytesAsync(database, [], TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(database + "-wal", "the log of the lost one", TestContext.Current.CancellationToken);

        foreach (var open in (Action[])[() => new Premises(vault.Folder), () => DatabaseFile.Problem(vault.Folder)])
            Assert.Contains("cbamail restore", Assert.Throws<InvalidOperationException>(open).Message, StringComparison.Ordinal);

        Assert.Equal(empty, File.Exists(database));
        Assert.True(File.Exists(database + "-wal"));
        File.Delete(database + "-wal");
        File.Move(database + ".elsewhere", database, overwrite: true);
        await vault.RestartAsync();
        Assert.Equal(BackupFixture.Message(1), vault.Body(1));
    }

    [Fact]
    public async Task A_repair_that_was_interrupted_between_two_names_is_finished_and_nothing_starts_before()
    {
        await using var vault = await BackupFixture.NewAsync();
        await vault.AppendAsync(BackupFixture.Message(1));
        await vault.Store.DisposeAsync();
        var database = Path.Combine(vault.Folder, "cbamail.db");
        File.Move(database, database + ".salvaged");

        Assert.Contains("verify --repair", Assert.Throws<InvalidOperationException>(() => new Premises(vault.Folder)).Message, StringComparison.Ordinal);
        Assert.True(DatabaseFile.Finish(vault.Folder, Now, _ => { }));
        Assert.False(DatabaseFile.Finish(vault.Folder, Now, _ => { }));
        await vault.RestartAsync();
        Assert.Equal(BackupFixture.Message(1), vault.Body(1));
    }

    [Fact]
    public async Task A_wrong_index_is_made_again()
    {
        await using var vault = await BackupFixture.NewAsync();
        for (var i = 0; i < 5; i++) await vault.InboxAsync($"person{i}@example.test");
        await vault.Store.DisposeAsync();
        using (var connection = new SqliteConnection(Path.Combine(vault.Folder, "cbamail.db"), readOnly: false))
        {
            // an index that says something else than its table: the schema is changed under it for a moment
            connection.Execute("CREATE INDEX odd ON mailbox (name); PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE INDEX odd ON mailbox (special_use)' WHERE name = 'odd'");
        }
        await vault.RestartAsync();
        Assert.Contains(await vault.ProblemsAsync(), line => line.StartsWith("an index is wrong", StringComparison.Ordinal));
        Assert.Contains("All indexes were made again.", await vault.RepairAsync());
    }
}
