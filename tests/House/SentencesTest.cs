using System.Text.RegularExpressions;
using CbaMail.Http;
using Xunit;

namespace CbaMail.Tests.House;

/// <summary>Every sentence with which the API refuses is there in Russian too (src/Server/Http/Sentences.ru.txt).</summary>
public partial class SentencesTest
{
    // whose refusals the API may answer
    private static readonly string[] Rooms =
    [
        "src/Formats/Envelope/Refusal.cs", "src/Formats/Text/CsvTable.cs", "src/Server/Storage/StoreTrouble.cs",
        .. new[] { "Http", "Admission", "Authorization", "Courses", "Directory", "Lists", "Mailings", "Mailboxes", "Queue", "Reports", "Resources", "Backup", "Sasl", "Submission", "Tls", "Webhooks" }.Select(room => $"src/Server/{room}/"),
    ];

    [GeneratedRegex(@"\{\d+\}")]
    private static partial Regex Gap { get; }

    private static List<SentencePatterns.Found> All()
    {
        var constants = SentencePatterns.Constants(Repository.CSharp("src"));
        return [.. Repository.CSharp("src").SelectMany(file => SentencePatterns.In(file, Repository.Read(file), constants))];
    }

    // CsvTable knows no refusals: what it says is told again as it is, and only what has no gaps can be found in the catalogue
    private static bool IsOfTheApi(SentencePatterns.Found found) => Rooms.Any(room => found.Where.StartsWith(room, StringComparison.Ordinal))
        && !(found.Where.StartsWith("src/Formats/Text/", StringComparison.Ordinal) && Gap.IsMatch(found.Pattern));

    [Fact]
    public void Every_sentence_of_the_api_has_its_translation()
    {
        var known = Sentences.Read().Select(pair => pair.English).ToHashSet(StringComparer.Ordinal);
        Breach.None(All().Where(found => IsOfTheApi(found) && Gap.Replace(found.Pattern, "").Any(char.IsLetter) && !known.Contains(found.Pattern)).Select(found => $"{found.Where}: {found.Pattern}"));
    }

    [Fact]
    public void Every_sentence_of_the_api_keeps_its_pattern() =>
        Breach.None(All().Where(found => IsOfTheApi(found) && found.Lost is not null).Select(found => $"{found.Where}: \"{found.Pattern}\" {found.Lost}"));

    [Fact]
    public void Every_translation_is_of_a_sentence_that_is_said()
    {
        var said = All().Select(found => found.Pattern).ToHashSet(StringComparer.Ordinal);
        Breach.None(Sentences.Read().Select(pair => pair.English).Where(english => !said.Contains(english)));
        Breach.None(Sentences.Read().GroupBy(pair => pair.English).Where(group => group.Count() > 1).Select(group => $"twice: {group.Key}"));
    }

    [Fact]
    public void A_translation_has_the_parts_of_its_sentence() =>
        Breach.None(Sentences.Read().Where(pair => !Gaps(pair.English).SetEquals(Gaps(pair.Russian)) || !pair.Russian.Any(letter => letter is >= 'а' and <= 'я'))
            .Select(pair => $"{pair.English} -> {pair.Russian}"));

    private static HashSet<string> Gaps(string pattern) => [.. Gap.Matches(pattern).Select(match => match.Value)];

    [Fact]
    public void Planted_sentences_are_found_with_their_patterns()
    {
        var found = SentencePatterns.In("x.cs", """
            return Refusal.Invalid.Because($"The \"{name[..Math.Min(2, 3)]}\" of {Show(all, c => c is '}' ? "}" : "b")} is {{odd}}").At("name");
            await context.RefuseAsync(404, "Nothing is here");
            return Refusal.Invalid.Because(few ? "Few" : $"There are {many}");
            return Refusal.Invalid.Because("It says " + what);
            return Refusal.Invalid.Because($"The header {Proof.Header} is missing");
            """, new HashSet<string> { "Proof.Header" }).ToList();
        Assert.Equal(["The \"{0}\" of {1} is {{odd}}", "Nothing is here", "Few", "There are {0}", "It says ", "The header {0} is missing"], found.Select(one => one.Pattern));
        Assert.Equal([false, false, false, true, true, true], found.Select(one => one.Lost is not null));
        Assert.Equal("x.cs:3", found[3].Where);
    }
}
