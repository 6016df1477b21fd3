using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using CbaMail.Config;

namespace CbaMail.Cli;

/// <summary><c>policy show | set | clear</c>: what domains, accounts and aliases ask for; <c>recipient-map add | list | remove</c>.</summary>
static class PolicyVerbs
{
    enum Kind { YesNo, Size, Number, Words, Text, Choice }

    /// <summary>A key as people type it, and what it takes.</summary>
    sealed record Key(string Name, Kind Kind, string Help, params string[] Choices);

    static readonly Key[] Keys =
    [
        new("require-tls", Kind.YesNo, "mail for it is taken over TLS only"),
        new("max-size", Kind.Size, "the largest message for it"),
        new("allowed-senders", Kind.Words, "who may write to it: addresses, @domain, @*.domain, members"),
        new("blocked-senders", Kind.Words, "who may not"),
        new("forward", Kind.Words, "addresses that get its mail (account)"),
        new("keep-copy", Kind.YesNo, "whether forwarded mail stays in the mailbox too; yes unless set (account)"),
        new("send-as", Kind.Words, "addresses or @domain that it may write as (account)"),
        new("send-on-behalf", Kind.Words, "addresses or @domain that it may write for, named in Sender (account)"),
        new("bcc-incoming", Kind.Words, "addresses that get a copy of what arrives"),
        new("bcc-outgoing", Kind.Words, "addresses that get a copy of what is sent"),
        new("messages-per-day", Kind.Number, "messages that an account may send in a day"),
        new("new-recipients-per-day", Kind.Number, "people that an account may write to for the first time in a day"),
        new("forbidden-protocols", Kind.Words, "imap, pop3, submission, web: by what nobody of it may sign in"),
        new("allowed-networks", Kind.Words, "networks from which alone people of it sign in, as in 192.0.2.0/24"),
        new("send-only", Kind.YesNo, "it sends, and receives nothing (account)"),
        new("receive-only", Kind.YesNo, "it receives, and sends nothing (account)"),
        new("disabled-capabilities", Kind.Words, "IMAP capabilities that are not announced to it, such as QRESYNC"),
        new("footer-text", Kind.Text, "put below what is sent (domain)"),
        new("footer-html", Kind.Text, "the same for HTML (domain)"),
        new("footer-except", Kind.Words, "accounts that write without the footer (domain)"),
        new("dmarc", Kind.Choice, "follow, junk or ignore what senders' domains ask for (domain)", "follow", "junk", "ignore"),
        new("relay-to", Kind.Text, "host, host:port or mx: passes the domain's mail on (domain)"),
        new("relay-verify", Kind.Choice, "call-out or none: whether the next server is asked for each name (domain)", "call-out", "none"),
    ];

    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("policy show", "SUBJECT", "show what a domain, an account or an alias asks for", Verb.Client, ShowAsync),
        new("policy set", "SUBJECT KEY VALUE...", "set one thing of it", Verb.Client, SetAsync,
            "SUBJECT is a domain or an address. Keys:\n" + string.Join('\n', Keys.Select(key => $"  {key.Name,-24}{key.Help}"))),
        new("policy clear", "SUBJECT KEY", "take one thing away", Verb.Client, ClearAsync),
        new("recipient-map add", "ADDRESS TARGET", "let an address, or @domain, stand for another", Verb.Client, AddMappingAsync,
            "Mail for ADDRESS goes to TARGET, be it ours or elsewhere, whoever sends it. @old.example to @new.example keeps the names."),
        new("recipient-map list", "", "list what stands for what", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.GetAsync("recipient-map"), ["ADDRESS", "TARGET"], row => [row.Text("address"), row.Text("target")])),
        new("recipient-map remove", "ADDRESS", "end that", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.DeleteAsync("recipient-map/" + Uri.EscapeDataString(invocation.Arguments[0])), row => $"{row.Text("address")} stands for itself again.")),
    ];

    static string Path(Invocation invocation) => "policies/" + Uri.EscapeDataString(invocation.Arguments[0]);

    static async Task<int> AddMappingAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.PostAsync("recipient-map", new JsonBody().Add("address", invocation.Arguments[0]).Add("target", invocation.Arguments[1])),
            row => $"{row.Text("address")} stands for {row.Text("target")}.");

    static async Task<int> ShowAsync(Invocation invocation) => invocation.Print(await invocation.Server.GetAsync(Path(invocation)), Shown);

    static Task<int> SetAsync(Invocation invocation) => PatchAsync(invocation, Value(Find(invocation), [.. invocation.Arguments.Skip(2)]));

    static Task<int> ClearAsync(Invocation invocation) => PatchAsync(invocation, null);

    static async Task<int> PatchAsync(Invocation invocation, JsonNode? value)
    {
        var body = new JsonBody().Set(Field(Find(invocation)), value);
        return invocation.Print(await invocation.Server.PatchAsync(Path(invocation), body), Shown);
    }

    static Key Find(Invocation invocation) => Array.Find(Keys, key => key.Name == invocation.Arguments[1])
        ?? throw new Refused($"\"{invocation.Arguments[1]}\" is no key of a policy; there are {string.Join(", ", Keys.Select(key => key.Name))}", 2);

    static JsonNode Value(Key key, IReadOnlyList<string> words)
    {
        if (key.Kind == Kind.Words) return new JsonArray([.. words.Select(word => JsonValue.Create(word))]);
        if (words.Count != 1) throw new Refused($"{key.Name} takes one value; put it in quotes where it has spaces", 2);
        var word = words[0];
        return key.Kind switch
        {
            Kind.YesNo => word.ToLowerInvariant() switch
            {
                "yes" or "on" or "true" => JsonValue.Create(true),
                "no" or "off" or "false" => JsonValue.Create(false),
                _ => throw new Refused($"{key.Name} is yes or no", 2),
            },
            Kind.Size => Sizes.TryParse(word, out var bytes) ? JsonValue.Create(bytes) : throw new Refused($"\"{word}\" is not a size; write it as in 20M", 2),
            Kind.Number => int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? JsonValue.Create(number) : throw new Refused($"{key.Name} is a number", 2),
            Kind.Choice when !key.Choices.Contains(word) => throw new Refused($"{key.Name} is {string.Join(", ", key.Choices[..^1])} or {key.Choices[^1]}, not \"{word}\"", 2),
            _ => JsonValue.Create(word),
        };
    }

    // require-tls is requireTls
    static string Field(Key key) =>
        JsonNamingPolicy.CamelCase.ConvertName(string.Concat(key.Name.Split('-').Select(part => char.ToUpperInvariant(part[0]) + part[1..])));

    static string Shown(JsonElement policy)
    {
        var lines = Keys
            .Select(key => (key.Name, Value: policy.TryGetProperty(Field(key), out var value) ? Text(key, value) : null))
            .Where(line => line.Value is not null).Select(line => $"{line.Name,-24}{line.Value}").ToList();
        return lines.Count > 0 ? string.Join('\n', lines) : $"{policy.Text("subject")} asks for nothing special.";
    }

    static string Text(Key key, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => "yes",
        JsonValueKind.False => "no",
        JsonValueKind.Array => string.Join(' ', value.EnumerateArray().Select(word => word.GetString())),
        JsonValueKind.Number when key.Kind == Kind.Size => Sizes.Show(value.GetInt64()),
        JsonValueKind.String => value.GetString()!,
        _ => value.GetRawText(),
    };
}
