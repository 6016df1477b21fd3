using System.Diagnostics;

namespace CbaMail.Tests.House;

/// <summary>The working tree that the tests were built from: its root and the files that belong to it.</summary>
internal static class Repository
{
    private static readonly Lazy<IReadOnlyList<string>> Listed = new(List);

    public static string Root { get; } = FindRoot();

    /// <summary>Every file of the repository, relative, with forward slashes: tracked ones and new ones that are not ignored.</summary>
    public static IReadOnlyList<string> Files => Listed.Value;

    public static IEnumerable<string> CSharp(params string[] folders) =>
        Files.Where(f => f.EndsWith(".cs", StringComparison.Ordinal)
            && folders.Any(folder => f.StartsWith(folder + "/", StringComparison.Ordinal)));

    public static string Read(string file) => File.ReadAllText(Path.Combine(Root, file));

    public static string[] Lines(string file) => File.ReadAllLines(Path.Combine(Root, file));

    /// <summary>The lines of a list file without comments and blanks.</summary>
    public static IEnumerable<string> Entries(string file) =>
        Lines(file).Select(l => l.Trim()).Where(l => l.Length > 0 && l[0] != '#');

    private static string FindRoot()
    {
        for (var d = new DirectoryInfo(AppContext.BaseDirectory); d is not null; d = d.Parent)
            if (File.Exists(Path.Combine(d.FullName, "CbaMail.slnx"))) return d.FullName;
        throw new InvalidOperationException("the tests do not run inside the repository");
    }

    private static List<string> List()
    {
        try
        {
            var start = new ProcessStartInfo("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            {
                WorkingDirectory = Root,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            using var git = Process.Start(start)!;
            var output = git.StandardOutput.ReadToEnd();
            git.WaitForExit();
            if (git.ExitCode == 0 && output.Length > 0)
                return [.. output.Split('\0', StringSplitOptions.RemoveEmptyEntries)
                    .Where(f => File.Exists(Path.Combine(Root, f))).Distinct()];
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // no git here (a source archive): walk the folders instead
        }
        string[] skipped = ["bin", "obj", "node_modules", "data", "out", ".git"];
        return [.. System.IO.Directory.EnumerateFiles(Root, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
            .Select(f => Path.GetRelativePath(Root, f).Replace('\\', '/'))
            .Where(f => !f.Split('/').Any(part => skipped.Contains(part)))];
    }
}
