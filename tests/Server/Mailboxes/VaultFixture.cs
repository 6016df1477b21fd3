using System.Collections.Concurrent;
using System.Text;
using CbaMail.Config;
using CbaMail.Mailboxes;
using CbaMail.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace CbaMail.Tests.Server.Mailboxes;

/// <summary>A real vault in a directory of its own, with one account per test that asks.</summary>
public sealed class VaultFixture : IAsyncDisposable
{
    readonly string directory = System.IO.Directory.CreateTempSubdirectory("cba-vault").FullName;
    readonly Settings settings;
    readonly TimeProvider time;
    long lastAccount = 1000;

    public VaultFixture() : this(new StorageSettings { PackBytes = 4 << 20 }) { }

    internal VaultFixture(StorageSettings storage, TimeProvider? time = null)
    {
        settings = new Settings { Data = directory, Storage = storage };
        this.time = time ?? TimeProvider.System;
        Open();
    }

    public Store Store { get; private set; } = null!;
    public MailStore Mail { get; private set; } = null!;
    public PackRewriting Rewriting { get; private set; } = null!;
    public ExpungeHistory History { get; private set; } = null!;
    internal LogLines Log { get; } = new();

    void Open()
    {
        Store = new Store(settings, NullLogger<Store>.Instance, MailStore.RemoveUnacknowledged);
        Mail = new MailStore(Store, settings, new Notifier(), time);
        Rewriting = new PackRewriting(Store, settings, time, Log);
        History = new ExpungeHistory(Store, settings, time);
    }

    /// <summary>What the rewriting has said.</summary>
    internal sealed class LogLines : ILogger<PackRewriting>
    {
        public ConcurrentQueue<string> Lines { get; } = [];
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => true;
        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Lines.Enqueue(formatter(state, exception));
    }

    public async Task RestartAsync()
    {
        await Store.DisposeAsync();
        Open();
    }

    /// <summary>As after kill -9: the directory is copied while the store is open, and the copy goes on.</summary>
    public async Task CrashAsync()
    {
        var copy = System.IO.Directory.CreateTempSubdirectory("cba-crash").FullName;
        System.IO.Directory.CreateDirectory(Path.Combine(copy, "packs"));
        foreach (var file in System.IO.Directory.GetFiles(directory, "cbamail.db*").Concat(System.IO.Directory.GetFiles(Packs)))
            File.Copy(file, Path.Combine(copy, Path.GetRelativePath(directory, file)));
        await Store.DisposeAsync();
        System.IO.Directory.Delete(directory, recursive: true);
        System.IO.Directory.Move(copy, directory);
        Open();
    }

    public string Packs => Path.Combine(directory, "packs");

    /// <summary>Bytes of the pack files.</summary>
    public long PackBytes => System.IO.Directory.GetFiles(Packs).Sum(file => new FileInfo(file).Length);

    /// <summary>As after a power cut: the directory is copied while the store is open, and the copy's pack is damaged.</summary>
    public async Task CrashAsync(Action<FileStream> damage)
    {
        var copy = System.IO.Directory.CreateTempSubdirectory("cba-crash").FullName;
        foreach (var file in System.IO.Directory.GetFiles(directory, "cbamail.db*")) File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        System.IO.Directory.CreateDirectory(Path.Combine(copy, "packs"));
        File.Copy(PackFile, Path.Combine(copy, "packs", "00000001.pack"));
        await Store.DisposeAsync();
        System.IO.Directory.Delete(directory, recursive: true);
        System.IO.Directory.Move(copy, directory);
        await using (var file = new FileStream(PackFile, FileMode.Open)) damage(file);
        Open();
    }

    public string PackFile => Path.Combine(directory, "packs", "00000001.pack");

    public async Task<(long Account, long Inbox)> AccountAsync()
    {
        var account = Interlocked.Increment(ref lastAccount);
        var inbox = await Store.CommitAsync(t =>
        {
            Mail.CreateAccount(t, account);
            return Mail.EnsureMailbox(t, account, "INBOX");
        });
        return (account, inbox);
    }

    public static byte[] Message(int number, int size = 500) => Encoding.ASCII.GetBytes(
        $"From: a@example.test\r\nTo: b@example.test\r\nSubject: number {number}\r\nMessage-ID: <{number}@example.test>\r\nDate: Mon, 02 Feb 2026 10:00:00 +0000\r\n\r\n"
        + string.Concat(Enumerable.Range(0, size / 20).Select(i => $"line {i * 7919 % 1000003 + number:d10}...\r\n")));

    public async Task<uint> AppendAsync(long mailbox, byte[] message, MessageFlags flags = MessageFlags.None, params string[] keywords)
    {
        using var staged = Mail.Stage(message);
        var appended = await Mail.AppendAsync(mailbox, staged, flags, keywords, null, 0, default);
        return appended.Value.Uid;
    }

    public byte[] Body(long mailbox, uint uid)
    {
        using var read = Mail.Read();
        var row = read.Message(mailbox, uid) ?? throw new InvalidOperationException("no such message");
        var content = read.Content(mailbox, row) ?? throw new InvalidOperationException("no content");
        return content.Read(0, (int)content.Size);
    }

    public Mailbox Mailbox(long id)
    {
        using var read = Mail.Read();
        return read.Mailbox(id) ?? throw new InvalidOperationException("no such mailbox");
    }

    /// <summary>Bytes of records that rows name, by pack, as the rows have it.</summary>
    public static List<(int Pack, long Live)> LiveByRows(MailReader read) =>
        Pairs(read, "SELECT pack, sum(stored) FROM (SELECT pack, stored FROM content UNION ALL SELECT pack, stored FROM object) GROUP BY pack ORDER BY pack");

    /// <summary>The same as the statistics have it.</summary>
    public static List<(int Pack, long Live)> LiveByStatistics(MailReader read) => Pairs(read, "SELECT id, live FROM pack WHERE live != 0 ORDER BY id");

    static List<(int, long)> Pairs(MailReader read, string sql)
    {
        using var row = read.Transaction.Prepare(sql);
        var list = new List<(int, long)>();
        while (row.Step()) list.Add((row.Int32(0), row.Int64(1)));
        return list;
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        System.IO.Directory.Delete(directory, recursive: true);
    }
}
