namespace CbaMail.Cli;

/// <summary><c>webhook</c>: addresses of the web that events are told to.</summary>
static class WebhookVerbs
{
    static readonly Option Events = new("--event", "EVENT", "what it is told: account.created, account.*, or * for everything", Many: true);

    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("webhook add", "URL", "tell events to an address of the web; prints the secret that signs them, this once",
            [Events, new("--description", "TEXT", "what it is for"), .. Verb.Client], AddAsync, "What an event looks like and how its signature is checked: docs/en/webhooks.md"),
        new("webhook list", "", "list webhooks", Verb.Client, async invocation => invocation.Print(await invocation.Server.GetAsync("webhooks"), ["ID", "STATE", "EVENTS", "URL", "DESCRIPTION"],
            hook => [hook.Text("id"), State(hook), string.Join(' ', hook.Items("events").Select(name => name.GetString())), hook.Text("url"), hook.Text("description")])),
        new("webhook set", "ID", "change a webhook",
            [new("--url", "URL", "another address"), Events, new("--description", "TEXT", "what it is for"), new("--enable", null, "switch it on again"), new("--disable", null, "switch it off"), .. Verb.Client], SetAsync),
        new("webhook remove", "ID", "remove a webhook", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.DeleteAsync(Path(invocation)), _ => $"Webhook {invocation.Arguments[0]} is removed.")),
        new("webhook test", "ID", "send it the event \"test\"", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.PostAsync(Path(invocation) + "/test"), sent => $"{sent.Text("eventId")} is on its way; see: cbamail webhook log {invocation.Arguments[0]}")),
        new("webhook secret", "ID", "give it a new secret, and print it this once", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.PostAsync(Path(invocation) + "/secret"), made => made.Text("secret"))),
        new("webhook log", "ID", "the last events that it was told, newest first", Verb.Client, async invocation => invocation.Print(
            await invocation.Server.GetAsync(Path(invocation) + "/deliveries?limit=100"), ["AT", "STATE", "TRIED", "EVENT", "LAST ANSWER"],
            one => [one.Time("at"), one.Text("state"), $"{one.Items("attempts").Count()}", one.Text("event"), one.Items("attempts").Select(Answer).LastOrDefault() ?? ""])),
        new("webhook events", "", "list the names of events", Verb.Client, async invocation => invocation.Print(await invocation.Server.GetAsync("webhook-events"), ["EVENT"], one => [one.Text("event")])),
    ];

    static string Path(Invocation invocation) => "webhooks/" + Uri.EscapeDataString(invocation.Arguments[0]);

    static string State(System.Text.Json.JsonElement hook) => !hook.True("enabled") ? hook.Text("problem") is { Length: > 0 } ? "given up" : "off" : hook.Text("failing").Length > 0 ? "failing" : "on";

    static string Answer(System.Text.Json.JsonElement attempt) => attempt.Text("error") is { Length: > 0 } error ? error : attempt.Text("status");

    static async Task<int> AddAsync(Invocation invocation)
    {
        string[] events = [.. invocation.Values("--event")];
        if (events.Length == 0) throw new Refused("Say what it is to be told: --event account.created, or --event \"*\"; cbamail webhook events lists them", 2);
        return invocation.Print(await invocation.Server.PostAsync("webhooks", new JsonBody().Add("url", invocation.Arguments[0]).Add("events", events).Add("description", invocation.Value("--description"))), hook => hook.Text("secret"));
    }

    static async Task<int> SetAsync(Invocation invocation)
    {
        var change = new JsonBody().Add("url", invocation.Value("--url")).Add("description", invocation.Value("--description"));
        string[] events = [.. invocation.Values("--event")];
        if (events.Length > 0) change.Add("events", events);
        if (invocation.Has("--enable")) change.Add("enabled", true);
        if (invocation.Has("--disable")) change.Add("enabled", false);
        return invocation.Print(await invocation.Server.PatchAsync(Path(invocation), change), hook => $"Webhook {hook.Text("id")}: {State(hook)}, {hook.Text("url")}");
    }
}
