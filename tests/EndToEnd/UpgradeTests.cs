using System.Formats.Tar;
using System.IO.Compression;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>
/// Data of every released version (<c>tests/Vectors/released</c>, made by <c>python/released.py make</c> when it went out,
/// each as kill -9 left it) are taken over by the program of today: nothing missing, nothing changed, everything in order.
/// </summary>
public class UpgradeTests
{
    private const string Folder = "tests/Vectors/released";

    public static TheoryData<string> Releases =>
        [.. House.Repository.Files.Where(f => f.StartsWith(Folder + "/", StringComparison.Ordinal) && f.EndsWith(".tgz", StringComparison.Ordinal)).Select(f => Path.GetFileNameWithoutExtension(f))];

    [Theory]
    [MemberData(nameof(Releases))]
    public async Task Data_of_a_release_are_taken_over_whole(string release)
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var server = await TestServer.StartAsync();
        await server.StopAsync();
        System.IO.Directory.Delete(server.Data, recursive: true);
        System.IO.Directory.CreateDirectory(server.Data);
        await using (var file = File.OpenRead(Path.Combine(House.Repository.Root, Folder, release + ".tgz")))
        await using (var unzipped = new GZipStream(file, CompressionMode.Decompress))
            await TarFile.ExtractToDirectoryAsync(unzipped, server.Data, overwriteFiles: true, cancel);

        for (var start = 1; start <= 2; start++) // taken over, and taken over again
        {
            await server.StartAgainAsync();
            (await Tool.RunAsync("python3", Path.Combine(House.Repository.Root, "tests/EndToEnd/python/released.py"), "check",
                Path.Combine(House.Repository.Root, Folder, release + ".json"), server.Imap.ToString(null as IFormatProvider))).Succeeded();
            (await server.CliAsync("verify")).Succeeded();
            Assert.Contains("\"delivered\":3", (await server.CliAsync("mailing", "status", "1", "--json")).Succeeded().Output, StringComparison.Ordinal);
            Assert.Contains("anna@school.test", (await server.CliAsync("alias", "list")).Succeeded().Output, StringComparison.Ordinal);
            await server.StopAsync();
        }
    }
}
