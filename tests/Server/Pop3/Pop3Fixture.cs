using System.Text;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Mailboxes;
using CbaMail.Net;
using CbaMail.Pop3;
using CbaMail.Sasl;
using CbaMail.Tests.Server.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Pop3;

/// <summary>POP3 sessions over a vault and a directory of their own.</summary>
public sealed class Pop3Fixture : RoomFixture
{
    public Pop3Fixture() : base(new Settings { Pop3 = new Pop3Settings { LockWait = TimeSpan.Zero } }) { }

    public MaildropLocks Locks { get; } = new(TimeProvider.System);

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
        var errors = new SessionErrors();
        var signIn = new SignIn(all, Directory, new LoginLimits(all, time), time, NullLogger<SignIn>.Instance);
        var session = new Pop3Session(connection, new Pop3Context(all, Mail, signIn, locks ?? Locks, time, errors));
        return new Pop3Client(transport, RunAsync(session.RunAsync, transport), errors);
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
}

[CollectionDefinition("pop3")]
public sealed class Pop3Collection : ICollectionFixture<Pop3Fixture>;
