namespace CbaMail.Cli;

/// <summary>An option of a verb.</summary>
/// <param name="Name">With its two hyphens.</param>
/// <param name="Value">What stands behind it, as the help shows it; null for a switch.</param>
public sealed record Option(string Name, string? Value, string Help, bool Many = false);

/// <summary>A row of the command line: one verb with everything that help, parsing and running need.</summary>
/// <param name="Name">One or two words, as in "account add".</param>
/// <param name="Arguments">As in "ADDRESS [TARGET]...": brackets are optional, dots may repeat.</param>
/// <param name="Summary">One line for the overview.</param>
/// <param name="Run">Returns the exit code.</param>
/// <param name="Details">Further lines for the verb's own help.</param>
public sealed record Verb(
    string Name, string Arguments, string Summary, IReadOnlyList<Option> Options, Func<Invocation, Task<int>> Run, string Details = "")
{
    /// <summary>Options of every verb that asks a running server.</summary>
    public static readonly IReadOnlyList<Option> Client =
    [
        new("--data", "DIR", "data directory of the server (default: see \"cbamail help\")"),
        new("--json", null, "print JSON"),
        new("--csv", null, "print a table for other programs (RFC 4180)"),
    ];

    /// <summary>The first of two words, or nothing: verbs of a group stand together.</summary>
    internal string Group => Name.IndexOf(' ') is > 0 and var end ? Name[..end] : "";

    string[] Words => Arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries);
    internal int Least => Words.Count(word => !word.StartsWith('['));
    internal int Most => Arguments.Contains("...", StringComparison.Ordinal) ? int.MaxValue : Words.Length;
}

/// <summary>Ends a verb with a sentence on standard error; caught in <see cref="CommandLine"/> alone.</summary>
public sealed class Refused(string sentence, int exitCode = 1) : Exception(sentence)
{
    public int ExitCode => exitCode;
}
