using System.Globalization;
using System.Net;
using System.Xml;
using CbaMail.MailAuth.Dmarc;

namespace CbaMail.MailAuth.Reports;

/// <summary>
/// Reads aggregate reports of others (RFC 7489 appendix C). What real ones get wrong is let pass: a namespace or none, elements
/// missing or unknown, words in another case. A document type is refused, sizes are bounded.
/// </summary>
public static class AggregateReportReader
{
    /// <summary>Rows of one report.</summary>
    public const int MaxRows = 100_000;

    // one record, or the head: more elements than any of them has
    const int MaxElements = 2000;
    const int MaxDepth = 16;
    const int MaxText = 4096;
    const long MaxCount = 1_000_000_000_000; // sums of them must not overflow

    sealed record Element(string Name)
    {
        public string Text { get; set; } = "";
        public List<Element> Children { get; } = [];

        public Element? Find(string name) => Children.Find(c => c.Name == name);
        public IEnumerable<Element> All(string name) => Children.Where(c => c.Name == name);
        public string Value(string name) => Find(name)?.Text ?? "";
        public string? ValueOrNull(string name) => Find(name) is { Text.Length: > 0 } found ? found.Text : null;
    }

    /// <summary>Reads a file, compressed or not; null with a sentence where it is no such report.</summary>
    public static AggregateReport? Read(ReadOnlyMemory<byte> file, out string problem)
    {
        if (!ReportContainer.TryOpen(file, ".xml", out var content, out problem)) return null;
        var settings = new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            IgnoreComments = true,
            IgnoreProcessingInstructions = true,
            MaxCharactersInDocument = ReportContainer.MaxOpen,
        };
        try
        {
            using var text = new MarkupText(new MemoryStream(content, writable: false));
            using var xml = XmlReader.Create(text, settings);
            var report = Report(xml, out problem);
            return report;
        }
        catch (InvalidDataException)
        {
            return Bad("a part of the report is too large", out problem);
        }
        catch (XmlException e)
        {
            problem = $"the report is no XML that can be read: line {e.LineNumber}";
            return null;
        }
    }

    static AggregateReport? Report(XmlReader xml, out string problem)
    {
        problem = "";
        if (xml.MoveToContent() != XmlNodeType.Element || xml.LocalName != "feedback") return Bad("the file is no DMARC report: its element is not feedback", out problem);
        Element? metadata = null, policy = null;
        var rows = new List<AggregateRow>();
        if (!xml.IsEmptyElement)
            for (xml.Read(); !xml.EOF && xml.NodeType != XmlNodeType.EndElement;)
            {
                if (xml.NodeType != XmlNodeType.Element) { xml.Read(); continue; }
                var name = xml.LocalName;
                if (name is not ("report_metadata" or "policy_published" or "record"))
                {
                    if (!Skip(xml)) return Bad("the report is nested too deep", out problem);
                    continue;
                }
                if (ReadElement(xml) is not { } element) return Bad("a part of the report is too large", out problem);
                if (name == "report_metadata") metadata ??= element;
                else if (name == "policy_published") policy ??= element;
                else if (rows.Count == MaxRows) return Bad($"the report has more than {MaxRows} records", out problem);
                else if (Row(element) is { } row) rows.Add(row);
            }
        if (metadata is null || policy is null || policy.Value("domain").Length == 0) return Bad("the report lacks report_metadata or policy_published", out problem);
        var range = metadata.Find("date_range");
        return new AggregateReport(metadata.Value("org_name"), metadata.Value("email"), metadata.Value("report_id"), Time(range?.Value("begin")), Time(range?.Value("end")), Policy(policy), rows)
        {
            ExtraContact = metadata.ValueOrNull("extra_contact_info"),
            Errors = [.. metadata.All("error").Select(e => e.Text)],
        };
    }

    static AggregateReport? Bad(string sentence, out string problem)
    {
        problem = sentence;
        return null;
    }

    /// <summary>Steps over the element at the reader; false where it is too deep: the reader of XML keeps every one that is open.</summary>
    static bool Skip(XmlReader xml)
    {
        var depth = xml.Depth;
        if (!xml.IsEmptyElement)
            while (xml.Read() && xml.Depth > depth)
                if (xml.Depth > MaxDepth) return false;
        xml.Read();
        return true;
    }

    /// <summary>The element at the reader with all below it, the reader behind it; null where it is too large or deep.</summary>
    static Element? ReadElement(XmlReader xml)
    {
        var open = new Stack<Element>();
        var left = MaxElements;
        while (true)
        {
            switch (xml.NodeType)
            {
                case XmlNodeType.Element:
                    if (--left < 0 || open.Count == MaxDepth) return null;
                    var element = new Element(xml.LocalName);
                    if (open.TryPeek(out var parent)) parent.Children.Add(element);
                    if (!xml.IsEmptyElement) open.Push(element);
                    else if (open.Count == 0) { xml.Read(); return element; }
                    break;
                case XmlNodeType.Text or XmlNodeType.CDATA:
                    if (open.TryPeek(out var owner) && owner.Text.Length < MaxText)
                    {
                        var text = owner.Text + xml.Value.Trim();
                        owner.Text = text.Length > MaxText ? text[..MaxText] : text;
                    }
                    break;
                case XmlNodeType.EndElement:
                    var closed = open.Pop();
                    if (open.Count == 0) { xml.Read(); return closed; }
                    break;
            }
            if (!xml.Read()) return null;
        }
    }

    static DateTimeOffset Time(string? text) =>
        // some write a fraction
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds < 1e11
            ? DateTimeOffset.FromUnixTimeSeconds((long)seconds) : DateTimeOffset.UnixEpoch;

    static PublishedPolicy Policy(Element policy)
    {
        var p = Disposition(policy.Value("p"));
        return new PublishedPolicy(policy.Value("domain"), p, policy.ValueOrNull("sp") is { } sp ? Disposition(sp) : p,
            int.TryParse(policy.Value("pct"), NumberStyles.None, CultureInfo.InvariantCulture, out var percent) ? percent : 100)
        {
            StrictDkim = policy.Value("adkim") is "s" or "S",
            StrictSpf = policy.Value("aspf") is "s" or "S",
            FailureOptions = policy.ValueOrNull("fo") ?? "0",
        };
    }

    static AggregateRow? Row(Element record)
    {
        if (record.Find("row") is not { } row) return null;
        var evaluated = row.Find("policy_evaluated");
        var identifiers = record.Find("identifiers") ?? record.Find("identities"); // so in early drafts
        var results = record.Find("auth_results");
        return new AggregateRow(
            IPAddress.TryParse(row.Value("source_ip"), out var source) ? source : null,
            long.TryParse(row.Value("count"), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? Math.Min(count, MaxCount) : 0,
            Disposition(evaluated?.Value("disposition") ?? ""), IsPass(evaluated, "dkim"), IsPass(evaluated, "spf"), identifiers?.Value("header_from") ?? "")
        {
            Reasons = [.. (evaluated?.All("reason") ?? []).Select(r => new OverrideReason(r.Value("type"), r.ValueOrNull("comment")))],
            EnvelopeTo = identifiers?.ValueOrNull("envelope_to"),
            EnvelopeFrom = identifiers?.Value("envelope_from") ?? "",
            Dkim = [.. (results?.All("dkim") ?? []).Select(d => new ReportedDkim(d.Value("domain"), d.ValueOrNull("selector"), Result(d.Value("result")), d.ValueOrNull("human_result")))],
            Spf = [.. (results?.All("spf") ?? []).Select(s => new ReportedSpf(s.Value("domain"), Result(s.Value("result")), s.Value("scope").Equals("helo", StringComparison.OrdinalIgnoreCase)))],
        };
    }

    static bool IsPass(Element? evaluated, string method) => evaluated?.Value(method).Equals("pass", StringComparison.OrdinalIgnoreCase) == true;

    static DmarcPolicy Disposition(string word) => word.ToLowerInvariant() switch { "reject" => DmarcPolicy.Reject, "quarantine" => DmarcPolicy.Quarantine, _ => DmarcPolicy.None };

    // RFC 7489 appendix C: "unknown" and "error" of older writers
    static AuthResult Result(string word) => AuthResults.TryParse(word, out var result) ? result : word.ToLowerInvariant() switch
    {
        "unknown" => AuthResult.TempError,
        "error" => AuthResult.PermError,
        _ => AuthResult.None,
    };
}
