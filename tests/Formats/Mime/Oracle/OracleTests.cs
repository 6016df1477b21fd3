using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Formats.Mime.Oracle;

/// <summary>
/// <c>cbamail check mime</c> beside Python's email package, under both of its policies: structure, types, parameters, names,
/// header fields, addresses, dates and decoded content. compare.py finds every difference; each must have its reason in classes.py
/// and its line in tests/Vectors/mime. After a change that moves differences: compare.py --write, and read what git diff shows.
/// </summary>
public class OracleTests
{
    const string Folder = "tests/Formats/Mime/Oracle/";

    [Fact]
    public async Task Our_samples_of_what_goes_wrong_read_as_python_reads_them_or_for_a_reason() =>
        await CompareAsync("differences-samples.tsv", "samples", Path.Combine(House.Repository.Root, "tests/Vectors/mime"));

    /// <summary>The corpus stands in shared/ beside the repository, or above it, and may be missing: then the samples stand alone.</summary>
    [Fact]
    [Trait("Category", "Slow")]
    public async Task Every_message_of_the_corpus_reads_as_python_reads_it_or_for_a_reason()
    {
        var archives = Above(House.Repository.Root).Select(folder => Path.Combine(folder, "shared", "corpus", "spam")).Where(System.IO.Directory.Exists)
            .SelectMany(corpus => System.IO.Directory.GetFiles(corpus, "sa-*.tar.xz").Order(StringComparer.Ordinal)).ToArray();
        Assert.SkipWhen(archives.Length == 0, "The corpus is not here: put it at ../shared/corpus/spam beside the repository (sa-train.tar.xz, sa-dev.tar.xz). Only the samples were compared.");
        await CompareAsync("differences-corpus.tsv", archives);
    }

    static IEnumerable<string> Above(string folder)
    {
        for (var at = System.IO.Directory.GetParent(folder); at is not null; at = at.Parent) yield return at.FullName;
    }

    static async Task CompareAsync(string list, params string[] paths)
    {
        var root = House.Repository.Root;
        var tool = new Tool { Limit = TimeSpan.FromMinutes(10), Environment = { ["PYTHONDONTWRITEBYTECODE"] = "1" } };
        var ran = await tool.StartAsync("python3", [Path.Combine(root, Folder + "compare.py"),
            "--program", TestServer.Program, "--list", Path.Combine(root, "tests/Vectors/mime", list), .. paths]);
        TestContext.Current.TestOutputHelper?.WriteLine(ran.All);
        ran.Succeeded();
    }
}
