using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Imap;
using CbaMail.Mailboxes;
using CbaMail.Net;
using CbaMail.Sasl;
using CbaMail.Storage;
using CbaMail.Tests.Server.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Imap;

/// <summary>The room over a real vault and a real directory in a temporary folder; connections are pipes.</summary>
public sealed class ImapFixture : IAsyncLifetime
{
    public const string Password = "pass-word 1";

    readonly string folder = System.IO.Directory.CreateTempSubdirectory("cbamail-imap-").FullName;
    int accounts;

    public Store Store { get; private set; } = null!;
    public MailStore Mail { get; private set; } = null!;
    public UserDirectory Directory { get; private set; } = null!;
    public Settings Settings { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Settings = new Settings { Data = folder, Evaluation = true, Hostname = "mail.example.test", Imap = new ImapSettings { MaxMessage = 4 << 20 } };
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

    /// <summary>The history of expunges comes to its end now (RFC 7162 3.2.6).</summary>
    public Task ForgetExpungedAsync() =>
        new ExpungeHistory(Store, Settings with { Storage = Settings.Storage with { KeepExpungedAtLeast = 0, KeepExpunged = TimeSpan.FromDays(-1) } }, TimeProvider.System).PruneAsync(default);

    public async Task<Account> AccountAsync(long quota = 0)
    {
        var added = await Directory.AddAccountAsync(new NewAccount($"anna{Interlocked.Increment(ref accounts)}@example.test", Password: Password, Quota: quota));
        Assert.True(added.Ok);
        return added.Value;
    }

    /// <summary>A session that has said its greeting to nobody yet.</summary>
    public ImapClient Connect(Settings? settings = null, TimeProvider? time = null, CancellationToken stopping = default)
    {
        settings ??= Settings;
        time ??= TimeProvider.System;
        var transport = new MemoryTransport();
        var connection = Connection.Over(transport.Server, new ListenerSettings { Protocol = Protocol.Imap }, time: time, stopping: stopping);
        var errors = new ErrorLog();
        var signIn = new SignIn(settings, Directory, new LoginLimits(settings, time), time, NullLogger<SignIn>.Instance);
        var session = new ImapSession(connection, new ImapContext(settings, Mail, Directory, signIn, new Spool(settings), time, errors));
        return new ImapClient(transport, RunAsync(session, transport), errors, session);
    }

    static async Task RunAsync(ImapSession session, MemoryTransport transport)
    {
        try { await session.RunAsync(); }
        finally { await transport.Server.Output.CompleteAsync(); }
    }

    /// <summary>Connected, greeted and signed in.</summary>
    public async Task<ImapClient> SignInAsync(Account account)
    {
        var client = Connect();
        await client.LineAsync();
        await client.OkAsync($"LOGIN {account.Address} \"{Password}\"");
        return client;
    }

    /// <summary>Signed in with INBOX selected and so many messages in it.</summary>
    public async Task<ImapClient> InboxAsync(int messages, Account? account = null)
    {
        account ??= await AccountAsync();
        var client = await SignInAsync(account);
        for (var i = 1; i <= messages; i++) await client.AppendAsync("INBOX", ImapClient.Message(i));
        await client.OkAsync("SELECT INBOX");
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

[CollectionDefinition("imap")]
public sealed class ImapCollection : ICollectionFixture<ImapFixture>;
