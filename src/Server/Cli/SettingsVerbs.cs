using System.Text.Json.Nodes;

namespace CbaMail.Cli;

/// <summary>Verbs about the settings of a running server.</summary>
static class SettingsVerbs
{
    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("settings list", "[WORD]", "all settings, or those whose keys contain a word", [new("--changed", null, "only those that are not as they are by default"), .. Verb.Client], ListAsync,
            "FROM says who sets it: the default, the settings file, or \"here\": by settings set. NEXT is what it will be after the next start, where that is something else."),
        new("settings set", "KEY VALUE [VALUE]...", "set one, from the next start on; several values are a list", Verb.Client, invocation => SetAsync(invocation, [.. invocation.Arguments.Skip(1)]),
            "What the settings file says can only be changed there. docs/en/settings.md explains every key."),
        new("settings unset", "KEY", "take back what settings set has set", Verb.Client, invocation => SetAsync(invocation, null)),
    ];

    static async Task<int> ListAsync(Invocation invocation)
    {
        var query = $"settings?limit=5000&search={Uri.EscapeDataString(invocation.Arguments.Count > 0 ? invocation.Arguments[0] : "")}{(invocation.Has("--changed") ? "&changed=true" : "")}";
        return invocation.Print(await invocation.Server.GetAsync(query), ["KEY", "VALUE", "FROM", "NEXT"], row => [row.Text("key"), row.Text("value"), row.Text("from"), row.Text("next")]);
    }

    static async Task<int> SetAsync(Invocation invocation, IReadOnlyList<string>? values)
    {
        JsonNode? value = values is null ? null : values.Count == 1 ? JsonValue.Create(values[0]) : new JsonArray([.. values.Select(text => (JsonNode?)JsonValue.Create(text))]);
        var body = new JsonBody().Set(invocation.Arguments[0], value);
        return invocation.Print(await invocation.Server.PatchAsync("settings", body), answer => answer.GetProperty("restart").GetBoolean()
            ? $"{invocation.Arguments[0]} is {(values is null ? "taken back" : "set")}; it counts from the next start of the server on."
            : $"{invocation.Arguments[0]} is as it was.");
    }
}
