using System.Globalization;
using System.Text;
using CbaMail.Config;
using CbaMail.Text;

namespace CbaMail.Cli;

/// <summary>What <c>serve</c> does beside serving.</summary>
/// <param name="Started">Runs once the server listens.</param>
public sealed record ServeOptions(Func<IServiceProvider, Task> Started);

/// <summary>
/// The command line: a table of verbs, found by their words, with options in any place. Client verbs build no server, so that they
/// start fast. Exit codes: 0 success, 1 refused or not found with a sentence on standard error, 2 wrong usage (contract.md).
/// </summary>
public static class CommandLine
{
    /// <param name="serve">Builds and runs the server: the command line knows no rooms.</param>
    /// <param name="look">Builds the server and starts nothing: the sentence that says what keeps it from starting, or null.</param>
    public static Task<int> RunAsync(string[] args, Func<Settings, ServeOptions, Task<int>> serve, Func<Settings, Task<string?>> look) =>
        RunAsync(args, Verbs(serve, look), Console.In, Console.Out, Console.Error);

    /// <summary>The table, in the order of the overview.</summary>
    public static IReadOnlyList<Verb> Verbs(Func<Settings, ServeOptions, Task<int>> serve, Func<Settings, Task<string?>>? look = null)
    {
        List<Verb> verbs = Table(serve, look);
        verbs.Add(Completion.Row(verbs));
        return verbs;
    }

    static List<Verb> Table(Func<Settings, ServeOptions, Task<int>> serve, Func<Settings, Task<string?>>? look) =>
    [
        ServeVerb.Row(serve),
        .. SetupVerb.Rows,
        .. StatusVerbs.Rows,
        .. DomainVerbs.Rows,
        .. BrandingVerbs.Rows,
        .. DnsVerbs.Rows,
        .. AccountVerbs.Rows,
        .. AdmissionVerbs.Rows,
        .. AccountTemplateVerbs.Rows,
        .. CredentialVerbs.Rows,
        .. AliasVerbs.Rows,
        .. AccountMailVerbs.Rows,
        .. GroupVerbs.Rows,
        .. ResourceVerbs.Rows,
        .. ListVerbs.Rows,
        .. CourseAddressVerbs.Rows,
        .. ApprovalVerbs.Rows,
        .. TimelineVerb.Rows,
        .. ResponseVerbs.Rows,
        .. ScheduleVerbs.Rows,
        .. SequenceVerbs.Rows,
        .. PolicyVerbs.Rows,
        .. MailboxVerbs.Rows,
        .. ExpungedVerbs.Rows,
        .. CourseVerbs.Rows,
        .. EnrolmentVerbs.Rows,
        .. RosterVerbs.Rows,
        .. ListmonkVerbs.Rows,
        .. RunVerbs.Rows,
        .. TemplateVerbs.Rows,
        .. MailingVerbs.Rows,
        .. AudienceVerbs.Rows,
        .. QueueVerbs.Rows,
        .. DoorVerbs.Rows,
        .. MessageVerbs.Rows,
        .. SuppressionVerbs.Rows,
        .. BackupVerbs.Rows,
        .. VerifyVerb.Rows,
        .. VaultVerbs.Rows,
        .. SearchVerbs.Rows,
        .. TlsVerbs.Rows,
        .. SuffixVerbs.Rows,
        .. ReportVerbs.Rows,
        .. SettingsVerbs.Rows,
        .. SecretVerbs.Rows,
        .. ApiVerbs.Rows,
        .. DirectoryVerbs.Rows,
        .. WebhookVerbs.Rows,
        .. CheckVerbs.Rows,
        CheckConfig.Row(look),
        new("version", "", "print the release", [new("--json", null, "print JSON")], invocation =>
        {
            invocation.Print(invocation.Json ? $"{{\"version\":\"{Version.Text}\"}}" : $"CBA Mail {Version.Text}");
            return Task.FromResult(0);
        }),
    ];

    /// <summary>Runs one line; tests give their own streams.</summary>
    public static async Task<int> RunAsync(string[] args, IReadOnlyList<Verb> verbs, TextReader input, TextWriter output, TextWriter error)
    {
        try
        {
            if (args.Length == 0) { await error.WriteAsync(Overview(verbs, "")); return 2; }
            if (args[0] is "--version" or "-V") args = ["version"];
            if (args[0] is "help" or "--help" or "-h") return await HelpAsync(args[1..], verbs, output, error);
            var (verb, rest) = Find(args, verbs);
            if (verb is null)
            {
                var group = verbs.Any(row => row.Name.StartsWith(args[0] + " ", StringComparison.Ordinal)) ? args[0] : "";
                if (group.Length > 0 && args.Length > 1 && args[1] is "--help" or "-h") { await output.WriteAsync(Overview(verbs, group)); return 0; }
                await error.WriteLineAsync(VerbSuggestions.Sentence(verbs, [.. args.TakeWhile(word => !word.StartsWith('-')).Take(2)]));
                if (group.Length > 0) await error.WriteAsync(Overview(verbs, group));
                return 2;
            }
            if (rest.TakeWhile(word => word != "--").Any(word => word is "--help" or "-h")) { await output.WriteAsync(Help(verb)); return 0; }
            using var invocation = Parse(verb, rest, input, output, error);
            var code = await verb.Run(invocation);
            await output.FlushAsync();
            return code;
        }
        catch (Refused refused)
        {
            await output.FlushAsync();
            await error.WriteLineAsync("cbamail: " + PlainText.Lines(refused.Message));
            return refused.ExitCode;
        }
        catch (IOException e) when (e.HResult == BrokenPipe || e.Message.Contains("Broken pipe", StringComparison.Ordinal))
        {
            return 0; // "| head" has seen enough
        }
    }

    const int BrokenPipe = 32;

    /// <summary>The longest name that the words begin with.</summary>
    static (Verb? Verb, string[] Left) Find(string[] args, IReadOnlyList<Verb> verbs)
    {
        if (args.Length > 1 && verbs.FirstOrDefault(row => row.Name == args[0] + " " + args[1]) is { } two) return (two, args[2..]);
        return verbs.FirstOrDefault(row => row.Name == args[0]) is { } one ? (one, args[1..]) : (null, []);
    }

    static Invocation Parse(Verb verb, string[] words, TextReader input, TextWriter output, TextWriter error)
    {
        var arguments = new List<string>();
        var options = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        for (var i = 0; i < words.Length; i++)
        {
            var word = words[i];
            if (word == "--") { arguments.AddRange(words[(i + 1)..]); break; }
            if (!word.StartsWith("--", StringComparison.Ordinal)) { arguments.Add(word); continue; }
            var equals = word.IndexOf('=');
            var name = equals < 0 ? word : word[..equals];
            var option = verb.Options.FirstOrDefault(row => row.Name == name) ?? throw Usage(verb, $"\"{verb.Name}\" takes no option {name}");
            string value;
            if (option.Value is null)
            {
                if (equals >= 0) throw Usage(verb, $"the option {name} takes no value");
                value = "";
            }
            else if (equals >= 0) value = word[(equals + 1)..];
            else if (i + 1 < words.Length) value = words[++i];
            else throw Usage(verb, $"the option {name} needs a value: {name} {option.Value}");
            if (!options.TryGetValue(name, out var values)) options[name] = values = [];
            else if (!option.Many && option.Value is not null) throw Usage(verb, $"the option {name} was given twice");
            values.Add(value);
        }
        if (arguments.Count < verb.Least) throw Usage(verb, $"\"{verb.Name}\" needs {verb.Arguments}");
        if (arguments.Count > verb.Most) throw Usage(verb, $"\"{arguments[verb.Most]}\" is one argument too many");
        // as of a shell's variable that is not set; nothing here is named by nothing
        if (arguments.Contains("")) throw Usage(verb, $"\"{verb.Name}\" was given an empty argument for {verb.Arguments}");
        foreach (var (name, values) in options)
            if (values.Contains("") && verb.Options.First(option => option.Name == name).Value is "DIR" or "FILE") throw Usage(verb, $"the value of {name} is empty");
        return new Invocation(arguments, options, input, output, error);
    }

    /// <summary>Wrong usage: exit code 2.</summary>
    public static Refused Usage(Verb verb, string sentence) => UsageLines(verb) is var usage && usage.Contains('\n', StringComparison.Ordinal) ? new($"{sentence}\n{usage}", 2) : new($"{sentence}; {usage}", 2);

    const int Widest = 100;

    /// <summary>In as many lines as it takes: a screen is no wider.</summary>
    static string UsageLines(Verb verb)
    {
        var (text, column) = (new StringBuilder("usage: cbamail " + verb.Name), 15 + verb.Name.Length);
        string[] words = [.. verb.Arguments.Length > 0 ? [verb.Arguments] : Array.Empty<string>(), .. verb.Options.Select(option => $"[{option.Name}{(option.Value is null ? "" : " " + option.Value)}]{(option.Many ? "..." : "")}")];
        foreach (var word in words)
        {
            if (column + 1 + word.Length > Widest)
            {
                text.Append("\n      ");
                column = 6;
            }
            text.Append(' ').Append(word);
            column += 1 + word.Length;
        }
        return text.ToString();
    }

    static async Task<int> HelpAsync(string[] words, IReadOnlyList<Verb> verbs, TextWriter output, TextWriter error)
    {
        if (words.Length == 0) { await output.WriteAsync(Overview(verbs, "")); return 0; }
        if (Find(words, verbs).Verb is { } verb) { await output.WriteAsync(Help(verb)); return 0; }
        if (verbs.Any(row => row.Name.StartsWith(words[0] + " ", StringComparison.Ordinal))) { await output.WriteAsync(Overview(verbs, words[0])); return 0; }
        await error.WriteLineAsync(VerbSuggestions.Sentence(verbs, words));
        return 2;
    }

    /// <summary>The help of one verb.</summary>
    public static string Help(Verb verb)
    {
        var text = new StringBuilder();
        text.Append($"cbamail {verb.Name} {verb.Arguments}".TrimEnd()).Append('\n');
        text.Append(CultureInfo.InvariantCulture, $"  {verb.Summary}\n");
        if (verb.Details.Length > 0) text.Append('\n').Append(string.Join('\n', verb.Details.ReplaceLineEndings("\n").Split('\n').Select(line => "  " + line))).Append('\n');
        if (verb.Options.Count > 0) text.Append('\n');
        foreach (var option in verb.Options)
            text.Append("  ").Append((option.Value is null ? option.Name : option.Name + " " + option.Value).PadRight(22)).Append(' ').Append(option.Help).Append('\n');
        return text.ToString();
    }

    /// <summary>All verbs, or those of one group.</summary>
    public static string Overview(IReadOnlyList<Verb> verbs, string group)
    {
        var text = new StringBuilder();
        if (group.Length == 0) text.Append(CultureInfo.InvariantCulture, $"CBA Mail {Version.Text}. Verbs (\"cbamail help VERB\" tells more):\n\n");
        var rows = verbs.Where(verb => group.Length == 0 || verb.Name.StartsWith(group + " ", StringComparison.Ordinal)).ToList();
        string? above = null;
        foreach (var verb in rows)
        {
            if (above is not null && above != verb.Group && (verb.Name.Contains(' ') || above != "")) text.Append('\n');
            above = verb.Group;
            text.Append("  ").Append($"{verb.Name} {verb.Arguments}".PadRight(32)).Append(' ').Append(verb.Summary).Append('\n');
        }
        if (group.Length == 0) text.Append("\nExit codes: 0 done, 1 refused or not found, 2 wrong usage.\n");
        return text.ToString();
    }
}
