using System.Text;
using CbaMail.Config;
using CbaMail.Mailboxes;
using CbaMail.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace CbaMail.Tests.Server.Mailboxes;

/// <summary>A real vault in a directory of its own, with one account per test that asks.</summary>
public sealed class VaultFixture : IAsyncDisposable
{
    readonly string directory = System.IO.Directory.CreateTempSubdirectory("cba-vault").FullName;
    long lastAccount = 1000;

    public VaultFixture() => (Store, Mail) = Open();

    public Store Store { get; private set; }
    public MailStore Mail { get; private set; }

    (Store, MailStore) Open()
    {
        var settings = new Settings { Data = directory, Storage = new StorageSettings { PackBytes = 4 << 20 } };
        var store = new Store(settings, NullLogger<Store>.Instance, MailStore.RemoveUnacknowledged);
        return (store, new MailStore(store, settings, new Notifier(), TimeProvider.System));
    }

    public async Task RestartAsync()
    {
        await Store.DisposeAsync();
        (Store, Mail) = Open();
    }

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
        (Store, Mail) = Open();
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

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        System.IO.Directory.Delete(directory, recursive: true);
    }
}
