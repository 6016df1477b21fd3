using System.Globalization;
using System.Text;
using CbaMail.Text;

namespace CbaMail.MailAuth.Dmarc;

/// <summary>
/// Which names are registries and which belong to somebody: the public suffix list, by which DMARC finds organizational domains
/// (RFC 7489 3.2, A.6.1). Rules of both sections count, for a customer of a hoster is not the hoster. The list lies in memory as
/// its sorted names and an index, some 200 KB; a look-up allocates nothing.
/// </summary>
public sealed class PublicSuffixList
{
    /// <summary>A list that is shorter is cut off, or is none.</summary>
    public const int LeastRules = 1000;

    const int MaxBytes = 16 << 20;
    const int MaxName = 253;

    [Flags]
    enum Kind : byte { None = 0, Suffix = 1, Wildcard = 2, Exception = 4 }

    static readonly Lazy<PublicSuffixList> FromResource = new(ReadResource);
    static PublicSuffixList? inUse;

    readonly byte[] names;
    readonly int[] starts;
    readonly Kind[] kinds;
    readonly int maxLabels;

    /// <summary>The list that this program came with.</summary>
    public static PublicSuffixList Shipped => FromResource.Value;

    /// <summary>The list that this process goes by: the shipped one, or a newer one that was given to <see cref="Use"/>.</summary>
    public static PublicSuffixList InUse => Volatile.Read(ref inUse) ?? Shipped;

    /// <summary>Goes by another list from now on; null for the shipped one. What is being looked up ends with the list it began with.</summary>
    public static void Use(PublicSuffixList? list) => Volatile.Write(ref inUse, list);

    /// <summary>Rules, one for each line of the list.</summary>
    public int Rules { get; }

    /// <summary>The day that its VERSION line names; null where it has none (lists before 2024).</summary>
    public DateOnly? Date { get; private init; }

    /// <summary>Bytes that the list holds in memory.</summary>
    public int Size => names.Length + starts.Length * sizeof(int) + kinds.Length;

    PublicSuffixList(SortedDictionary<string, Kind> rules, int count)
    {
        Rules = count;
        names = new byte[rules.Keys.Sum(name => name.Length)];
        starts = new int[rules.Count + 1];
        kinds = new Kind[rules.Count];
        var (at, index) = (0, 0);
        foreach (var (name, kind) in rules)
        {
            starts[index] = at;
            kinds[index++] = kind;
            at += Encoding.ASCII.GetBytes(name, names.AsSpan(at));
            maxLabels = Math.Max(maxLabels, name.AsSpan().Count('.') + 1);
        }
        starts[index] = at;
    }

    static PublicSuffixList ReadResource()
    {
        using var stream = typeof(PublicSuffixList).Assembly.GetManifestResourceStream("public-suffixes.txt")!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return TryParse(bytes, out var list, out var problem) ? list : throw new InvalidOperationException(problem);
    }

    /// <summary>Reads a list in the form of publicsuffix.org: one rule a line in UTF-8, comments behind "//".</summary>
    /// <param name="problem">A sentence that says what to do, where this is no list.</param>
    public static bool TryParse(ReadOnlySpan<byte> utf8, out PublicSuffixList list, out string problem)
    {
        list = null!;
        problem = "this is no public suffix list: fetch public_suffix_list.dat from publicsuffix.org";
        if (utf8.Length > MaxBytes) return false;
        var rules = new SortedDictionary<string, Kind>(StringComparer.Ordinal);
        var (count, unreadable) = (0, 0);
        DateOnly? date = null;
        foreach (var range in utf8.Split((byte)'\n'))
        {
            var line = LineFolding.Trim(utf8[range]);
            if (line.IsEmpty) continue;
            if (line.StartsWith("//"u8)) { date ??= DateOf(line); continue; }
            // a rule ends at white space
            if (line.IndexOfAny((byte)' ', (byte)'\t') is > 0 and var space) line = line[..space];
            if (!TryRule(Encoding.UTF8.GetString(line), out var name, out var kind)) { unreadable++; continue; }
            rules[name] = rules.GetValueOrDefault(name) | kind;
            count++;
        }
        if (count < LeastRules || unreadable > count / 100) return false;
        list = new PublicSuffixList(rules, count) { Date = date };
        problem = "";
        return true;
    }

    /// <summary>
    /// Reads a list that is to take the place of the shipped one. A list that was cut off, that says what no list says or that is older would make
    /// strangers of one organization or one organization of strangers, so it is refused.
    /// </summary>
    /// <param name="problem">A sentence that says what to do, where it is not taken.</param>
    public static bool TryReplacement(ReadOnlySpan<byte> utf8, out PublicSuffixList list, out string problem)
    {
        if (!TryParse(utf8, out list, out problem)) return false;
        // both stand in the original, comments and all; a list that somebody has stripped has neither
        if (utf8.IndexOf("===BEGIN ICANN DOMAINS==="u8) >= 0 && utf8.IndexOf("===END PRIVATE DOMAINS==="u8) < 0)
            problem = "the list was cut off, its last section has no end: fetch it again";
        else if (list.Rules < Shipped.Rules / 4 * 3)
            problem = $"the list has {list.Rules} rules where the one that came with this release has {Shipped.Rules}: a part of it is missing, fetch it again";
        else if (list.Suffix("www.example.com") is not "com" || list.Suffix("www.example.co.uk") is not "co.uk" || list.Suffix("mail.example.ru") is not "ru" || list.Suffix("a.b.ck") is not "b.ck")
            problem = "the list does not say of com, co.uk, ru and *.ck what every public suffix list does: fetch it again from publicsuffix.org";
        else if (list.Date is { } date && Shipped.Date is { } own && date < own)
            problem = $"the list is of {date:yyyy-MM-dd} and the one that came with this release of {own:yyyy-MM-dd}: take the old one away, or fetch a newer one";
        return problem.Length == 0;
    }

    // "// VERSION: 2025-01-31_11-22-33_UTC", some lines from the top
    static DateOnly? DateOf(ReadOnlySpan<byte> comment)
    {
        var text = LineFolding.Trim(comment[2..]);
        if (!text.StartsWith("VERSION:"u8)) return null;
        text = LineFolding.Trim(text["VERSION:"u8.Length..]);
        return text.Length >= 10 && DateOnly.TryParseExact(Encoding.ASCII.GetString(text[..10]), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date) ? date : null;
    }

    static bool TryRule(string rule, out string name, out Kind kind)
    {
        kind = rule.StartsWith("*.", StringComparison.Ordinal) ? Kind.Wildcard : rule.StartsWith('!') ? Kind.Exception : Kind.Suffix;
        name = kind switch { Kind.Wildcard => rule[2..], Kind.Exception => rule[1..], _ => rule };
        // names are looked up as A-labels
        if (!Idna.TryToAscii(name, out name) || name.Length is 0 or > MaxName || name.Contains('*') || name.StartsWith('.')) return false;
        name = name.ToLowerInvariant();
        return true;
    }

    Kind Find(ReadOnlySpan<char> name)
    {
        var (low, high) = (0, kinds.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            var order = Compare(names.AsSpan(starts[middle], starts[middle + 1] - starts[middle]), name);
            if (order == 0) return kinds[middle];
            if (order < 0) low = middle + 1;
            else high = middle - 1;
        }
        return Kind.None;
    }

    static int Compare(ReadOnlySpan<byte> rule, ReadOnlySpan<char> name)
    {
        var common = Math.Min(rule.Length, name.Length);
        for (var i = 0; i < common; i++)
        {
            int c = name[i];
            if (c is >= 'A' and <= 'Z') c += 'a' - 'A';
            if (rule[i] != c) return rule[i] - c;
        }
        return rule.Length - name.Length;
    }

    /// <summary>The part of a domain under which names are registered: "co.uk" of "a.b.example.co.uk". One label where no rule speaks of it.</summary>
    /// <param name="domain">A-labels in any case, without a final dot.</param>
    public ReadOnlySpan<char> Suffix(ReadOnlySpan<char> domain) => Last(domain, SuffixLabels(domain));

    /// <summary>
    /// The organizational domain (RFC 7489 3.2): the suffix and one label more, or the domain itself where it has no more.
    /// </summary>
    public ReadOnlySpan<char> OrganizationalDomain(ReadOnlySpan<char> domain) => Last(domain, SuffixLabels(domain) + 1);

    /// <inheritdoc cref="OrganizationalDomain(ReadOnlySpan{char})"/>
    public string OrganizationalDomain(string domain)
    {
        var organizational = OrganizationalDomain(domain.AsSpan());
        return organizational.Length == domain.Length ? domain : organizational.ToString();
    }

    /// <summary>Whether two domains are of one organization (RFC 7489 3.1.1).</summary>
    public bool AreOfOneOrganization(ReadOnlySpan<char> a, ReadOnlySpan<char> b) =>
        OrganizationalDomain(a).Equals(OrganizationalDomain(b), StringComparison.OrdinalIgnoreCase);

    int SuffixLabels(ReadOnlySpan<char> domain)
    {
        // the longest rule counts, an exception before all; what no rule names is under the rule "*"
        var suffix = 1;
        var start = domain.Length;
        for (var labels = 1; labels <= maxLabels && start > 0; labels++)
        {
            start = domain[..(start - (labels == 1 ? 0 : 1))].LastIndexOf('.') + 1;
            var kind = Find(domain[start..]);
            if ((kind & Kind.Exception) != 0) return labels - 1;
            if ((kind & Kind.Suffix) != 0) suffix = Math.Max(suffix, labels);
            if ((kind & Kind.Wildcard) != 0 && start > 0) suffix = Math.Max(suffix, labels + 1);
        }
        return suffix;
    }

    static ReadOnlySpan<char> Last(ReadOnlySpan<char> domain, int labels)
    {
        var start = domain.Length;
        while (labels-- > 0 && start > 0)
        {
            var dot = domain[..(start - (start == domain.Length ? 0 : 1))].LastIndexOf('.');
            if (dot < 0) return domain;
            start = dot + 1;
        }
        return domain[start..];
    }
}
