using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Storage;
using CbaMail.Tests.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Directory;

/// <summary>A directory over a real store in a folder of its own, with the domain example.test.</summary>
public sealed class DirectoryFixture : IAsyncDisposable
{
    readonly string folder = System.IO.Directory.CreateTempSubdirectory("cba-directory").FullName;

    readonly SignInSettings signIn;

    DirectoryFixture(SignInSettings signIn)
    {
        this.signIn = signIn;
        Store = Open();
        Users = Read();
    }

    UserDirectory Read() => new(Store, Time, new PasswordHashing(Time, new Settings { SignIn = signIn }), secrets: new Secrets(Store, Time, NullLogger<Secrets>.Instance));

    internal ManualTime Time { get; } = new();
    public Store Store { get; private set; }
    public UserDirectory Users { get; private set; }
    public string Reports => Path.Combine(folder, "reports");

    Store Open() => new(new Settings { Data = folder }, NullLogger<Store>.Instance);

    public static async Task<DirectoryFixture> NewAsync(SignInSettings? signIn = null)
    {
        var fixture = new DirectoryFixture(signIn ?? new());
        Assert.True((await fixture.Users.AddDomainAsync("example.test")).Ok);
        return fixture;
    }

    public async Task RestartAsync()
    {
        await Store.DisposeAsync();
        Store = Open();
        Users = Read();
    }

    public async Task<Account> AddAsync(string address, string? password = null) =>
        (await Users.AddAccountAsync(new NewAccount(address, Password: password))).Value!;

    /// <summary>Who gets mail for the address, as text; or the refusal's status.</summary>
    public string Resolve(string address)
    {
        if (!MailAddress.TryParse(address, out var parsed)) throw new ArgumentException(address);
        var result = Users.Resolve(parsed);
        return result.Ok
            ? string.Join(' ', result.Value.Select(target => target.Account is { } account ? account.Address + (target.Detail is { } detail ? "|" + detail : "") : "remote:" + target.Remote))
            : result.Refusal.Status;
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        System.IO.Directory.Delete(folder, recursive: true);
    }
}
