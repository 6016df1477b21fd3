using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using CbaMail.Config;

namespace CbaMail.Tests.House;

/// <summary>Writes docs/en/settings.md from the documented records of Config: the text is the documentation that stands at each property.</summary>
internal sealed partial class SettingsReference
{
    private readonly Dictionary<string, XElement> documented;
    private readonly StringBuilder page = new();
    private readonly List<string> gaps = [];

    private SettingsReference(Assembly assembly) =>
        documented = XDocument.Load(Path.ChangeExtension(assembly.Location, ".xml")).Descendants("member").ToDictionary(member => member.Attribute("name")!.Value, StringComparer.Ordinal);

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space { get; }

    /// <summary>The page, and the keys that do not say what they are or what stands without them.</summary>
    public static (string Page, IReadOnlyList<string> Gaps) Write()
    {
        var reference = new SettingsReference(typeof(Settings).Assembly);
        reference.Whole();
        return (reference.page.ToString(), reference.gaps);
    }

    private void Whole()
    {
        page.Append("""
            # Settings

            Every key of the settings file (`cbamail serve --config FILE`, YAML), with its default. A key that is unknown or a value that is not right ends the start with file, line and a sentence; nothing becomes a default by a typing error. Other pages tell how keys work together: [administration](administration.md), [receiving](receiving.md), [authentication](authentication.md), [sending](sending.md), [queue and bounces](queue-and-bounces.md), [filters](filters.md), [certificates](certificates.md), [DNS](dns.md), [reports](reports.md).

            Times are written as in `30s`, `5m`, `2h`, `1d`; sizes as in `500M`; rates as in `100/1h` or `off`. Where a default differs in the evaluation profile (`--evaluation`) the text says so; a key that stands in the file counts there all the same.

            This page is made from the program's source; a test keeps it so.

            ## At the top

            """);
        page.Append('\n');
        var top = SettingsFile.Keys(typeof(Settings));
        foreach (var (key, property) in top.Where(pair => !IsSection(pair.Value))) Key(key, key, property, new Settings());
        Key("listeners", "listeners", typeof(Settings).GetProperty(nameof(Settings.Listeners))!, new Settings());
        foreach (var (key, property) in top.Where(pair => SettingsFile.IsRecord(pair.Value.PropertyType)).OrderBy(pair => pair.Key, StringComparer.Ordinal)) Section(key, property.PropertyType, key + ".", 2);
        foreach (var (key, property) in top.Where(pair => ElementOf(pair.Value.PropertyType) is { } element && SettingsFile.IsRecord(element)).OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            Heading(key, Summary("P", typeof(Settings), property.Name), 2);
            Keys(ElementOf(property.PropertyType)!, "", 3);
        }
    }

    private static bool IsSection(PropertyInfo property) =>
        SettingsFile.IsRecord(property.PropertyType) || (ElementOf(property.PropertyType) is { } element && SettingsFile.IsRecord(element));

    private static Type? ElementOf(Type type) =>
        type != typeof(string) && typeof(IEnumerable).IsAssignableFrom(type) ? type.IsArray ? type.GetElementType() : type.GetGenericArguments()[0] : null;

    private void Heading(string title, string text, int level) =>
        page.Append('\n').Append('#', level).Append(CultureInfo.InvariantCulture, $" {title}\n").Append(text).Append(text.Length > 0 ? "\n\n" : "\n");

    private void Section(string title, Type record, string path, int level)
    {
        Heading(title, Summary("T", record, null), level);
        Keys(record, path, level + 1);
    }

    private void Keys(Type record, string path, int level)
    {
        var keys = SettingsFile.Keys(record);
        var defaults = Activator.CreateInstance(record)!;
        foreach (var (key, property) in keys.Where(pair => !IsSection(pair.Value))) Key(key, path + key, property, defaults);
        foreach (var (key, property) in keys.Where(pair => SettingsFile.IsRecord(pair.Value.PropertyType))) Section(path + key, property.PropertyType, path + key + ".", level);
        foreach (var (key, property) in keys.Where(pair => ElementOf(pair.Value.PropertyType) is { } element && SettingsFile.IsRecord(element)))
        {
            Heading($"{path}{key}: a list, of each entry", Summary("P", record, property.Name), level);
            Keys(ElementOf(property.PropertyType)!, "", level + 1);
        }
    }

    private void Key(string key, string path, PropertyInfo property, object defaults)
    {
        var text = Summary("P", property.DeclaringType!, property.Name);
        var type = ElementOf(property.PropertyType) ?? Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        var words = property.PropertyType == typeof(IReadOnlyDictionary<string, string>) ? "lines of the form name: value" : SettingsFile.IsRecord(type) ? "a protocol a line" : ElementOf(property.PropertyType) is null ? SettingsFile.Expected(type) : "a list; each " + SettingsFile.Expected(type);
        page.Append(CultureInfo.InvariantCulture, $"- **`{key}`** ({words}). {text}\n");
        if (text.Length == 0) gaps.Add($"{path} is not documented");
        else if (!text.Contains("Default", StringComparison.Ordinal) && !text.Contains("Required", StringComparison.Ordinal)) gaps.Add($"{path} does not say its default");
        else if (!SaysRight(text, property.GetValue(defaults))) gaps.Add($"{path}: its documentation and its default differ: {text}");
        if (type.IsEnum)
            foreach (var word in Enum.GetNames(type))
                if (Summary("F", type, word) is { Length: > 0 } meaning) page.Append(CultureInfo.InvariantCulture, $"  - `{SettingsFile.KeyName(word)}`: {meaning}\n");
    }

    /// <summary>Where the text names a plain number, yes or no, it is the one in the code.</summary>
    private static bool SaysRight(string text, object? value)
    {
        var match = Defaults.Match(text);
        if (!match.Success) return true;
        var said = match.Groups[1].Value.Replace(",", "", StringComparison.Ordinal).TrimEnd('.', ';');
        return value switch
        {
            bool yes when said is "yes" or "no" or "true" or "false" => yes == said is "yes" or "true",
            int number when int.TryParse(said, out var stated) && match.Groups[2].Length == 0 => number == stated,
            TimeSpan time when int.TryParse(said, out var stated) => Unit(match.Groups[2].Value) is not { } unit || time == stated * unit,
            _ => true,
        };
    }

    [GeneratedRegex(@"Default:? ([\w,]+)[ -]?(seconds?|minutes?|hours?|days?|ms|s|M|KB|MB|K|G|GB|/)?")]
    private static partial Regex Defaults { get; }

    private static TimeSpan? Unit(string word) => word.TrimEnd('s') switch
    {
        "second" => TimeSpan.FromSeconds(1),
        "minute" => TimeSpan.FromMinutes(1),
        "hour" => TimeSpan.FromHours(1),
        "day" => TimeSpan.FromDays(1),
        _ => null,
    };

    private string Summary(string kind, Type type, string? member)
    {
        var name = $"{kind}:{type.FullName!.Replace('+', '.')}{(member is null ? "" : "." + member)}";
        if (!documented.TryGetValue(name, out var element) || element.Element("summary") is not { } summary) return "";
        var text = new StringBuilder();
        foreach (var node in summary.Nodes())
            text.Append(node switch
            {
                XText plain => plain.Value,
                XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
                XElement { Name.LocalName: "see" or "paramref" } see => $"`{Word(see)}`",
                XElement { Name.LocalName: "para" } paragraph => " " + paragraph.Value,
                XElement other => other.Value,
                _ => "",
            });
        return Space.Replace(text.ToString(), " ").Trim().Replace("*", "\\*", StringComparison.Ordinal).Replace("`\\*", "`*", StringComparison.Ordinal);
    }

    // "P:CbaMail.Config.BanSettings.Within" is the key within, "T:CbaMail.Config.QueueSettings" the section queue
    private static string Word(XElement see)
    {
        var cref = see.Attribute("cref")?.Value ?? see.Attribute("name")?.Value ?? see.Attribute("langword")?.Value ?? "";
        var last = cref[(cref.LastIndexOf('.') + 1)..];
        return SettingsFile.KeyName(cref.StartsWith("T:", StringComparison.Ordinal) && last.EndsWith("Settings", StringComparison.Ordinal) ? last[..^"Settings".Length] : last);
    }
}
