using CbaMail.Storage;
using CbaMail.Storage.Sqlite;
using Xunit;

namespace CbaMail.Tests.Server.Storage.Sqlite;

/// <summary>SQLite with our own way of writing its log: whatever the order of writing, reading and growing, it is SQLite's file.</summary>
public sealed class LogVfsTests : IDisposable
{
    readonly string folder = System.IO.Directory.CreateTempSubdirectory("cbamail-log-").FullName;

    string Path => System.IO.Path.Combine(folder, "a.db");

    public void Dispose() => System.IO.Directory.Delete(folder, recursive: true);

    SqliteConnection Open(bool readOnly = false, int cachePages = 1000, string? vfs = null)
    {
        var connection = new SqliteConnection(Path, readOnly, vfs ?? LogVfs.Name);
        connection.Execute($"PRAGMA cache_size={cachePages}" + (readOnly ? "" : "; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit=200000"));
        return connection;
    }

    static long One(SqliteConnection connection, string sql)
    {
        using var row = connection.Prepare(sql);
        return row.Step() ? row.Int64(0) : -1;
    }

    [Fact]
    public void It_is_there_on_this_machine() => Assert.Equal("cbamail", LogVfs.Name);

    [Fact]
    public void What_is_committed_is_in_the_files_for_anybody_who_reads_them()
    {
        using var writer = Open();
        writer.Execute("CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB)");
        for (var i = 1; i <= 20; i++)
        {
            writer.Execute($"INSERT INTO t (b) VALUES (randomblob({i * 700}))");
            // what a kill would leave, read by SQLite's own means
            var copy = System.IO.Path.Combine(folder, $"copy{i}.db");
            foreach (var end in new[] { "", "-wal" }) File.Copy(Path + end, copy + end);
            using var other = new SqliteConnection(copy, readOnly: false);
            Assert.Equal(i, One(other, "SELECT count(*) FROM t"));
            using var check = other.Prepare("PRAGMA integrity_check");
            Assert.True(check.Step() && check.String(0) == "ok");
        }
    }

    [Fact]
    public void A_transaction_larger_than_the_cache_reads_its_own_pages_and_can_be_undone()
    {
        using var writer = Open(cachePages: 10);
        writer.Execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, b BLOB)");
        using var reader = Open(readOnly: true);
        foreach (var commits in new[] { false, true, true })
        {
            var before = One(reader, "SELECT count(*) FROM t");
            writer.Execute("BEGIN IMMEDIATE");
            for (var i = 0; i < 400; i++) writer.Execute($"INSERT INTO t (n, b) VALUES ({i}, randomblob(3000))");
            writer.Execute("UPDATE t SET n = n + 1");
            Assert.Equal(before + 400, One(writer, "SELECT count(*) FROM t WHERE length(b) = 3000"));
            Assert.Equal(before, One(reader, "SELECT count(*) FROM t"));
            writer.Execute(commits ? "COMMIT" : "ROLLBACK");
            Assert.Equal(before + (commits ? 400 : 0), One(reader, "SELECT count(*) FROM t"));
        }
    }

    [Fact]
    public void The_log_begins_again_beside_readers_and_other_ways_to_the_same_file()
    {
        using var writer = Open();
        writer.Execute("CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB)");
        using var reader = Open(readOnly: true);
        using var plain = Open(vfs: "unix");
        using var mover = Open();
        for (var i = 1; i <= 300; i++)
        {
            (i % 3 == 0 ? plain : writer).Execute("INSERT INTO t (b) VALUES (randomblob(2000))");
            Assert.Equal(i, One(reader, "SELECT count(*) FROM t"));
            if (i % 20 == 0) mover.Checkpoint();
            if (i % 50 == 0) Assert.True(writer.BeginLogAgain(1000));
        }
        Assert.True(new FileInfo(Path + "-wal").Length <= 400_000);
    }

    [Fact]
    public void Only_directories_of_one_file_system_that_writes_in_place_are_flushed_together()
    {
        var real = new RealDisk();
        Assert.False(real.FlushesTogether(folder, "/proc"));
        Assert.False(real.FlushesTogether("/dev/shm", "/dev/shm")); // tmpfs
        Assert.False(real.FlushesTogether(folder, System.IO.Path.Combine(folder, "missing")));
        // a link is followed to where it leads
        var link = System.IO.Path.Combine(folder, "link");
        File.CreateSymbolicLink(link, "/dev/shm");
        Assert.False(real.FlushesTogether(folder, link));
    }
}
