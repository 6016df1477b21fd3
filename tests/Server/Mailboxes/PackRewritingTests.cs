using System.IO.Pipelines;
using System.Text;
using CbaMail.Config;
using CbaMail.Mailboxes;
using CbaMail.Storage.Blobs;
using Xunit;

namespace CbaMail.Tests.Server.Mailboxes;

/// <summary>Removed mail gives its space back, and what lives is never in danger meanwhile.</summary>
public sealed class PackRewritingTests : IAsyncDisposable
{
    readonly VaultFixture vault = new(new StorageSettings { PackBytes = 512 << 10, PackAheadBytes = 64 << 10, CollectPieceBytes = 64 << 10, CollectBytesPerSecond = 0, CollectDeadPercent = 50 });
    readonly Dictionary<uint, byte[]> bodies = [];

    /// <summary>A text that does not compress; from 32 KiB on its body is a large part of its own.</summary>
    internal static byte[] Noise(int seed, int size)
    {
        var bytes = new byte[size * 3 / 4];
        new Random(seed).NextBytes(bytes);
        return Encoding.ASCII.GetBytes($"From: a@example.test\r\nSubject: noise {seed}\r\n\r\n{Convert.ToBase64String(bytes, Base64FormattingOptions.InsertLineBreaks)}\r\n");
    }

    async Task<long> FillAsync(int messages, Func<int, int> size)
    {
        var (_, inbox) = await vault.AccountAsync();
        for (var i = 0; i < messages; i++)
        {
            var body = Noise(i, size(i));
            bodies[await vault.AppendAsync(inbox, body)] = body;
        }
        return inbox;
    }

    async Task ExpungeAsync(long inbox, Func<uint, bool> which)
    {
        var uids = bodies.Keys.Where(which).Order().ToList();
        await vault.Mail.StoreAsync(inbox, uids, new FlagChange(FlagMode.Add, MessageFlags.Deleted, []), null, default);
        Assert.Equal(uids, (await vault.Mail.ExpungeAsync(inbox, uids, default)).Value!);
        foreach (var uid in uids) bodies.Remove(uid);
    }

    void AllAreThere(long inbox)
    {
        using var read = vault.Mail.Read();
        Assert.Equal(bodies.Keys.Order(), read.Messages(inbox).Select(row => row.Uid));
        foreach (var (uid, body) in bodies) Assert.True(body.AsSpan().SequenceEqual(vault.Body(inbox, uid)), $"message {uid}");
        Assert.Equal(VaultFixture.LiveByRows(read), VaultFixture.LiveByStatistics(read));
    }

    long Live()
    {
        using var read = vault.Mail.Read();
        return VaultFixture.LiveByRows(read).Sum(pack => pack.Live);
    }

    [Fact]
    public async Task Space_of_removed_mail_comes_back_and_what_lives_is_the_same()
    {
        var inbox = await FillAsync(300, i => i % 7 == 0 ? 60_000 : 4000 + i * 20);
        await ExpungeAsync(inbox, uid => uid % 10 != 0);
        var before = vault.PackBytes;
        var report = await vault.Rewriting.CollectAsync(hurried: true, default);
        Assert.InRange(vault.PackBytes, Live(), Live() * 2 + (1 << 20));
        Assert.InRange(report.Freed - report.Copied, before / 2, before);
        Assert.Equal((0, 0), (report.Kept, report.Held));
        AllAreThere(inbox);
        Assert.Contains(vault.Log.Lines, line => line.Contains("was collected"));
        Assert.Equal(default, await vault.Rewriting.CollectAsync(hurried: true, default)); // and then there is nothing to do
        await vault.RestartAsync();
        AllAreThere(inbox);
        Assert.Equal(default, await vault.Rewriting.CollectAsync(hurried: true, default));
    }

    [Fact]
    public async Task A_mailbox_that_is_emptied_gives_back_everything()
    {
        var inbox = await FillAsync(100, _ => 30_000);
        await ExpungeAsync(inbox, _ => true);
        var report = await vault.Rewriting.CollectAsync(hurried: true, default);
        Assert.Equal(0, report.Copied);
        Assert.InRange(vault.PackBytes, 0, 1 << 20); // what is not worth ending the newest pack for
        AllAreThere(inbox);
        await vault.CrashAsync();
        Assert.Equal(101u, await vault.AppendAsync(inbox, Noise(7, 5000)));
        Assert.Equal(Noise(7, 5000), vault.Body(inbox, 101));
    }

    [Fact]
    public async Task The_newest_pack_is_ended_when_it_is_mostly_dead()
    {
        await using var large = new VaultFixture(new StorageSettings { PackBytes = 64 << 20 });
        var (_, inbox) = await large.AccountAsync();
        for (var i = 0; i < 100; i++) await large.AppendAsync(inbox, Noise(i, 30_000), i == 50 ? MessageFlags.None : MessageFlags.Deleted);
        await large.Mail.ExpungeAsync(inbox, null, default);
        var space = large.Store.PackSpace();
        Assert.Equal(1, space.Packs);
        Assert.InRange(space.Dead, space.Bytes * 9 / 10, space.Bytes);
        Assert.Equal(1, (await large.Rewriting.CollectAsync(hurried: true, default)).Removed);
        Assert.False(File.Exists(large.PackFile));
        Assert.InRange(large.Store.PackSpace().Bytes, 1, 40_000);
        Assert.Equal(Noise(50, 30_000), large.Body(inbox, 51));
        await large.RestartAsync();
        Assert.Equal(Noise(50, 30_000), large.Body(inbox, 51));
    }

    [Fact]
    public async Task A_crash_between_any_two_steps_loses_nothing_and_the_next_start_goes_on()
    {
        var inbox = await FillAsync(120, i => i % 9 == 0 ? 50_000 : 9000);
        await ExpungeAsync(inbox, uid => uid % 4 != 1);
        var steps = 0;
        for (; (await vault.Rewriting.StepAsync(default)).Deed != RewriteDeed.Nothing; steps++)
        {
            await vault.CrashAsync();
            AllAreThere(inbox);
            // a start after each step must still come to an end: what was copied is not copied again
            if (steps % 3 == 0) bodies[await vault.AppendAsync(inbox, Noise(5000 + steps, 3000))] = Noise(5000 + steps, 3000);
            Assert.InRange(steps, 0, 300);
        }
        Assert.InRange(steps, 5, 300);
        AllAreThere(inbox);
        Assert.InRange(vault.PackBytes, Live(), Live() * 2 + (1 << 20));
    }

    [Fact]
    public async Task A_slow_reader_reads_to_the_end_although_the_message_and_its_packs_go()
    {
        var (_, inbox) = await vault.AccountAsync();
        var parts = Enumerable.Range(0, 6).Select(i => Encoding.ASCII.GetString(Noise(i, 90_000)).Split("\r\n\r\n")[1]);
        var letter = Encoding.ASCII.GetBytes("Subject: six\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
            + string.Concat(parts.Select(part => $"--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n{part}")) + "--b--\r\n");
        await vault.AppendAsync(inbox, letter, MessageFlags.Deleted);
        for (var i = 0; i < 60; i++) await vault.AppendAsync(inbox, Noise(i, 30_000), MessageFlags.Deleted);
        MessageContent content;
        using (var read = vault.Mail.Read()) content = read.Content(inbox, read.Message(inbox, 1)!.Value)!;
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 40_000, resumeWriterThreshold: 10_000));
        async Task CopyAsync()
        {
            try { await content.CopyToAsync(pipe.Writer, 0, content.Size, default); }
            finally { await pipe.Writer.CompleteAsync(); }
        }
        var copying = CopyAsync();
        Assert.False(copying.IsCompleted);
        await vault.Mail.ExpungeAsync(inbox, null, default);
        Assert.True((await vault.Rewriting.CollectAsync(hurried: true, default)).Removed > 2);
        using var received = new MemoryStream();
        for (var ended = false; !ended;)
        {
            var result = await pipe.Reader.ReadAsync();
            foreach (var piece in result.Buffer) received.Write(piece.Span);
            pipe.Reader.AdvanceTo(result.Buffer.End);
            ended = result.IsCompleted;
        }
        await copying;
        Assert.True(letter.AsSpan().SequenceEqual(received.ToArray()));
    }

    [Fact]
    public async Task What_was_found_before_a_pack_went_is_read_from_where_it_lies_now()
    {
        var (_, inbox) = await vault.AccountAsync();
        var first = Noise(1, 20_000);
        await vault.AppendAsync(inbox, first);
        long like;
        using (var read = vault.Mail.Read()) like = read.Message(inbox, 1)!.Value.ContentId;
        var second = first.ToArray();
        second[1000]++;
        using (var staged = vault.Mail.Stage(second, like)) await vault.Mail.AppendAsync(inbox, staged, default, [], null, 0, default);
        var large = Noise(2, 100_000);
        await vault.AppendAsync(inbox, large);
        await vault.RestartAsync(); // no base is remembered, no pack is open
        for (var i = 0; i < 40; i++) await vault.AppendAsync(inbox, Noise(100 + i, 30_000), MessageFlags.Deleted);
        List<MessageContent> contents;
        using (var read = vault.Mail.Read()) contents = [.. new uint[] { 2, 1, 3 }.Select(uid => read.Content(inbox, read.Message(inbox, uid)!.Value)!)];
        await vault.Mail.ExpungeAsync(inbox, null, default);
        await vault.Rewriting.CollectAsync(hurried: true, default);
        Assert.False(File.Exists(vault.PackFile));
        foreach (var (content, body) in contents.Zip([second, first, large])) Assert.True(body.AsSpan().SequenceEqual(content.Read(0, (int)content.Size)));
    }

    [Fact]
    public async Task Held_removals_wait_and_rewriting_goes_on()
    {
        var inbox = await FillAsync(100, _ => 20_000);
        await ExpungeAsync(inbox, uid => uid % 5 != 0);
        var before = System.IO.Directory.GetFiles(vault.Packs).Length;
        using (vault.Store.Packs.HoldRemovals())
        using (vault.Store.Packs.HoldRemovals())
        {
            var report = await vault.Rewriting.CollectAsync(hurried: true, default);
            Assert.True(report is { Removed: 0, Held: > 2, Copied: > 0 }, report.ToString());
            Assert.True(System.IO.Directory.GetFiles(vault.Packs).Length >= before);
            AllAreThere(inbox);
        }
        Assert.True((await vault.Rewriting.CollectAsync(hurried: true, default)).Removed > 2);
        AllAreThere(inbox);
        Assert.InRange(vault.PackBytes, Live(), Live() * 2 + (1 << 20));
    }

    [Fact]
    public async Task What_a_snapshot_shows_can_be_read_as_long_as_it_is_open()
    {
        var inbox = await FillAsync(60, _ => 20_000);
        var all = bodies.ToList();
        using (var read = vault.Mail.Read())
        {
            Assert.Equal(60, read.Messages(inbox).Count); // the snapshot is taken by the first look
            await ExpungeAsync(inbox, _ => true);
            RewriteStep step;
            for (var steps = 0; (step = await vault.Rewriting.StepAsync(default)).Deed != RewriteDeed.Nothing; steps++)
            {
                Assert.NotEqual(RewriteDeed.Removed, step.Deed);
                Assert.InRange(steps, 0, 100);
            }
            foreach (var (uid, body) in all)
            {
                var content = read.Content(inbox, read.Message(inbox, uid)!.Value)!;
                Assert.Equal(body, content.Read(0, (int)content.Size));
            }
        }
        Assert.Equal(RewriteDeed.Removed, (await vault.Rewriting.StepAsync(default)).Deed);
        await vault.Rewriting.CollectAsync(hurried: true, default);
        Assert.InRange(vault.PackBytes, 0, 1 << 20);
    }

    [Fact]
    public async Task A_damaged_record_keeps_its_pack_and_all_others_move()
    {
        var inbox = await FillAsync(60, _ => 20_000);
        await ExpungeAsync(inbox, uid => uid % 5 != 0);
        PackLocation damaged;
        using (var read = vault.Mail.Read()) damaged = ContentTable.BodyLocation(read.Transaction, read.Message(inbox, 5)!.Value.ContentId)!.Value;
        await using (var file = new FileStream(vault.PackFile, FileMode.Open))
        {
            file.Position = damaged.Position + damaged.Stored - 100;
            var was = file.ReadByte();
            file.Position--;
            file.WriteByte((byte)(was ^ 1));
        }
        var report = await vault.Rewriting.CollectAsync(hurried: true, default);
        Assert.Equal(1, report.Kept);
        Assert.True(File.Exists(vault.PackFile));
        Assert.Contains(vault.Log.Lines, line => line.Contains("run 'cbamail verify'") && line.Contains("is damaged"));
        Assert.Throws<DamageError>(() => vault.Body(inbox, 5));
        using (var read = vault.Mail.Read()) Assert.Equal((1, (long)damaged.Stored), VaultFixture.LiveByRows(read)[0]);
        bodies.Remove(5);
        foreach (var (uid, body) in bodies) Assert.Equal(body, vault.Body(inbox, uid));
        Assert.Equal(default, await vault.Rewriting.CollectAsync(hurried: true, default)); // told once
    }

    [Fact]
    public async Task Records_behind_a_destroyed_head_are_found_and_false_ones_within_messages_are_not_taken()
    {
        var (_, inbox) = await vault.AccountAsync();
        await vault.AppendAsync(inbox, Noise(1, 20_000), MessageFlags.Deleted);
        await vault.AppendAsync(inbox, Noise(2, 20_000));
        await vault.Store.DisposeAsync();
        var pack = await File.ReadAllBytesAsync(vault.PackFile);
        await vault.RestartAsync();
        // a message that holds a whole pack: its records look like records
        var holder = (byte[])[.. "Subject: pack\r\n\r\n"u8, .. pack[..31_000]];
        await vault.AppendAsync(inbox, holder, MessageFlags.Deleted);
        await vault.AppendAsync(inbox, Noise(4, 20_000));
        for (var i = 0; i < 40; i++) await vault.AppendAsync(inbox, Noise(100 + i, 30_000), MessageFlags.Deleted);
        await vault.Mail.ExpungeAsync(inbox, null, default);
        await using (var file = new FileStream(vault.PackFile, FileMode.Open)) file.Write(new byte[40]);
        var report = await vault.Rewriting.CollectAsync(hurried: true, default);
        Assert.Equal(0, report.Kept);
        Assert.False(File.Exists(vault.PackFile));
        Assert.Equal(Noise(2, 20_000), vault.Body(inbox, 2));
        Assert.Equal(Noise(4, 20_000), vault.Body(inbox, 4));
    }

    [Fact]
    public async Task Wrong_statistics_remove_nothing_that_lives_and_are_put_right()
    {
        var inbox = await FillAsync(100, _ => 20_000);
        await ExpungeAsync(inbox, uid => uid > 50);
        await vault.Store.CommitAsync(t =>
        {
            foreach (var pack in new[] { 1, 2 }) t.SetLive(pack, 0);    // they live
            t.SetLive(3, 12345);                                        // nothing lives there
            return 0;
        });
        await vault.Rewriting.CollectAsync(hurried: true, default);
        AllAreThere(inbox);
        Assert.Contains(vault.Log.Lines, line => line.Contains("statistics of pack 3 were wrong"));
    }

    public ValueTask DisposeAsync() => vault.DisposeAsync();
}
