using System.Text.Json;
using CbaMail.MailAuth.Dmarc;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>A newer public suffix list in the data directory of a running server.</summary>
public sealed class PublicSuffixTests : IAsyncLifetime
{
    readonly string directory = System.IO.Directory.CreateTempSubdirectory("cba-psl").FullName;
    TestServer server = null!;

    public async ValueTask InitializeAsync() => server = await TestServer.StartAsync("hostname: mail.example.test");

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        System.IO.Directory.Delete(directory, recursive: true);
    }

    string Write(string day, double part = 1)
    {
        using var stream = typeof(PublicSuffixList).Assembly.GetManifestResourceStream("public-suffixes.txt")!;
        using var reader = new StreamReader(stream);
        var rules = reader.ReadToEnd().Split('\n').Where(line => !line.StartsWith("//", StringComparison.Ordinal)).ToList();
        var file = Path.Combine(directory, "list.dat");
        File.WriteAllText(file, $"// VERSION: {day}_00-00-00_UTC\n// ===BEGIN ICANN DOMAINS===\n{string.Join('\n', rules.Take((int)(rules.Count * part)))}\n// ===END PRIVATE DOMAINS===\n");
        return file;
    }

    async Task<(string Source, string? Date)> ShownAsync()
    {
        using var shown = JsonDocument.Parse((await server.CliAsync("public-suffixes", "show", "--json")).Output);
        return (shown.RootElement.GetProperty("source").GetString()!, shown.RootElement.GetProperty("date").GetString());
    }

    [Fact]
    public async Task A_newer_list_is_installed_seen_in_the_status_and_taken_away_again()
    {
        Assert.Equal("shipped", (await ShownAsync()).Source);
        Assert.Contains("of 2030-05-06", (await server.CliAsync("public-suffixes", "update", Write("2030-05-06"))).Succeeded().Output, StringComparison.Ordinal);
        Assert.Equal(("data", "2030-05-06"), await ShownAsync());
        Assert.Contains("list of 2030-05-06", (await server.CliAsync("status")).Output, StringComparison.Ordinal);
        // half a list changes nothing
        Assert.Contains("a part of it is missing", (await server.CliAsync("public-suffixes", "update", Write("2030-06-06", 0.5))).Failed(1).Error, StringComparison.Ordinal);
        Assert.Equal(("data", "2030-05-06"), await ShownAsync());
        (await server.CliAsync("public-suffixes", "remove")).Succeeded();
        Assert.Equal("shipped", (await ShownAsync()).Source);
        Assert.Contains("in use already", (await server.CliAsync("public-suffixes", "remove")).Failed(1).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_put_there_by_hand_counts_after_a_reload_and_a_broken_one_does_not()
    {
        var kept = Path.Combine(server.Data, "public-suffix-list.dat");
        File.Copy(Write("2030-01-01"), kept);
        (await server.CliAsync("public-suffixes", "reload")).Succeeded();
        Assert.Equal(("data", "2030-01-01"), await ShownAsync());
        File.WriteAllText(kept, "<html>");
        Assert.Contains("is no public suffix list", (await server.CliAsync("public-suffixes", "reload")).Failed(1).Error, StringComparison.Ordinal);
        Assert.Equal("shipped", (await ShownAsync()).Source);
        Assert.Contains("is not used", (await server.CliAsync("public-suffixes", "show")).Failed(1).Output, StringComparison.Ordinal);
        Assert.Contains("public-suffix-list.dat is not used", (await server.CliAsync("status")).Output, StringComparison.Ordinal);
    }
}
