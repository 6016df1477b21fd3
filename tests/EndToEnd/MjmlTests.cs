using CbaMail.Mjml;
using CbaMail.Tests.House;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>Our compiler of MJML beside the reference (npm's mjml), laid out by Chromium: the same boxes within a pixel, the same letters.</summary>
public class MjmlTests
{
    [Fact]
    public async Task A_browser_sees_what_the_reference_makes_it_see()
    {
        var sources = Path.Combine(Repository.Root, "tests/Vectors/mjml");
        var compiled = System.IO.Directory.CreateTempSubdirectory("cba-mjml").FullName;
        try
        {
            foreach (var file in System.IO.Directory.EnumerateFiles(sources, "*.mjml"))
            {
                var result = MjmlCompiler.Compile(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
                Assert.True(result.Html is not null, $"{file}: {string.Join("; ", result.Errors)}");
                Assert.Empty(result.Warnings);
                await File.WriteAllTextAsync(Path.Combine(compiled, Path.ChangeExtension(Path.GetFileName(file), ".html")), result.Html, TestContext.Current.CancellationToken);
            }
            var ran = await new Tool { Limit = TimeSpan.FromMinutes(3) }.StartAsync("node", Path.Combine(Repository.Root, "tests/EndToEnd/clients/mjml.mjs"), sources, compiled);
            TestContext.Current.TestOutputHelper?.WriteLine(ran.All);
            Assert.Contains("0 differ", ran.Succeeded().Output, StringComparison.Ordinal);
        }
        finally
        {
            System.IO.Directory.Delete(compiled, recursive: true);
        }
    }
}
