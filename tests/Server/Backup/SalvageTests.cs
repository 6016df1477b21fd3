using System.Diagnostics;
using CbaMail.Backup;
using CbaMail.Mailboxes;
using CbaMail.Storage.Sqlite;
using Xunit;

namespace CbaMail.Tests.Server.Backup;

/// <summary>Aimed damage to pages of the database: what is named, what is saved, how long it takes.</summary>
public sealed class SalvageTests(ITestOutputHelper output)
{
    static readonly DateTimeOffset Now = new(2026, 3, 4, 5, 6, 7, TimeSpan.Zero);

    static string Database(BackupFixture vault) => Path.Combine(vault.Folder, "cbamail.db");

    // one body, many rows: large quickly
    static async Task<BackupFixture> LargeAsync(int messages)
    {
        var vault = await BackupFixture.NewAsync();
        using var staged = vault.Mail.Stage(BackupFixture.Message(1, 3));
        for (var from = 0; from < messages; from += 1000)
            await vault.Store.CommitAsync(write =>
            {
                for (var i = from; i < Math.Min(messages, from + 1000); i++)
                {
                    var content = vault.Mail.AddContent(write, staged);
                    var added = vault.Mail.AddMessage(write, vault.Inbox, new NewMessage(content, "Delivered-To: anna@example.test\r\n"u8.ToArray(), MessageFlags.None, [], Now), 0);
                    Assert.True(added.Ok);
                }
                return 0;
            });
        await vault.Store.DisposeAsync();
        return vault;
    }

    static void Save(BackupFixture vault, Action<string>? said = null)
    {
        Assert.NotNull(DatabaseFile.Problem(vault.Folder));
        Assert.Null(DatabaseFile.Salvage(vault.Folder, Now, said ?? (_ => { })));
        Assert.Null(DatabaseFile.Problem(vault.Folder));
    }

    [Theory]
    [InlineData(30_000)]
    public async Task A_large_one_cut_in_half_is_saved_within_seconds(int messages)
    {
        var clock = Stopwatch.StartNew();
        await using var vault = await LargeAsync(messages);
        var filled = clock.Elapsed;
        var size = new FileInfo(Database(vault)).Length;
        using (var file = File.Open(Database(vault), FileMode.Open)) file.SetLength(size / 4096 / 2 * 4096 + 100);
        clock.Restart();
        var said = new List<string>();
        Save(vault, said.Add);
        output.WriteLine($"{size >> 20} MB, cut in half, saved in {clock.Elapsed.TotalSeconds:0.0} s: {string.Join(' ', said)}");
        // a machine that is slow or busy was so when it was filled
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5) + 2 * filled, $"it took {clock.Elapsed}, to fill it {filled}");
        await vault.RestartAsync();
        Assert.InRange(vault.Rows().Count, messages / 3, messages);
    }

    // the pages of a table's tree, leaves and inner ones, by the same eyes as the salvage: damage is aimed with them
    static List<int> Pages(BackupFixture vault, string name, Func<PageKind, bool> which)
    {
        using var connection = new SqliteConnection(Database(vault), readOnly: true);
        var root = (int)connection.Prepare("SELECT rootpage FROM sqlite_schema WHERE name = ?").Bind(1, name).Scalar()!;
        using var pages = new DatabasePages(Database(vault));
        var met = new HashSet<int>();
        foreach (var _ in new PageRows(pages).Walk(root, met)) { }
        return [.. met.Where(number => number != root && which(PageRows.KindOf(number, pages.Read(number)!))).Order()];
    }

    static void Flip(BackupFixture vault, int page, int at, byte bits = 0xff)
    {
        using var file = new FileStream(Database(vault), FileMode.Open);
        file.Position = (page - 1L) * 4096 + at;
        var was = (byte)file.ReadByte();
        file.Position--;
        file.WriteByte((byte)(was ^ bits));
    }

    [Fact]
    public async Task A_page_of_a_table_costs_the_rows_in_it_and_no_others()
    {
        await using var vault = await LargeAsync(3000);
        var leaves = Pages(vault, "message", kind => kind == PageKind.IndexLeaf);
        Assert.True(leaves.Count > 10);
        Flip(vault, leaves[5], 0); // is no page any more
        Save(vault);
        await vault.RestartAsync();
        Assert.InRange(vault.Rows().Count, 2850, 2999);
        await vault.RepairAsync();
    }

    [Fact]
    public async Task A_page_of_bodies_costs_no_message_its_place()
    {
        await using var vault = await LargeAsync(3000);
        var leaves = Pages(vault, "content", kind => kind == PageKind.TableLeaf);
        Flip(vault, leaves[3], 0);
        Save(vault);
        await vault.RestartAsync();
        Assert.Equal(3000, vault.Rows().Count);
        using (var read = vault.Store.Read()) Assert.InRange(VerifyTable.Extent(read).Contents, 2950, 2999);
        await vault.RepairAsync();
        Assert.Equal(3000, vault.Rows().Count);
    }

    [Fact]
    public async Task An_inner_page_costs_nothing_for_the_leaves_below_it_are_found()
    {
        await using var vault = await LargeAsync(20_000);
        var inner = Pages(vault, "content", kind => kind == PageKind.TableInterior);
        Assert.NotEmpty(inner);
        Flip(vault, inner[0], 0);
        Save(vault);
        await vault.RestartAsync();
        using (var read = vault.Store.Read()) Assert.Equal(20_000, VerifyTable.Extent(read).Contents);
        Assert.Empty(await vault.ProblemsAsync());
    }

    [Fact]
    public async Task A_page_of_an_index_costs_nothing()
    {
        await using var vault = await LargeAsync(10);
        await vault.RestartAsync();
        for (var i = 0; i < 120; i++) await vault.InboxAsync($"person{i}@example.test");
        await vault.Store.DisposeAsync();
        var leaves = Pages(vault, "sqlite_autoindex_mailbox_1", kind => kind == PageKind.IndexLeaf);
        Assert.NotEmpty(leaves);
        Flip(vault, leaves[0], 0);
        Save(vault);
        await vault.RestartAsync();
        Assert.Equal(121, vault.Directory.ListAccounts().Count);
        Assert.Empty(await vault.ProblemsAsync());
    }

    [Fact]
    public async Task A_lost_first_page_costs_what_can_be_counted_anew()
    {
        await using var vault = await LargeAsync(2000);
        using (var file = new FileStream(Database(vault), FileMode.Open)) file.Write(new byte[4096]);
        var said = new List<string>();
        Assert.Null(DatabaseFile.Salvage(vault.Folder, Now, said.Add));
        await vault.RestartAsync();
        Assert.Equal(2000, vault.Rows().Count);
        Assert.Single(vault.Directory.ListAccounts());
        await vault.RepairAsync();
        Assert.Equal(2000, vault.Rows().Count);
        Assert.True(await vault.AppendAsync(BackupFixture.Message(9)) > 2000);
    }

    [Fact]
    public async Task What_stands_in_the_log_only_is_saved_too()
    {
        await using var vault = await LargeAsync(1000);
        var copy = System.IO.Directory.CreateTempSubdirectory("cba-backup").FullName;
        await vault.RestartAsync();
        for (var i = 0; i < 50; i++) await vault.AppendAsync(BackupFixture.Message(5000 + i, 3));
        foreach (var name in (string[])["cbamail.db", "cbamail.db-wal"]) File.Copy(Path.Combine(vault.Folder, name), Path.Combine(copy, name)); // as kill -9 leaves it
        using (var pages = new DatabasePages(Path.Combine(copy, "cbamail.db")))
        {
            var rows = Enumerable.Range(1, pages.Count).SelectMany(number => pages.Read(number) is { } page && PageRows.KindOf(number, page) is PageKind.IndexLeaf or PageKind.IndexInterior ? new PageRows(pages).Of(number, page) : []);
            Assert.Equal(1050, rows.Count(row => row.Values.Length == 11)); // of the table message
        }
        System.IO.Directory.Delete(copy, recursive: true);
    }
}
