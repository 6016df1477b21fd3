using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Mailboxes;
using CbaMail.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Net;

/// <summary>A real vault and a real directory in a temporary folder, for the sessions of one protocol; connections are pipes.</summary>
public abstract class RoomFixture : IAsyncLifetime
{
    public const string Password = "pass-word 1";

    readonly string folder = System.IO.Directory.CreateTempSubdirectory("cbamail-room-").FullName;
    int accounts;

    private protected RoomFixture(Settings settings) => Settings = settings with { Data = folder, Evaluation = true, Hostname = "mail.example.test" };

    public Settings Settings { get; }
    public Store Store { get; private set; } = null!;
    public MailStore Mail { get; private set; } = null!;
    public UserDirectory Directory { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Store = new Store(Settings, NullLogger<Store>.Instance, MailStore.RemoveUnacknowledged);
        Mail = new MailStore(Store, Settings, new Notifier(), TimeProvider.System);
        Directory = new UserDirectory(Store, TimeProvider.System, secrets: new Secrets(Store, TimeProvider.System, NullLogger<Secrets>.Instance));
        MailboxesRoom.Attach(Mail, Directory);
        Assert.True((await Directory.AddDomainAsync("example.test")).Ok);
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        System.IO.Directory.Delete(folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    public async Task<Account> AccountAsync(long quota = 0)
    {
        var added = await Directory.AddAccountAsync(new NewAccount($"anna{Interlocked.Increment(ref accounts)}@example.test", Password: Password, Quota: quota));
        Assert.True(added.Ok);
        return added.Value;
    }

    /// <summary>The session until it ends; then the client reads the end.</summary>
    private protected static async Task RunAsync(Func<Task> session, MemoryTransport transport)
    {
        try { await session(); }
        finally { await transport.Server.Output.CompleteAsync(); }
    }
}
