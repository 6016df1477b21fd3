using System.Collections;
using System.Globalization;
using System.Reflection;

namespace CbaMail.Config;

/// <summary>A setting as people see it.</summary>
/// <param name="Key">With dots, as in <c>api.rate</c>.</param>
/// <param name="Takes">What values it takes, in words.</param>
/// <param name="Value">As it would be written in the file; <c>***</c> for a secret; entries with keys of their own are counted.</param>
/// <param name="From">Who says so: <c>default</c>, <c>file</c> (the settings file) or <c>here</c> (<see cref="SettingsFile.Own"/>).</param>
public sealed record Setting(string Key, string Takes, string Value, string Default, string From);

/// <summary>All settings in a list: what the API and the command line show.</summary>
public static class SettingsTable
{
    static readonly string[] Secret = [nameof(HookSettings.Secret), nameof(RouteSettings.Password)];

    public static IReadOnlyList<Setting> Of(Settings settings)
    {
        var usual = new Settings { Hostname = settings.Hostname };
        var rows = new List<Setting>();
        Walk(settings, settings.Evaluation ? EvaluationProfile.Apply(usual) : usual, "");
        return rows;

        void Walk(object record, object standard, string path)
        {
            foreach (var (key, property) in SettingsFile.Keys(record.GetType()))
            {
                var (value, otherwise, name) = (property.GetValue(record), property.GetValue(standard), path + key);
                if (SettingsFile.IsRecord(property.PropertyType)) { if (value is not null) Walk(value, otherwise ?? Activator.CreateInstance(property.PropertyType)!, name + "."); }
                else rows.Add(new(name, SettingsFile.Takes(property.PropertyType), Show(property, value), Show(property, otherwise), settings.GivenBy(name)));
            }
        }
    }

    static string Show(PropertyInfo property, object? value) => Secret.Contains(property.Name) && value is string { Length: > 0 } ? "***" : Text(value);

    static string Text(object? value) => value switch
    {
        null => "",
        string text => text,
        bool yes => yes ? "yes" : "no",
        Enum word => SettingsFile.KeyName(word.ToString()),
        TimeSpan time => Times.Show(time),
        long number => Sizes.Exact(number),
        int number => Sizes.Exact(number),
        System.Net.IPNetwork network => Networks.Show(network),
        IReadOnlyDictionary<string, string> map => string.Join(", ", map.Select(pair => $"{pair.Key}: {pair.Value}")),
        IEnumerable list => Listed([.. list.Cast<object?>()]),
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    static string Listed(IReadOnlyList<object?> items) => items.Any(item => item is not null && SettingsFile.IsRecord(item.GetType())) ? $"({items.Count})" : string.Join(", ", items.Select(Text));
}
