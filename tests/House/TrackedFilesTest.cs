using System.Text.Json;
using System.Text.RegularExpressions;
using Xunit;

namespace CbaMail.Tests.House;

/// <summary>What is checked in works on any machine: lock files pin versions, and nothing points at the machine of its author.</summary>
public partial class TrackedFilesTest
{
    private static readonly string[] TextFiles = [".cs", ".csproj", ".props", ".slnx", ".json", ".md", ".txt", ".sql", ".yml", ".yaml", ".sh", ".py", ".mjs", ".js", ".npmrc", "run", "test", "cbamail"];

    [GeneratedRegex(@"(?<![\w.$}*])/(work|root|home/\w+)/")]
    private static partial Regex MachinePath { get; }

    [GeneratedRegex(@"https?://(?!opencollective\.com|github\.com|(www\.)?patreon\.com)[\w.-]+")]
    private static partial Regex Host { get; }

    [Fact]
    public void Every_project_has_its_lock_file()
    {
        var projects = Repository.Files.Where(f => f.EndsWith(".csproj", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(projects);
        Breach.None(projects.Select(p => Path.GetDirectoryName(p)!.Replace('\\', '/') + "/packages.lock.json").Except(Repository.Files));
        Breach.None(Repository.Files.Where(f => Path.GetFileName(f) == "package.json").Select(f => f.Replace("package.json", "package-lock.json", StringComparison.Ordinal)).Except(Repository.Files));
    }

    [Fact]
    public void Lock_files_name_no_registry()
    {
        foreach (var file in Repository.Files.Where(f => Path.GetFileName(f) is "packages.lock.json" or "package-lock.json"))
        {
            var text = Repository.Read(file);
            using var parsed = JsonDocument.Parse(text);
            Assert.False(text.Contains("\"resolved\": \"http", StringComparison.Ordinal), $"{file} records where a package came from");
            Breach.None(Host.Matches(text).Select(m => $"{file}: {m.Value}"));
        }
    }

    [Fact]
    public void No_file_points_at_a_folder_of_one_machine()
    {
        Breach.None(from file in Repository.Files
                    where TextFiles.Any(e => file.EndsWith(e, StringComparison.Ordinal)) && file != "tests/House/TrackedFilesTest.cs"
                    from line in Repository.Lines(file).Select((text, i) => (text, number: i + 1))
                    where MachinePath.IsMatch(line.text)
                    select $"{file}:{line.number}: {line.text.Trim()}");
    }

    [Fact]
    public void No_package_version_stands_outside_the_central_list() =>
        Breach.None(Repository.Files.Where(f => f.EndsWith(".csproj", StringComparison.Ordinal)
            && Regex.IsMatch(Repository.Read(f), "<PackageReference[^>]*Version=")));

    [Fact]
    public void Scripts_can_be_started() =>
        Breach.None(from file in Repository.Files
                    where Repository.Read(file) is ['#', '!', ..]
                    where !OperatingSystem.IsWindows() && !File.GetUnixFileMode(Path.Combine(Repository.Root, file)).HasFlag(UnixFileMode.UserExecute)
                    select $"{file} begins with #! and is not executable");
}
