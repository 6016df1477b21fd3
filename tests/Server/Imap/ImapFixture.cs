using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Imap;
using CbaMail.Mailboxes;
using CbaMail.Mailboxes.Search;
using CbaMail.Net;
using CbaMail.Sasl;
using CbaMail.Storage;
using CbaMail.Tests.Server.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Imap;

/// <summary>IMAP sessions over a vault and a directory of their own.</summary>
public sealed class ImapFixture : RoomFixture
{
    public ImapFixture() : base(new Settings { Imap = new ImapSettings { MaxMessage = 4 << 20 }, Storage = new StorageSettings { PendingFlagsAtLeast = 1 } }) { }

    /// <summary>The history of expunges comes to its end now (RFC 7162 3.2.6).</summary>
    public Task ForgetExpungedAsync() =>
        new ExpungeHistory(Store, Settings with { Storage = Settings.Storage with { KeepExpungedAtLeast = 0, KeepExpunged = TimeSpan.FromDays(-1) } }, TimeProvider.System).PruneAsync(default);

    /// <summary>A session that has said its greeting to nobody yet.</summary>
    public ImapClient Connect(Settings? settings = null, TimeProvider? time = null, TextIndex? index = null, CancellationToken stopping = default)
    {
        settings ??= Settings;
        time ??= TimeProvider.System;
        var transport = new MemoryTransport();
        var connection = Connection.Over(transport.Server, new ListenerSettings { Protocol = Protocol.Imap }, time: time, stopping: stopping);
        var errors = new SessionErrors();
        var signIn = new SignIn(settings, Directory, new LoginLimits(settings, time), time, NullLogger<SignIn>.Instance);
        var session = new ImapSession(connection, new ImapContext(settings, Mail, Directory, signIn, new Spool(settings), time, errors, Index: index));
        return new ImapClient(transport, RunAsync(session.RunAsync, transport), errors, session);
    }

    /// <summary>Connected, greeted and signed in.</summary>
    public async Task<ImapClient> SignInAsync(Account account, TextIndex? index = null)
    {
        var client = Connect(index: index);
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
}

[CollectionDefinition("imap")]
public sealed class ImapCollection : ICollectionFixture<ImapFixture>;
