using System.Globalization;

namespace CbaMail.Mailings;

/// <summary>A helper of the template language.</summary>
/// <param name="Least">Fewest arguments.</param>
/// <param name="Most">Most arguments.</param>
/// <param name="Requires">Whether an empty field as this argument is a mistake of the person.</param>
/// <param name="Usage">As shown in errors and in the guide.</param>
sealed record TemplateFunction(string Name, int Least, int Most, Func<int, bool> Requires, Func<string[], string> Run, string Usage);

/// <summary>The helpers, a row each.</summary>
static class TemplateFunctions
{
    const string True = "true";

    /// <summary>
    /// <c>{{default group "без группы"}}</c> the first of its arguments that is not empty;
    /// <c>upper</c>, <c>lower</c>, <c>trim</c>; <c>{{plural days "день" "дня" "дней"}}</c> the number with the form that fits it
    /// (two forms: English); conditions for <c>{{#if}}</c>: <c>eq</c>, <c>ne</c>, <c>and</c>, <c>or</c>, <c>not</c>.
    /// </summary>
    public static readonly IReadOnlyList<TemplateFunction> All =
    [
        new("default", 2, 8, _ => false, a => a.FirstOrDefault(v => !string.IsNullOrWhiteSpace(v)) ?? "", "{{default field \"instead\"}}"),
        new("upper", 1, 1, _ => true, a => a[0].ToUpperInvariant(), "{{upper field}}"),
        new("lower", 1, 1, _ => true, a => a[0].ToLowerInvariant(), "{{lower field}}"),
        new("trim", 1, 1, _ => true, a => a[0].Trim(), "{{trim field}}"),
        new("plural", 3, 4, i => i == 0, Plural, "{{plural days \"день\" \"дня\" \"дней\"}}"),
        new("eq", 2, 2, _ => false, a => Say(Same(a[0], a[1])), "{{#if (eq field \"value\")}}"),
        new("ne", 2, 2, _ => false, a => Say(!Same(a[0], a[1])), "{{#if (ne field \"value\")}}"),
        new("and", 2, 8, _ => false, a => Say(a.All(IsTrue)), "{{#if (and field other)}}"),
        new("or", 2, 8, _ => false, a => Say(a.Any(IsTrue)), "{{#if (or field other)}}"),
        new("not", 1, 1, _ => false, a => Say(!IsTrue(a[0])), "{{#if (not field)}}"),
    ];

    static readonly Dictionary<string, TemplateFunction> ByName = All.ToDictionary(f => f.Name, StringComparer.Ordinal);

    public static TemplateFunction? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>Empty and "false" are not true; anything else is.</summary>
    public static bool IsTrue(string value) => !string.IsNullOrWhiteSpace(value) && value is not "false";

    static string Say(bool value) => value ? True : "";

    static bool Same(string a, string b) => string.Equals(a.Trim(), b.Trim(), StringComparison.OrdinalIgnoreCase);

    static string Plural(string[] a)
    {
        if (!long.TryParse(a[0].Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)) return $"{a[0]} {a[^1]}".Trim();
        var form = a.Length == 3 ? (Math.Abs(number) == 1 ? 1 : 2) : RussianForm(Math.Abs(number));
        return $"{number.ToString(CultureInfo.InvariantCulture)} {a[form]}";
    }

    // Unicode CLDR, plural rules of Russian: one, few, many
    static int RussianForm(long number) => (number % 10, number % 100) switch
    {
        (1, not 11) => 1,
        ( >= 2 and <= 4, not (>= 12 and <= 14)) => 2,
        _ => 3,
    };
}
