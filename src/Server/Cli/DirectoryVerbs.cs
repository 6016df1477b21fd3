using System.Text;
using System.Text.Json;

namespace CbaMail.Cli;

/// <summary><c>directory</c>: directories elsewhere (LDAP) whose people have accounts here.</summary>
static class DirectoryVerbs
{
    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("directory list", "", "list directories elsewhere (LDAP)", Verb.Client, async invocation => invocation.Print(await invocation.Server.GetAsync("directories"), ["NAME", "STATE", "ACCOUNTS", "READ", "PROBLEM"],
            one => [one.Text("name"), one.Text("state"), one.Text("accounts"), one.Time("done"), one.Text("problem")]), "They stand in the settings below directory.ldap: docs/en/directory.md"),
        new("directory show", "NAME", "one directory, and what the last sync did", Verb.Client, async invocation => invocation.Print(await invocation.Server.GetAsync(Path(invocation)), Standing)),
        new("directory sync", "NAME", "read a directory now, and change what differs",
            [new("--dry-run", null, "say what would change, and do nothing"), new("--force", null, "even if it disables many accounts"), .. Verb.Client], SyncAsync,
            "A sync that would disable more accounts than safety-stop says changes nothing without --force."),
        new("directory test", "NAME", "connect to a directory, look for people, and check the password of one",
            [new("--user", "ADDRESS", "whose entry is looked for"), new("--password-stdin", null, "check his password: the first line of standard input"), .. Verb.Client], TestAsync),
    ];

    static string Path(Invocation invocation) => "directories/" + Uri.EscapeDataString(invocation.Arguments[0]);

    static string Standing(JsonElement one)
    {
        var text = new StringBuilder($"{one.Text("name")} ({one.Text("preset")}): {one.Text("state")}, {one.Text("accounts")} accounts\n");
        text.Append($"servers  {string.Join(", ", one.Items("servers").Select(server => server.GetString()))}\nbase     {one.Text("base")}\n");
        if (one.Text("done").Length > 0) text.Append($"read     {one.Time("done")}\n");
        if (one.Text("failing").Length > 0) text.Append($"failing  since {one.Time("failing")}: {one.Text("problem")}\n");
        else if (one.Text("problem").Length > 0) text.Append($"problem  {one.Text("problem")}\n");
        if (one.TryGetProperty("last", out var last) && last.ValueKind == JsonValueKind.Object) text.Append(Difference(last, tried: false));
        return text.ToString().TrimEnd('\n');
    }

    static string Difference(JsonElement one, bool tried)
    {
        var text = new StringBuilder();
        foreach (var change in one.Items("changes")) text.Append($"  {change.Text("kind"),-9} {Readable.Address(change.Text("address"))}{(change.True("group") ? "  group" : "")}{(change.Text("what").Length > 0 ? $"  ({change.Text("what")})" : "")}\n");
        foreach (var collision in one.Items("collisions")) text.Append($"  collision: {collision.GetString()}\n");
        foreach (var reason in one.Items("reasons")) text.Append($"  left out: {reason.GetString()}\n");
        text.Append($"{one.Text("entries")} entries{(tried ? ", and it would be" : "")}: {one.Text("made")} made, {one.Text("changed")} changed, {one.Text("disabled")} disabled, {one.Text("removed")} removed, {one.Text("unchanged")} unchanged, {one.Text("leftOut")} left out\n");
        var groups = one.TryGetProperty("groups", out var counts) && counts.ValueKind == JsonValueKind.Object ? counts : default;
        if (groups.ValueKind == JsonValueKind.Object && (groups.Text("entries") != "0" || groups.Text("closed") != "0" || groups.Text("removed") != "0"))
            text.Append($"{groups.Text("entries")} groups with an address: {groups.Text("made")} made, {groups.Text("changed")} changed, {groups.Text("closed")} closed, {groups.Text("removed")} removed, {groups.Text("unchanged")} unchanged\n");
        if (one.True("stopped")) text.Append($"Stopped: {one.Text("losing")} accounts would be disabled{(groups.ValueKind == JsonValueKind.Object && groups.Text("losing") != "0" ? $", {groups.Text("losing")} groups closed or emptied" : "")}. {(tried ? "" : "Nothing was changed. ")}If that is right, say so with --force.\n");
        return text.ToString();
    }

    static async Task<int> SyncAsync(Invocation invocation)
    {
        var tried = invocation.Has("--dry-run");
        string[] query = [.. new[] { tried ? "dry-run=true" : "", invocation.Has("--force") ? "force=true" : "" }.Where(word => word.Length > 0)];
        var done = await invocation.Server.PostAsync(Path(invocation) + "/sync" + (query.Length > 0 ? "?" + string.Join('&', query) : ""));
        invocation.Print(done, one => Difference(one, tried).TrimEnd('\n'));
        return done.True("stopped") && !tried ? 1 : 0;
    }

    static async Task<int> TestAsync(Invocation invocation)
    {
        var body = new JsonBody().Add("user", invocation.Value("--user"));
        if (invocation.Has("--password-stdin"))
        {
            if (invocation.Value("--user") is null) throw new Refused("Say whose password it is: --user ADDRESS", 2);
            body.Add("password", await invocation.Input.ReadLineAsync() ?? "");
        }
        var trial = await invocation.Server.PostAsync(Path(invocation) + "/test", body);
        invocation.Print(trial, one => string.Join('\n', one.Items("steps").Select(step => $"{(step.True("ok") ? "ok   " : "FAILS")} {step.Text("step"),-8} {step.Text("detail")}")));
        return trial.True("ok") ? 0 : 1;
    }
}
