using CbaMail.Config;
using CbaMail.Storage;
using CbaMail.Storage.Blobs;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Storage;

public sealed class StoreTests : IAsyncDisposable
{
    readonly string directory = System.IO.Directory.CreateTempSubdirectory("cba-store").FullName;
    Store store;

    public StoreTests() => store = Open();

    Store Open() => new(new Settings { Data = directory, Storage = new StorageSettings { PackBytes = 1 << 20 } }, NullLogger<Store>.Instance);

    static long Insert(WriteTransaction transaction, string name)
    {
        transaction.Prepare("INSERT INTO domain (name, default_quota, created) VALUES (?, 0, 0)").Bind(1, name).Run();
        return transaction.LastInsertId;
    }

    long Count()
    {
        using var read = store.Read();
        return read.Prepare("SELECT count(*) FROM domain").Scalar() ?? 0;
    }

    [Fact]
    public async Task Work_that_throws_undoes_only_itself()
    {
        var work = Enumerable.Range(0, 50).Select(i => store.CommitAsync(t =>
        {
            var id = Insert(t, "d" + i);
            return i % 7 == 3 ? throw new InvalidOperationException("no") : id;
        }).AsTask()).ToArray();
        await Assert.ThrowsAsync<InvalidOperationException>(() => Task.WhenAll(work));
        Assert.Equal(7, work.Count(task => task.IsFaulted));
        Assert.Equal(43, Count());
    }

    [Fact]
    public async Task Objects_of_every_size_come_back_and_survive_a_restart()
    {
        var random = new Random(1);
        var objects = new List<(byte[] Bytes, PackLocation Location)>();
        foreach (var size in new[] { 0, 1, 39, 40, 4096, 262_143, 262_144, 262_145, 700_000, 900_000, 900_000, 3_000_000 })
        {
            var bytes = new byte[size];
            if (size % 2 == 0) random.NextBytes(bytes); else Array.Fill(bytes, (byte)'a');
            using var record = PackRecord.Build(RecordKind.Content, bytes, null, []);
            objects.Add((bytes, await store.CommitAsync(t => t.Append(record, 7))));
        }
        for (var round = 0; round < 2; round++)
        {
            foreach (var (bytes, location) in objects)
            {
                using var reader = store.Packs.Open(location);
                Assert.Equal(bytes.Length, reader.Length);
                var read = new List<byte>();
                while (read.Count < bytes.Length) read.AddRange(reader.From(read.Count).ToArray());
                Assert.True(bytes.AsSpan().SequenceEqual(read.ToArray()));
            }
            await store.DisposeAsync();
            store = Open();
        }
    }

    [Fact]
    public async Task A_base_as_dictionary_makes_what_resembles_it_tiny()
    {
        var random = new Random(2);
        var first = new byte[20_000];
        random.NextBytes(first);
        var second = first.ToArray();
        second[100]++;
        using var record = PackRecord.Build(RecordKind.Content, second, 1, first);
        Assert.InRange(record.Length, 41, 300);
        var location = await store.CommitAsync(t => t.Append(record, 2));
        using var reader = store.Packs.Open(location, () => first);
        Assert.Equal(second, reader.From(0).ToArray());
    }

    [Fact]
    public async Task The_tail_that_was_never_whole_is_cut_off()
    {
        using var record = PackRecord.Build(RecordKind.Content, new byte[5000], null, []);
        var location = await store.CommitAsync(t => t.Append(record, 1));
        await store.DisposeAsync();
        var pack = Path.Combine(directory, "packs", "00000001.pack");
        var whole = new FileInfo(pack).Length;
        await using (var file = new FileStream(pack, FileMode.Append)) file.Write(new byte[999]);
        store = Open();
        var next = await store.CommitAsync(t => t.Append(record, 2));
        Assert.Equal(whole, next.Position);
        using var reader = store.Packs.Open(location);
        Assert.Equal(5000, reader.Length);
    }

    [Fact]
    public void A_second_server_on_the_same_directory_is_refused_with_a_sentence()
    {
        var error = Assert.Throws<InvalidOperationException>(() => Open());
        Assert.Contains("Another server uses the data directory", error.Message);
    }

    [Fact]
    public async Task An_action_after_the_commit_that_throws_fails_nobody()
    {
        var told = 0;
        var work = Enumerable.Range(0, 20).Select(i => store.CommitAsync(t =>
        {
            t.OnCommitted(() => { if (i % 3 == 0) throw new InvalidOperationException("late"); });
            t.OnCommitted(() => Interlocked.Increment(ref told));
            return Insert(t, "a" + i);
        }).AsTask()).ToArray();
        await Task.WhenAll(work);
        Assert.Equal((20, 20L), (told, Count()));
    }

    [Fact]
    public async Task Statistics_count_what_is_named_and_seal_what_is_full()
    {
        using var record = PackRecord.Build(RecordKind.Content, RandomBytes(300_000), null, []);
        var places = new List<PackLocation>();
        for (var i = 0; i < 10; i++) places.Add(await store.CommitAsync(t => t.Append(record, i)));
        await Assert.ThrowsAsync<InvalidOperationException>(() => store.CommitAsync<int>(t =>
        {
            t.Append(record, 99);
            t.Drop(places[0]);
            throw new InvalidOperationException("no");
        }).AsTask());
        await store.CommitAsync(t => { t.Drop(places[1]); return 0; });
        var stored = places[0].Stored;
        for (var round = 0; round < 2; round++)
        {
            Assert.Equal(places.GroupBy(p => p.Pack).Select(g => (g.Key, (long)stored * (g.Count() - (g.Contains(places[1]) ? 1 : 0)))), Statistics().Select(p => (p.Pack, p.Live)));
            Assert.Equal(Statistics().SkipLast(1).Select(p => (p.Pack, true, new FileInfo(Path.Combine(directory, "packs", $"{p.Pack:d8}.pack")).Length)), Statistics().SkipLast(1).Select(p => (p.Pack, p.Sealed, p.Bytes)));
            Assert.False(Statistics()[^1].Sealed);
            await store.DisposeAsync();
            store = Open();
        }
    }

    static byte[] RandomBytes(int size)
    {
        var bytes = new byte[size];
        new Random(5).NextBytes(bytes);
        return bytes;
    }

    List<(int Pack, bool Sealed, long Bytes, long Live)> Statistics()
    {
        using var read = store.Read();
        using var row = read.Prepare("SELECT id, sealed, bytes, live FROM pack ORDER BY id");
        var list = new List<(int, bool, long, long)>();
        while (row.Step()) list.Add((row.Int32(0), row.Bool(1), row.Int64(2), row.Int64(3)));
        return list;
    }

    [Fact]
    public async Task The_settings_that_durability_rests_on_are_in_force()
    {
        var settings = await store.CommitAsync(t => (t.Prepare("PRAGMA synchronous").Scalar(), t.Prepare("PRAGMA foreign_keys").Scalar()));
        Assert.Equal(2, settings.Item1);
        using var read = store.Read();
        using var mode = read.Prepare("PRAGMA journal_mode");
        Assert.True(mode.Step());
        Assert.Equal("wal", mode.Text(0));
    }

    public async ValueTask DisposeAsync()
    {
        await store.DisposeAsync();
        System.IO.Directory.Delete(directory, recursive: true);
    }
}
