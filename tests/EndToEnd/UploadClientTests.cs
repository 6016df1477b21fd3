using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>Uploads by a client that is not ours: Python's imaplib.</summary>
public class UploadClientTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    [Fact]
    public async Task Imaplib_appends_many_catenates_replaces_and_gets_its_octets_back()
    {
        await fixture.Server.AddAccountsAsync("uploads@example.test");
        var ran = await Tool.RunAsync("python3", Path.Combine(House.Repository.Root, "tests/EndToEnd/python/imap_uploads.py"), $"{fixture.Server.Imap}", "uploads@example.test", ServerFixture.Password);
        ran.Succeeded();
        Assert.Contains("uploads: ok", ran.Output, StringComparison.Ordinal);
    }
}
