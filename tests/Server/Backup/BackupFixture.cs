using System.Text;
using CbaMail.Backup;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Mailboxes;
using CbaMail.Mailings;
using CbaMail.Queue;
using CbaMail.Storage;
using CbaMail.Storage.Blobs;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Backup;

/// <summary>A vault with a directory, whose packs and rows a test can damage.</summary>
public sealed class BackupFixture : IAsyncDisposable
{
    public const string Anna = "anna@example.test";

    readonly Settings settings;

    BackupFixture(string folder)
    {
        Folder = folder;
        settings = new Settings { Data = folder, Storage = new StorageSettings { PackBytes = 4 << 20 } };
        Open();
    }

    public string Folder { get; }
    public Store Store { get; private set; } = null!;
    public MailStore Mail { get; private set; } = null!;
    public UserDirectory Directory { get; private set; } = null!;
    public long Inbox { get; private set; }

    void Open()
    {
        Store = new Store(settings, NullLogger<Store>.Instance, MailStore.RemoveUnacknowledged);
        Mail = new MailStore(Store, settings, new Notifier(), TimeProvider.System);
        Directory = new UserDirectory(Store, TimeProvider.System);
        MailboxesRoom.Attach(Mail, Directory);
    }

    /// <summary>With an account and its INBOX.</summary>
    public static async Task<BackupFixture> NewAsync()
    {
        var fixture = new BackupFixture(System.IO.Directory.CreateTempSubdirectory("cba-backup").FullName);
        Assert.True((await fixture.Directory.AddDomainAsync("example.test")).Ok);
        fixture.Inbox = await fixture.InboxAsync(Anna);
        return fixture;
    }

    public async Task<long> InboxAsync(string address)
    {
        var added = await Directory.AddAccountAsync(new NewAccount(address));
        Assert.True(added.Ok, added.Ok ? "" : added.Refusal.Sentence);
        using var read = Mail.Read();
        return read.Find(added.Value.Id, "INBOX")!.Id;
    }

    public async Task RestartAsync()
    {
        await Store.DisposeAsync();
        Open();
    }

    public static byte[] Message(int number, int lines = 20, string? subject = null) => Encoding.UTF8.GetBytes(
        $"From: Анна <anna@example.test>\r\nTo: b@example.test\r\nSubject: {subject ?? $"number {number}"}\r\nMessage-ID: <{number}@example.test>\r\nDate: Mon, 02 Feb 2026 10:00:00 +0000\r\n\r\n"
        + string.Concat(Enumerable.Range(0, lines).Select(i => $"line {i * 7919L % 1000003 + number:d10} {i * 104729L % 999983:x}\r\n")));

    public async Task<uint> AppendAsync(byte[] message, long? mailbox = null, MessageFlags flags = MessageFlags.None, params string[] keywords)
    {
        using var staged = Mail.Stage(message);
        var appended = await Mail.AppendAsync(mailbox ?? Inbox, staged, flags, keywords, new DateTimeOffset(2026, 2, 3, 4, 5, 6, TimeSpan.Zero), 0, default);
        return appended.Value.Uid;
    }

    public byte[] Body(uint uid, long? mailbox = null)
    {
        using var read = Mail.Read();
        var row = read.Message(mailbox ?? Inbox, uid) ?? throw new InvalidOperationException("no such message");
        var content = read.Content(mailbox ?? Inbox, row) ?? throw new InvalidOperationException("no content");
        return content.Read(0, (int)content.Size);
    }

    public MessageRow Row(uint uid)
    {
        using var read = Mail.Read();
        return read.Message(Inbox, uid) ?? throw new InvalidOperationException("no such message");
    }

    public List<MessageRow> Rows(long? mailbox = null)
    {
        using var read = Mail.Read();
        return read.Messages(mailbox ?? Inbox);
    }

    public Mailbox Mailbox()
    {
        using var read = Mail.Read();
        return read.Mailbox(Inbox)!;
    }

    /// <summary>Changes rows behind the back of the rooms.</summary>
    public Task<int> SqlAsync(string sql) => Store.CommitAsync(write => sql.Split("; ").Sum(one => write.Prepare(one).Run())).AsTask();

    internal StoredRow Stored(long id, RecordKind kind = RecordKind.Content)
    {
        using var read = Store.Read();
        return VerifyTable.Get(read, kind, id)!;
    }

    public string PackFile(int pack = 1) => Path.Combine(Folder, "packs", pack.ToString("d8", null) + ".pack");

    /// <summary>Turns one bit of a record over.</summary>
    public void Flip(PackLocation location, int offset)
    {
        using var file = new FileStream(PackFile(location.Pack), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        file.Position = location.Position + offset;
        var value = file.ReadByte();
        file.Position--;
        file.WriteByte((byte)(value ^ 4));
    }

    /// <summary>Everything that a run tells.</summary>
    public async Task<(VerifySummary Summary, List<Finding> Findings)> VerifyAsync(bool repair = false, string? from = null)
    {
        var findings = new List<Finding>();
        var verification = new Verification(Mail, [KeptTable.Holder, QueueHolding.Holder, MailingHolding.Holder], TimeProvider.System);
        var result = await verification.RunAsync(new VerifyOptions(repair, from, Gentle: false), findings.Add, (_, _) => { }, TestContext.Current.CancellationToken);
        Assert.True(result.Ok);
        return (result.Value, findings);
    }

    /// <summary>The problems of a run, a line each.</summary>
    public async Task<List<string>> ProblemsAsync() => [.. (await VerifyAsync()).Findings.Where(finding => finding.IsProblem).Select(finding => finding.Text)];

    /// <summary>Repairs, and proves that it is whole after and that a second repair finds nothing to do.</summary>
    public async Task<List<string>> RepairAsync(string? from = null)
    {
        var (summary, findings) = await VerifyAsync(repair: true, from);
        var all = string.Join('\n', findings.Select(finding => $"{finding.Kind}: {finding.Text}"));
        Assert.True(summary.Problems == 0, all);
        var (again, more) = await VerifyAsync(repair: true, from);
        Assert.Equal((0, 0), (again.Problems, again.Repaired));
        Assert.DoesNotContain(more, finding => finding.Kind != "note");
        return [.. findings.Where(finding => finding.Kind == "repaired").Select(finding => finding.Text)];
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        System.IO.Directory.Delete(Folder, recursive: true);
    }
}
