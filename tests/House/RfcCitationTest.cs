using System.Text.RegularExpressions;
using Xunit;

namespace CbaMail.Tests.House;

/// <summary>
/// Behaviour cites its section ("RFC 9051 6.4.8") so that a stranger can audit it. This test holds the citations to the
/// ledger docs/rfc.txt and to the section numbers in rfc-sections.txt (which make-rfc-sections writes from the texts).
/// </summary>
public partial class RfcCitationTest
{
    private static readonly string[] ProtocolRooms =
        ["src/Formats/Mime/", "src/Formats/Dns/", "src/Formats/Envelope/", "src/Server/Smtp/", "src/Server/Imap/", "src/Server/Sasl/"];

    [GeneratedRegex(@"RFC[ -]?(?<number>\d{3,5})(?!\d)(?:,? (?:section |sections |appendix |§ ?)?(?<sections>(?:\d+|[A-Z])(?:\.\d+)+(?:(?:, | and | or )(?:\d+|[A-Z])(?:\.\d+)+(?![\w]))*)| (?<lone>\d{1,2})(?=[,:;)]|\. |\.$|$))?", RegexOptions.Multiline)]
    private static partial Regex Citation { get; }

    private static Dictionary<string, (string State, string[] Rooms)> Ledger() =>
        Repository.Entries("docs/rfc.txt").ToDictionary(
            l => l.Split(' ')[0],
            l => (l.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], l.Split('|')[1].Split(' ', StringSplitOptions.RemoveEmptyEntries)));

    private static Dictionary<string, HashSet<string>> Sections() =>
        Repository.Entries("tests/House/rfc-sections.txt").Select(l => l.Split(": ")).ToDictionary(p => p[0], p => p[1].Split(' ').ToHashSet());

    private static IEnumerable<(string Where, string Number, string[] Sections)> CitationsIn(string file, string text)
    {
        foreach (var comment in new SourceText(text).Comments)
            foreach (Match m in Citation.Matches(comment.Text))
            {
                var line = comment.Line + comment.Text.AsSpan(0, m.Index).Count('\n');
                var sections = m.Groups["lone"].Success ? [m.Groups["lone"].Value]
                    : m.Groups["sections"].Success ? SectionNumber.Matches(m.Groups["sections"].Value).Select(s => s.Value).ToArray() : [];
                yield return ($"{file}:{line}", m.Groups["number"].Value, sections);
            }
    }

    [GeneratedRegex(@"(?:\d+|[A-Z])(?:\.\d+)+")]
    private static partial Regex SectionNumber { get; }

    private static IEnumerable<string> Breaches(IEnumerable<(string Where, string Number, string[] Sections)> citations)
    {
        var (ledger, known) = (Ledger(), Sections());
        foreach (var (where, number, sections) in citations)
        {
            if (!ledger.ContainsKey(number)) yield return $"{where}: RFC {number} does not stand in docs/rfc.txt";
            else if (!known.TryGetValue(number, out var all)) yield return $"{where}: RFC {number} does not stand in rfc-sections.txt: run make-rfc-sections";
            else if (!all.Contains("*"))
                foreach (var section in sections.Where(s => !all.Contains(s)))
                    yield return $"{where}: RFC {number} has no section {section}";
        }
    }

    [Fact]
    public void Every_cited_rfc_and_section_exists() =>
        Breach.None(Breaches(Repository.CSharp("src").SelectMany(f => CitationsIn(f, Repository.Read(f)))));

    [Fact]
    public void The_ledger_is_well_formed()
    {
        var order = new RoomOrder(Repository.Lines("docs/layers.txt"), "CbaMail");
        foreach (var (number, (state, rooms)) in Ledger())
        {
            Assert.Matches(@"^\d{3,5}$", number);
            Assert.Contains(state, new[] { "yes", "partial", "no" });
            Assert.NotEmpty(rooms);
            Assert.All(rooms, r => Assert.Contains(r, order.Rooms));
        }
        Breach.None(Ledger().Keys.Except(Sections().Keys));
    }

    [Fact]
    public void Protocol_rooms_cite_ten_times_in_a_thousand_lines()
    {
        List<string> thin = [];
        foreach (var room in ProtocolRooms)
        {
            var files = Repository.CSharp("src").Where(f => f.StartsWith(room, StringComparison.Ordinal)).ToList();
            var lines = files.Sum(f => Repository.Lines(f).Length);
            var citations = files.Sum(f => CitationsIn(f, Repository.Read(f)).Count());
            if (lines > 500 && citations * 100 < lines) thin.Add($"{room}: {citations} citations in {lines} lines");
        }
        Breach.None(thin);
    }

    [Fact]
    public void A_planted_wrong_citation_is_found()
    {
        var planted = CitationsIn("x.cs", """
            // RFC 9051 6.4.8, 6.4.99 and RFC 99999 1.1
            var a = "RFC 9051 77.1 in a string is nothing"; // RFC 5321 4.5.3.1.1: a local part
            /* RFC 3501
               RFC 5322 2 header fields; RFC 7888 99. */
            """).ToList();
        Assert.Equal(
        [
            "x.cs:1: RFC 9051 has no section 6.4.99", "x.cs:1: RFC 99999 does not stand in docs/rfc.txt",
            "x.cs:4: RFC 7888 has no section 99",
        ], Breaches(planted));
        Assert.Equal(6, planted.Count);
    }
}
