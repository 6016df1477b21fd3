using System.Security.Cryptography;
using System.Text;
using CbaMail.Backup;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Mailboxes;
using CbaMail.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace CbaMail.Tests.Server.Backup;

/// <summary>A data directory with store, mailboxes and accounts, as the server has them open.</summary>
internal sealed class Premises : IAsyncDisposable
{
    public const string Domain = "example.test";

    public Premises(string folder, long packBytes = 256 * 1024)
    {
        Data = folder;
        Settings = new Settings { Data = folder, Hostname = "mail.example.test", Storage = new StorageSettings { PackBytes = packBytes } };
        Store = new Store(Settings, NullLogger<Store>.Instance, MailStore.RemoveUnacknowledged);
        Mail = new MailStore(Store, Settings, new Notifier(), TimeProvider.System);
        People = new UserDirectory(Store, TimeProvider.System);
        MailboxesRoom.Attach(Mail, People);
    }

    public string Data { get; }
    public Settings Settings { get; }
    public Store Store { get; }
    public MailStore Mail { get; }
    public UserDirectory People { get; }

    public Backups Backups => new(Store, Settings, TimeProvider.System);

    public async Task<Account> AddAsync(string name, long quota = 0)
    {
        if (People.FindDomain(Domain) is null) await People.AddDomainAsync(Domain);
        return (await People.AddAccountAsync(new NewAccount($"{name}@{Domain}", "The " + name, Quota: quota, PasswordHash: "$1$salt$" + name.PadRight(22, 'x'), Groups: "spring"))).Value!;
    }

    public long Mailbox(Account account, string name)
    {
        using var read = Mail.Read();
        return read.Find(account.Id, name)!.Id;
    }

    public async Task<uint> AppendAsync(long mailbox, byte[] message, MessageFlags flags = MessageFlags.None, string[]? keywords = null, DateTimeOffset? received = null)
    {
        using var staged = Mail.Stage(message);
        return (await Mail.AppendAsync(mailbox, staged, flags, keywords ?? [], received, 0, default)).Value.Uid;
    }

    /// <summary>A letter with a body that does not compress.</summary>
    public static byte[] Letter(int number, int size = 2000)
    {
        var noise = new byte[size * 3 / 4];
        new Random(number).NextBytes(noise);
        var text = new StringBuilder($"From: a@example.test\r\nTo: b@example.test\r\nSubject: letter {number}\r\nMessage-ID: <{number}@letters.test>\r\nDate: Mon, 02 Feb 2026 10:00:00 +0000\r\n\r\n");
        foreach (var line in Convert.ToBase64String(noise).Chunk(76)) text.Append(line).Append("\r\n");
        return Encoding.ASCII.GetBytes(text.ToString());
    }

    /// <summary>A letter with an attachment that is stored as an object of its own.</summary>
    public static byte[] LetterWithAttachment(int number, int attachment)
    {
        var noise = new byte[60_000];
        new Random(attachment).NextBytes(noise);
        return Encoding.ASCII.GetBytes($"""
            From: a@example.test
            Subject: letter {number} with attachment {attachment}
            MIME-Version: 1.0
            Content-Type: multipart/mixed; boundary=b

            --b
            Content-Type: text/plain

            number {number}
            --b
            Content-Type: application/octet-stream
            Content-Transfer-Encoding: base64

            {Convert.ToBase64String(noise, Base64FormattingOptions.InsertLineBreaks)}
            --b--

            """.ReplaceLineEndings("\r\n"));
    }

    /// <summary>Everything that owners of mail can see, a line each, in order; without modification sequences and UIDNEXT.</summary>
    public List<string> Census()
    {
        var lines = new List<string>();
        foreach (var account in People.ListAccounts())
        {
            using var read = Mail.Read();
            var (bytes, messages) = read.Usage(account.Id);
            lines.Add($"{account.Address} {account.Name} {account.Role} {account.Quota} {account.Groups} {account.Enabled} {People.PasswordHash(account.Id)}: {messages} messages, {bytes} bytes");
            foreach (var lost in read.LostSubscriptions(account.Id)) lines.Add($"  {lost} subscribed without mailbox");
            long sum = 0;
            foreach (var mailbox in read.Mailboxes(account.Id))
            {
                lines.Add($"  {mailbox.Name} {mailbox.SpecialUse} {mailbox.Subscribed} {mailbox.UidValidity}: {mailbox.Messages}, {mailbox.Unseen} unseen, {mailbox.Deleted} deleted, {mailbox.Bytes}");
                var rows = read.Messages(mailbox.Id);
                foreach (var row in rows) lines.Add("    " + Line(read, mailbox.Id, row));
                if (rows.Count != mailbox.Messages || rows.Sum(row => row.Size) != mailbox.Bytes || rows.Count(row => !row.Flags.HasFlag(MessageFlags.Seen)) != mailbox.Unseen)
                    throw new InvalidOperationException($"the counters of {account.Address} {mailbox.Name} are wrong");
                if (rows.Exists(row => row.ModSeq > mailbox.ModSeq || row.Uid >= mailbox.UidNext)) throw new InvalidOperationException($"the numbers of {account.Address} {mailbox.Name} are wrong");
                sum += rows.Sum(row => row.Size);
            }
            if (sum != bytes) throw new InvalidOperationException($"the usage of {account.Address} is wrong");
        }
        return lines;
    }

    public static string Line(MailReader read, long mailbox, in MessageRow row)
    {
        var content = read.Content(mailbox, row) ?? throw new InvalidOperationException($"UID {row.Uid} has no content");
        return $"{row.Uid} {row.Flags} [{row.Keywords}] {row.Received:O} {row.Size} {Convert.ToHexStringLower(SHA256.HashData(content.Read(0, (int)content.Size)))}";
    }

    public ValueTask DisposeAsync() => Store.DisposeAsync();
}
