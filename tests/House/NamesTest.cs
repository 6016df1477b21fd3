using System.Text.RegularExpressions;
using Xunit;

namespace CbaMail.Tests.House;

/// <summary>Words and calls that do not enter the house.</summary>
public partial class NamesTest
{
    private static readonly string[] EmptyWords = ["Manager", "Helper", "Helpers", "Util", "Utils", "Utility", "Utilities", "Common", "Service", "Services", "Misc"];

    [GeneratedRegex(@"\bSELECT\b[\s\S]*\bFROM\b|\bINSERT\s+(OR\s+\w+\s+)?INTO\s+\w|\bREPLACE\s+INTO\s+\w|\bUPDATE\s+\w+\s+SET\b|\bDELETE\s+FROM\s+\w|\b(CREATE|ALTER|DROP)\s+(UNIQUE\s+)?(TABLE|INDEX|VIEW|TRIGGER)\b|\b(insert\s+(or\s+\w+\s+)?into|delete\s+from)\s+\w+[\s(]|\bselect\s+[\w*,.\s()]+\sfrom\s+\w+\s+(where|order|join|limit)\b")]
    private static partial Regex Sql { get; }

    [GeneratedRegex(@"\basync\s+void\b")]
    private static partial Regex AsyncVoid { get; }

    [GeneratedRegex(@"\.GetAwaiter\(\)\s*\.GetResult\(\)")]
    private static partial Regex BlockingAwait { get; }

    [GeneratedRegex(@"\bcatch\s*(\([^()]*\)\s*)?(when\s*\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)\s*)?\{\s*\}")]
    private static partial Regex EmptyCatch { get; }

    [GeneratedRegex(@"\b(private|internal|protected)\s+(static\s+)?(readonly\s+)?[\w<>?,\[\]. ]+\s_\w+\s*[;=]")]
    private static partial Regex Underscored { get; }

    private static IEnumerable<Use> UsesOf(string assembly)
    {
        using var code = new CompiledUses(Path.Combine(AppContext.BaseDirectory, assembly + ".dll"));
        return code.All();
    }

    [Theory]
    [InlineData("cbamail")]
    [InlineData("CbaMail.Formats")]
    public void No_type_is_named_with_a_word_that_says_nothing(string assembly)
    {
        using var code = new CompiledUses(Path.Combine(AppContext.BaseDirectory, assembly + ".dll"));
        Breach.None(code.Types().Where(t => t.Namespace.StartsWith("CbaMail", StringComparison.Ordinal)
            && EmptyWords.Any(w => t.Name.Split('`')[0].EndsWith(w, StringComparison.Ordinal))));
    }

    [Fact]
    public void Handler_is_the_one_door_of_a_room()
    {
        using var code = new CompiledUses(Path.Combine(AppContext.BaseDirectory, "cbamail.dll"));
        Breach.None(code.Types().Where(t => t.Namespace.StartsWith("CbaMail", StringComparison.Ordinal) && t.Name.EndsWith("Handler", StringComparison.Ordinal))
            .GroupBy(t => t.Namespace).Where(g => g.Count() > 1).Select(g => $"{g.Key}: {string.Join(", ", g.Select(t => t.Name))}"));
    }

    [Fact]
    public void Sql_stands_only_in_tables_and_schema()
    {
        Breach.None(from file in Repository.CSharp("src")
                    where !file.EndsWith("Table.cs", StringComparison.Ordinal)
                    from literal in new SourceText(Repository.Read(file)).Strings
                    where Sql.IsMatch(literal.Text)
                    select $"{file}:{literal.Line}: SQL belongs in a *Table.cs of its room or in Storage/Schema");
        Breach.None(Repository.Files.Where(f => f.StartsWith("src/", StringComparison.Ordinal) && f.EndsWith(".sql", StringComparison.Ordinal)
            && !f.StartsWith("src/Server/Storage/Schema/", StringComparison.Ordinal)));
    }

    [Fact]
    public void Nothing_blocks_a_thread_or_swallows_an_exception()
    {
        List<string> breaches = [];
        foreach (var file in Repository.CSharp("src"))
        {
            var text = Repository.Read(file);
            var source = new SourceText(text);
            Look(AsyncVoid, "async void loses its exceptions");
            Look(BlockingAwait, "blocks a thread: await it");
            foreach (Match match in EmptyCatch.Matches(source.Code))
            {
                // a comment inside that says why is enough
                var (first, last) = (source.LineOf(match.Index), source.LineOf(match.Index + match.Length - 1));
                if (!source.Comments.Any(c => c.Line >= first && c.Line <= last)) breaches.Add($"{file}:{first}: an empty catch must say why");
            }
            void Look(Regex what, string why)
            {
                foreach (Match match in what.Matches(source.Code)) breaches.Add($"{file}:{source.LineOf(match.Index)}: {why}");
            }
        }
        Breach.None(breaches);
    }

    [Theory]
    [InlineData("cbamail")]
    [InlineData("CbaMail.Formats")]
    public void Forbidden_calls_are_not_made(string assembly)
    {
        var breaches = from use in UsesOf(assembly)
                       where use.FromNamespace.StartsWith("CbaMail", StringComparison.Ordinal)
                       let why = Forbidden(use)
                       where why is not null
                       select $"{use}: {why}";
        Breach.None(breaches.Order());
    }

    private static string? Forbidden(Use use) => (use.ToNamespace + "." + use.ToType, use.Member) switch
    {
        ("System.DateTime", "get_Now" or "get_UtcNow" or "get_Today") => "take TimeProvider",
        ("System.DateTimeOffset", "get_Now" or "get_UtcNow") => "take TimeProvider",
        ("System.Threading.Thread", "Sleep") => "wait for a condition, or Task.Delay with a TimeProvider",
        ("System.Threading.Tasks.Task", "Wait" or "WaitAll" or "WaitAny") => "blocks a thread",
        ("System.Threading.Tasks.Task`1" or "System.Threading.Tasks.ValueTask`1", "get_Result") => "blocks a thread",
        ("System.Net.Http.HttpClient", ".ctor") when !use.FromNamespace.StartsWith("CbaMail.Cli", StringComparison.Ordinal) => "only Cli makes one",
        _ => null,
    };

    [Fact]
    public void Private_fields_wear_no_underscore() =>
        Breach.None(from file in Repository.CSharp("src", "tests", "bench")
                    let source = new SourceText(Repository.Read(file))
                    from match in Underscored.Matches(source.Code)
                    select $"{file}:{source.LineOf(match.Index)}: {match.Value.Trim()}");

    [Fact]
    public void The_rules_find_what_is_planted()
    {
        var planted = new SourceText(""""
            // SELECT a FROM b in a comment is nothing
            var a = "SELECT mailbox"; var b = $"SELECT {Columns("x")} FROM message WHERE {1}";
            var c = @"INSERT INTO t ""q"" VALUES"; char d = '"'; /* async void */ async void E() { try { } catch (X y) when (y is { } z && F(G())) { } }
            var e = $$"""{"a": {{f.GetAwaiter().GetResult()}} }""";
            """" + "\n");
        Assert.Equal([2, 3], planted.Strings.Where(s => Sql.IsMatch(s.Text)).Select(s => s.Line).Distinct());
        Assert.Single(AsyncVoid.Matches(planted.Code));
        Assert.Single(EmptyCatch.Matches(planted.Code));
        Assert.Single(BlockingAwait.Matches(planted.Code));
        Assert.Equal(2, planted.Comments.Count);
        Assert.NotNull(Forbidden(new("CbaMail.Imap", "X", "System", "DateTime", "get_UtcNow")));
        Assert.Null(Forbidden(new("CbaMail.Cli", "X", "System.Net.Http", "HttpClient", ".ctor")));
        Assert.NotNull(Forbidden(new("CbaMail.Net", "X", "System.Net.Http", "HttpClient", ".ctor")));
    }
}
