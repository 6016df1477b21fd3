using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/settings: what the settings are, and those that are set here instead of in the settings file.</summary>
static class SettingsApi
{
    const int MostAtOnce = 100;

    /// <param name="From">default, file or here.</param>
    /// <param name="Next">What it will be after the next start, where that is something else.</param>
    sealed record SettingView(string Key, string Takes, string Value, string Default, string From, string? Next);

    /// <param name="Restart">The server has to be started again before they count.</param>
    sealed record SettingsChanged(IReadOnlyList<SettingView> Settings, bool Restart);

    static readonly SemaphoreSlim changing = new(1);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/settings", Permissions.SettingsRead, About.Server, "All settings: what they are, by default, and after the next start", ListAsync) { IsList = true, Query = ["search", "changed"], Gives = typeof(SettingView) },
        new("PATCH", "/settings", Permissions.SettingsWrite, About.Server, "Set some, by their keys: {\"api.rate\": \"600/m\", \"queue.hold\": null}; null takes one back. They count from the next start on", Requests.With<JsonObject>(SetAsync)) { Takes = typeof(JsonObject), Gives = typeof(SettingsChanged) },
    ];

    static string OwnFile(HttpContext context) => Path.Combine(context.Room<Store>().Path, SettingsFile.Own);

    static string Own(HttpContext context) => OwnFile(context) is var file && File.Exists(file) ? File.ReadAllText(file) : "";

    static List<SettingView> All(HttpContext context)
    {
        var running = context.Room<Settings>();
        var (next, _) = OwnSettings.Next(running, Own(context));
        var later = next.ToDictionary(row => row.Key, row => row.Value);
        return [.. SettingsTable.Of(running).Select(row => new SettingView(row.Key, row.Takes, row.Value, row.Default, row.From, later.TryGetValue(row.Key, out var value) && value != row.Value ? value : null)).OrderBy(row => row.Key, StringComparer.Ordinal)];
    }

    static Task ListAsync(HttpContext context)
    {
        var (search, changed) = (context.Asked("search"), context.Asked("changed") == "true");
        return context.ListAsync(All(context).Where(row => (search is null || row.Key.Contains(search, StringComparison.OrdinalIgnoreCase)) && (!changed || row.From != "default" || row.Next is not null)),
            row => row.Key, row => row);
    }

    static async Task SetAsync(HttpContext context, JsonObject wanted)
    {
        var changes = new Dictionary<string, IReadOnlyList<string>?>(StringComparer.Ordinal);
        foreach (var (key, value) in wanted)
            if (!TryRead(value, out var texts)) { await context.RefuseAsync(Refusal.Invalid.Because($"{key} takes a text, a number, true or false, a list of those, or null").At(key)); return; }
            else changes[key] = texts;
        foreach (var (key, values) in changes)
            if (Wrong(context, key, values) is { } wrong) { await context.RefuseAsync(wrong.At(key)); return; }
        if (changes.Count is 0 or > MostAtOnce) { await context.RefuseAsync(Refusal.Invalid.Because($"Name 1 to {MostAtOnce} settings")); return; }
        await changing.WaitAsync(context.RequestAborted);
        try
        {
            var (text, problem) = OwnSettings.Change(context.Room<Settings>(), Own(context), changes);
            if (problem is not null) { await context.RefuseAsync(Refusal.Invalid.Because($"The settings cannot be so: {problem}")); return; }
            try { context.Room<Store>().Disk.Replace(OwnFile(context), Encoding.UTF8.GetBytes(text)); }
            catch (IOException e) { await context.RefuseAsync(Refusal.Unavailable.Because($"{SettingsFile.Own} cannot be written: {e.Message}")); return; }
        }
        finally
        {
            changing.Release();
        }
        var rows = All(context);
        await context.JsonAsync(new SettingsChanged([.. rows.Where(row => changes.ContainsKey(row.Key))], rows.Exists(row => row.Next is not null)));
    }

    // what can be said of one key by itself, in the caller's language; what is left, SettingsFile says of the whole
    static Refusal? Wrong(HttpContext context, string key, IReadOnlyList<string>? values)
    {
        if (context.Room<Settings>() is var running && running.InFile.Contains(key)) return Refusal.NotPossible.Because($"{key} is set by the settings file {running.File}: change it there, or take it out of there");
        if (SettingsFile.NotOwn.Contains(key.Split('.')[0])) return Refusal.Invalid.Because($"{key} can only be said by the settings file");
        if (SettingsFile.TypeOf(key) is not { } type)
        {
            var (nearest, distance) = SettingsTable.Of(running).Select(row => (row.Key, Distance: SettingsFile.Distance(key, row.Key))).MinBy(pair => pair.Distance);
            return distance <= Math.Max(1, key.Length / 3) ? Refusal.Invalid.Because($"There is no setting \"{key}\"; did you mean \"{nearest}\"?") : Refusal.Invalid.Because($"There is no setting \"{key}\"; list them with: cbamail settings list");
        }
        if (SettingsFile.IsRecord(type)) return Refusal.Invalid.Because($"{key} holds further keys; list them with: cbamail settings list {key}");
        if (values is null || type == typeof(IReadOnlyDictionary<string, string>)) return null;
        if (type != typeof(string) && typeof(System.Collections.IEnumerable).IsAssignableFrom(type))
        {
            var element = type.IsArray ? type.GetElementType()! : type.GetGenericArguments()[0];
            type = Nullable.GetUnderlyingType(element) ?? element;
            if (SettingsFile.IsRecord(type)) return Refusal.Invalid.Because($"{key} can only be said by the settings file");
        }
        else if (values.Count != 1) return Refusal.Invalid.Because($"{key} takes one value");
        return values.FirstOrDefault(value => SettingsFile.Scalar(type, value) is null) is not { } wrong ? null
            : type == typeof(bool) ? Refusal.Invalid.Because($"\"{wrong}\" is not right for {key}, which takes yes or no")
            : type.IsEnum ? Refusal.Invalid.Because($"\"{wrong}\" is not right for {key}, which takes one of {string.Join(", ", Enum.GetNames(type).Select(SettingsFile.KeyName))}")
            : type == typeof(TimeSpan) ? Refusal.Invalid.Because($"\"{wrong}\" is not right for {key}, which takes a time such as 30s, 5m, 2h or 1d")
            : type == typeof(long) ? Refusal.Invalid.Because($"\"{wrong}\" is not right for {key}, which takes a number or a size such as 500M")
            : type == typeof(Rate) ? Refusal.Invalid.Because($"\"{wrong}\" is not right for {key}, which takes a number in a time, such as 100/1h, or off")
            : type == typeof(System.Net.IPNetwork) ? Refusal.Invalid.Because($"\"{wrong}\" is not right for {key}, which takes an IP address or a network such as 192.0.2.0/24")
            : type == typeof(System.Net.IPAddress) ? Refusal.Invalid.Because($"\"{wrong}\" is not right for {key}, which takes an IP address")
            : type == typeof(System.Net.IPEndPoint) ? Refusal.Invalid.Because($"\"{wrong}\" is not right for {key}, which takes an IP address with a port")
            : Refusal.Invalid.Because($"\"{wrong}\" is not right for {key}, which takes a number");
    }

    static bool TryRead(JsonNode? value, out IReadOnlyList<string>? texts)
    {
        texts = value switch
        {
            null => null,
            JsonArray list => [.. list.Select(item => item is JsonValue one ? Text(one) : null).OfType<string>()],
            JsonValue one => [Text(one)],
            _ => [],
        };
        return value is null or JsonValue || (value is JsonArray items && texts!.Count == items.Count);
    }

    static string Text(JsonValue value) => value.GetValueKind() switch { JsonValueKind.True => "yes", JsonValueKind.False => "no", JsonValueKind.String => value.GetValue<string>(), _ => value.ToJsonString() };
}
