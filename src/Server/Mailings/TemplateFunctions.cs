using System.Globalization;

namespace CbaMail.Mailings;

/// <summary>A helper of the template language.</summary>
/// <param name="Least">Fewest arguments.</param>
/// <param name="Most">Most arguments.</param>
/// <param name="Requires">Whether an empty field as this argument is a mistake of the person.</param>
/// <param name="Usage">As shown in errors and in the guide.</param>
sealed record TemplateFunction(string Name, int Least, int Most, Func<int, bool> Requires, Func<MergeData, object?[], object?> Run, string Usage);

/// <summary>The helpers, a row each.</summary>
static class TemplateFunctions
{
    public static readonly IReadOnlyList<TemplateFunction> All =
    [
        new("default", 2, 8, _ => false, (_, a) => a.FirstOrDefault(v => !TemplateValue.IsEmpty(v)) ?? "", "{{default field \"instead\"}}"),
        Text("upper", text => text.ToUpperInvariant()),
        Text("lower", text => text.ToLowerInvariant()),
        Text("capitalize", text => text.Length > 0 ? char.ToUpperInvariant(text[0]) + text[1..] : ""),
        Text("trim", text => text.Trim()),
        Text("urlencode", Uri.EscapeDataString),
        new("replace", 3, 3, i => i == 0, (d, a) => Say(d, a[1]) is { Length: > 0 } old ? Say(d, a[0]).Replace(old, Say(d, a[2]), StringComparison.Ordinal) : Say(d, a[0]), "{{replace field \"old\" \"new\"}}"),
        new("concat", 1, 16, _ => false, (d, a) => string.Concat(a.Select(one => Say(d, one))), "{{concat field \" \" other}}"),
        new("plural", 3, 4, i => i == 0, Plural, "{{plural days \"день\" \"дня\" \"дней\"}}"),
        new("number", 1, 2, i => i == 0, (d, a) => TemplateValue.Number(a[0]) is { } number ? TemplateWords.Number(number, a.Length > 1 && TemplateValue.Number(a[1]) is { } digits ? Math.Clamp((int)digits, 0, 6) : null, d.Language) : a[0], "{{number field 2}}"),
        new("date", 1, 2, i => i == 0, Date, "{{date field \"d MMMM, dddd\"}}"),
        new("time", 1, 1, i => i == 0, (d, a) => Date(d, [a[0], "time"]), "{{time field}}"),
        new("relative", 1, 1, i => i == 0, (d, a) => TemplateDate.Parse(Say(d, a[0]), d) is { } moment ? TemplateDate.Relative(moment, d) : a[0], "{{relative field}}"),
        new("list", 1, 16, i => i == 0, (d, a) => TemplateWords.List(Texts(d, a.Length == 1 ? TemplateValue.List(a[0]) : a), d.Language), "{{list field}}"),
        new("join", 2, 2, i => i == 0, (d, a) => string.Join(Say(d, a[1]), Texts(d, TemplateValue.List(a[0]))), "{{join field \", \"}}"),
        new("split", 2, 2, i => i == 0, (d, a) => Say(d, a[1]) is { Length: > 0 } sign ? (object?[])[.. Say(d, a[0]).Split(sign, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)] : TemplateValue.List(a[0]), "{{#each (split field \"/\")}}"),
        new("count", 1, 1, _ => false, (_, a) => (double)TemplateValue.List(a[0]).Count, "{{count field}}"),
        new("lookup", 2, 2, _ => false, (d, a) => TemplateValue.Member(a[0], Say(d, a[1])), "{{lookup object \"name\"}}"),
        Truth("eq", 2, (d, a) => TemplateValue.Same(a[0], a[1], d), "{{#if (eq field \"value\")}}"),
        Truth("ne", 2, (d, a) => !TemplateValue.Same(a[0], a[1], d), "{{#if (ne field \"value\")}}"),
        Truth("lt", 2, (d, a) => Orders(a) && TemplateValue.Compare(a[0], a[1], d) < 0, "{{#if (lt field 5)}}"),
        Truth("lte", 2, (d, a) => Orders(a) && TemplateValue.Compare(a[0], a[1], d) <= 0, "{{#if (lte field 5)}}"),
        Truth("gt", 2, (d, a) => Orders(a) && TemplateValue.Compare(a[0], a[1], d) > 0, "{{#if (gt field 5)}}"),
        Truth("gte", 2, (d, a) => Orders(a) && TemplateValue.Compare(a[0], a[1], d) >= 0, "{{#if (gte field 5)}}"),
        new("in", 2, 32, _ => false, (d, a) => (a.Length == 2 ? TemplateValue.List(a[1]) : a[1..]).Any(one => TemplateValue.Same(a[0], one, d)), "{{#if (in field \"A\" \"B\")}}"),
        new("and", 2, 8, _ => false, (_, a) => a.All(TemplateValue.IsTrue), "{{#if (and field other)}}"),
        new("or", 2, 8, _ => false, (_, a) => a.Any(TemplateValue.IsTrue), "{{#if (or field other)}}"),
        new("not", 1, 1, _ => false, (_, a) => !TemplateValue.IsTrue(a[0]), "{{#if (not field)}}"),
    ];

    static readonly Dictionary<string, TemplateFunction> ByName = All.ToDictionary(f => f.Name, StringComparer.Ordinal);

    public static TemplateFunction? Find(string name) => ByName.GetValueOrDefault(name);

    static TemplateFunction Text(string name, Func<string, string> change) => new(name, 1, 1, _ => true, (d, a) => change(Say(d, a[0])), $"{{{{{name} field}}}}");

    static TemplateFunction Truth(string name, int arguments, Func<MergeData, object?[], bool> holds, string usage) => new(name, arguments, arguments, _ => false, (d, a) => holds(d, a), usage);

    // what is not there is neither more nor less than anything
    static bool Orders(object?[] a) => !TemplateValue.IsEmpty(a[0]) && !TemplateValue.IsEmpty(a[1]);

    static string Say(MergeData data, object? value) => TemplateValue.Text(value, data);

    static List<string> Texts(MergeData data, IReadOnlyList<object?> values) => [.. values.Select(one => Say(data, one)).Where(one => one.Length > 0)];

    static object? Date(MergeData data, object?[] a) =>
        TemplateDate.Parse(Say(data, a[0]), data) is { } moment ? TemplateDate.Format(moment, a.Length > 1 ? Say(data, a[1]) : "", data.Language) : a[0];

    static object? Plural(MergeData data, object?[] a)
    {
        if (TemplateValue.Number(a[0]) is not { } number) return $"{Say(data, a[0])} {Say(data, a[^1])}".Trim();
        var whole = Math.Abs(number) < 1e15 && Math.Floor(number).Equals(number);
        var form = a.Length == 3 ? (Math.Abs(number).Equals(1) ? 1 : 2) : whole ? TemplateWords.RussianForm((long)Math.Abs(number)) + 1 : 2; // "1,5 дня"
        return $"{number.ToString("R", CultureInfo.InvariantCulture)} {Say(data, a[form])}";
    }
}
