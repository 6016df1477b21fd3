using System.Text;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Mailboxes;
using CbaMail.Net;
using CbaMail.Pop3;
using CbaMail.Sasl;
using CbaMail.Storage;
using CbaMail.Tests.Server.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Pop3;

/// <summary>The room over a real vault and a real directory in a temporary folder; connections are pipes.</summary>
public sealed class Pop3Fixture : IAsyncLifetime
{
    public const string Password = "pass-word 1";

    readonly string folder = System.IO.Directory.CreateTempSubdirectory("cbamail-pop3-").FullName;
    int accounts;

    public Store Store { get; private set; } = null!;
    public MailStore Mail { get; private set; } = null!;
    public UserDirectory Directory { get; private set; } = null!;
    public Settings Settings { get; private set; } = null!;
    public MaildropLocks Locks { get; } = new(TimeProvider.System);

    public async ValueTask InitializeAsync()
    {
        Settings = new Settings { Data = folder, Evaluation = true, Hostname = "mail.example.test", Pop3 = new Pop3Settings { LockWait = TimeSpan.Zero } };
        Store = new Store(Settings, NullLogger<Store>.Instance, MailStore.RemoveUnacknowledged);
        Mail = new MailStore(Store, Settings, new Notifier(), TimeProvider.System);
        Directory = new UserDirectory(Store, TimeProvider.System);
        MailboxesRoom.Attach(Mail, Directory);
        Assert.True((await Directory.AddDomainAsync("example.test")).Ok);
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        System.IO.Directory.Delete(folder, recursive: true);
    }

    public async Task<Account> AccountAsync()
    {
        var added = await Directory.AddAccountAsync(new NewAccount($"anna{Interlocked.Increment(ref accounts)}@example.test", Password: Password));
        Assert.True(added.Ok);
        return added.Value;
    }

    /// <summary>Puts messages into the account's mailbox; gives their UIDs.</summary>
    public async Task<List<uint>> DeliverAsync(Account account, params byte[][] messages)
    {
        var inbox = Inbox(account).Id;
        var uids = new List<uint>();
        foreach (var message in messages)
        {
            using var staged = Mail.Stage(message);
            var appended = await Mail.AppendAsync(inbox, staged, MessageFlags.None, [], null, 0, default);
            Assert.True(appended.Ok);
            uids.Add(appended.Value.Uid);
        }
        return uids;
    }

    public Task<List<uint>> DeliverAsync(Account account, params string[] messages) => DeliverAsync(account, [.. messages.Select(Encoding.UTF8.GetBytes)]);

    public Mailbox Inbox(Account account) => Box(account, "INBOX");

    public Mailbox Box(Account account, string name)
    {
        using var read = Mail.Read();
        return read.Find(account.Id, name)!;
    }

    public List<MessageRow> Rows(Account account, string box = "INBOX")
    {
        using var read = Mail.Read();
        return read.Messages(read.Find(account.Id, box)!.Id);
    }

    /// <summary>A session that has said its greeting to nobody yet.</summary>
    public Pop3Client Connect(Pop3Settings? settings = null, TimeProvider? time = null, CancellationToken stopping = default, bool evaluation = true, MaildropLocks? locks = null)
    {
        var all = Settings with { Pop3 = settings ?? Settings.Pop3, Evaluation = evaluation };
        time ??= TimeProvider.System;
        var transport = new MemoryTransport();
        var connection = Connection.Over(transport.Server, new ListenerSettings { Protocol = Protocol.Pop3 }, time: time, stopping: stopping);
        var errors = new ErrorLog();
        var signIn = new SignIn(all, Directory, new LoginLimits(all, time), time, NullLogger<SignIn>.Instance);
        var session = new Pop3Session(connection, new Pop3Context(all, Mail, signIn, locks ?? Locks, time, errors));
        return new Pop3Client(transport, RunAsync(session, transport), errors);
    }

    static async Task RunAsync(Pop3Session session, MemoryTransport transport)
    {
        try { await session.RunAsync(); }
        finally { await transport.Server.Output.CompleteAsync(); }
    }

    /// <summary>Connected, greeted and signed in.</summary>
    public async Task<Pop3Client> SignInAsync(Account account, Pop3Settings? settings = null, string first = "")
    {
        var client = Connect(settings);
        await client.LineAsync();
        if (first.Length > 0) await client.OkAsync(first);
        await client.OkAsync($"USER {account.Address}");
        await client.OkAsync($"PASS {Password}");
        return client;
    }

    /// <summary>Keeps what a session logs as an error: nothing may be there at the end of a test.</summary>
    internal sealed class ErrorLog : ILogger
    {
        public List<string> Errors { get; } = [];
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel >= LogLevel.Error) lock (Errors) Errors.Add(formatter(state, exception) + " " + exception);
        }
    }
}

[CollectionDefinition("pop3")]
public sealed class Pop3Collection : ICollectionFixture<Pop3Fixture>;
