using Xunit;

namespace CbaMail.Tests.Wire;

/// <summary>One server for all tests of a class: domain example.test, accounts anna, boris and postmaster.</summary>
public class ServerFixture : IAsyncLifetime
{
    internal const string Anna = "anna@example.test";
    internal const string Boris = "boris@example.test";
    internal const string Password = TestServer.Password;

    internal TestServer Server { get; private set; } = null!;

    /// <summary>Lines of a settings file, for classes that need another server.</summary>
    protected virtual string? Configuration => null;

    /// <summary>How its process is started, for classes that need it otherwise.</summary>
    private protected virtual TestServer.Launch? Launch => null;

    public virtual async ValueTask InitializeAsync()
    {
        Server = await TestServer.StartAsync(Configuration, launch: Launch);
        await Server.AddAccountsAsync(Anna, Boris);
    }

    public virtual async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}
