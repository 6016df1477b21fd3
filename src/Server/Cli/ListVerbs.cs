using System.Text.Json;

namespace CbaMail.Cli;

/// <summary><c>list add | list | show | set | remove | members | join | leave | mode | held | accept | reject | requests | admit | refuse | resume | digest</c>.</summary>
static class ListVerbs
{
    static readonly (string Option, string Field)[] Words = [("--name", "name"), ("--kind", "kind"), ("--language", "language"), ("--moderation", "moderation"), ("--subscription", "subscription"), ("--prefix", "prefix"), ("--footer", "footer"), ("--reply-to", "replyTo"), ("--archive", "archive")];
    static readonly (string Option, string Field)[] Several = [("--posters", "posters"), ("--owners", "owners"), ("--moderators", "moderators")];
    static readonly (string Option, string Field)[] Numbers = [("--max-size", "maxSize"), ("--max-recipients", "maxRecipients"), ("--hold-days", "holdDays"),
        ("--digest-hours", "digestHours"), ("--digest-posts", "digestPosts"), ("--digest-size", "digestSize"), ("--bounce-score", "bounceScore"), ("--bounce-days", "bounceDays"), ("--bounce-probes", "bounceProbes")];

    static readonly Option[] Fields =
    [
        new("--name", "TEXT", "for people"),
        new("--kind", "WORD", "discussion or announcement; discussion unless set"),
        new("--language", "WORD", "of what the list writes itself: ru or en; en unless set"),
        new("--posters", "WORDS", "who may post: anybody, domain, members, moderators, addresses, @domain; members unless set, moderators of an announcement list"),
        new("--moderation", "WORD", "what waits for a moderator: none, strangers or all; strangers unless set, none of an announcement list"),
        new("--subscription", "WORD", "how one joins: open, approval or closed; open unless set"),
        new("--owners", "ADDRESSES", "who keeps it; the administrator unless set"),
        new("--moderators", "ADDRESSES", "who decides on held posts; the owners unless set"),
        new("--prefix", "TEXT", "before each subject, as in [Algebra]"),
        new("--footer", "TEXT", "below each text"),
        new("--reply-to", "WORD", "where answers go: sender or list; sender unless set"),
        new("--max-size", "BYTES", "of the largest post; 10485760 unless set"),
        new("--max-recipients", "NUMBER", "addresses in To and Cc of a post; 20 unless set"),
        new("--change-signed", "YES", "yes: prefix and footer also where they break a signature that DMARC insists on; the list writes as itself then"),
        new("--hold-days", "NUMBER", "how long a post waits for a moderator; 7 unless set"),
        new("--archive", "WORD", "who may read what was posted: none, private (owners and moderators), members or public; none unless set"),
        new("--digest-hours", "NUMBER", "a digest goes out when its oldest post is so old; 24 unless set"),
        new("--digest-posts", "NUMBER", "or when so many posts wait; 30 unless set"),
        new("--digest-size", "BYTES", "or when they have so many bytes; 262144 unless set"),
        new("--bounce-score", "NUMBER", "pause a member after so many bounces, one a day at most; 5 unless set, 0: never"),
        new("--bounce-days", "NUMBER", "forget them after so many days without one; 7 unless set"),
        new("--bounce-probes", "NUMBER", "letters to a paused member that come back before he is off the list; 3 unless set"),
    ];

    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("list add", "ADDRESS", "make a mailing list", [.. Fields, .. Verb.Client], async invocation =>
            invocation.Print(await invocation.Server.PostAsync("lists", Body(invocation).Add("address", invocation.Arguments[0])), list => $"The list {Readable.Address(list.Text("address"))} is made.")),
        new("list list", "", "list the mailing lists", [new("--domain", "NAME", "only of this domain"), .. Verb.Client], async invocation =>
            invocation.Print(await invocation.Server.GetAsync("lists" + (invocation.Value("--domain") is { } domain ? "?domain=" + Uri.EscapeDataString(domain) : "")), ["ADDRESS", "KIND", "MEMBERS", "HELD", "NAME"],
                list => [Readable.Address(list.Text("address")), list.Text("kind"), list.Text("members"), list.Text("held"), list.Text("name")])),
        new("list show", "ADDRESS", "show a mailing list", Verb.Client, async invocation => invocation.Print(await invocation.Server.GetAsync(Path(invocation)), Details)),
        new("list set", "ADDRESS", "change a mailing list", [.. Fields, .. Verb.Client], async invocation => invocation.Print(await invocation.Server.PatchAsync(Path(invocation), Body(invocation)), Details)),
        new("list remove", "ADDRESS", "remove a mailing list, its members and what waits", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.DeleteAsync(Path(invocation)), list => $"The list {Readable.Address(list.Text("address"))} is removed.")),
        new("list members", "ADDRESS", "list the members of a mailing list", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.GetAsync(Path(invocation) + "/members"), ["ADDRESS", "MODE", "JOINED", "BOUNCES", "PAUSED", "NAME"],
                one => [Readable.Address(one.Text("address")), one.Text("mode"), one.Text("joined"), one.Text("score"), one.Text("paused"), one.Text("name")])),
        new("list join", "ADDRESS MEMBER...", "put people on a mailing list without asking them; - reads them from standard input, one a line", [new("--mode", "WORD", "normal, digest, digest-plain or nomail; normal unless set"), .. Verb.Client], JoinAsync),
        new("list import", "ADDRESS FILE", "take a list over from mlmmj (its spool directory) or Mailman 3 (members, settings, mbox), or members from a table",
            [new("--mode", "WORD", "of those of whom the file does not say it: normal, digest, digest-plain or nomail"), new("--role", "WORD", "what all of a file of members are: member, owner or moderator"), new("--dry-run", null, "say what would change, and change nothing"), .. Verb.Client], ListMigration.RunAsync,
            "The same again changes nothing; nobody is asked or written to. A list that is not there is made by its settings. See docs/en/lists.md."),
        new("list leave", "ADDRESS MEMBER...", "take people off a mailing list", Verb.Client, LeaveAsync),
        new("list mode", "ADDRESS MEMBER WORD", "change how a member gets mail: normal, digest, digest-plain or nomail", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.PatchAsync(Member(invocation, "members"), new JsonBody().Add("mode", invocation.Arguments[2])), one => $"{Readable.Address(one.Text("address"))} is on the list with mode {one.Text("mode")}.")),
        new("list resume", "ADDRESS MEMBER", "have a member who was paused for his bounces get mail again", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.PatchAsync(Member(invocation, "members"), new JsonBody().Add("paused", (bool?)false)), one => $"{Readable.Address(one.Text("address"))} gets mail again.")),
        new("list digest", "ADDRESS", "send the digest now", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.PostAsync(Path(invocation) + "/digest", new JsonBody()), done => done.GetProperty("sent").GetBoolean() ? "The digest is sent." : "Nothing waits for a digest.")),
        new("list held", "ADDRESS", "list the posts that wait for a moderator", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.GetAsync(Path(invocation) + "/held"), ["NUMBER", "AUTHOR", "SIZE", "SINCE", "SUBJECT"], one => [one.Text("id"), Readable.Address(one.Text("author")), one.Text("size"), one.Text("taken"), one.Text("subject")])),
        new("list accept", "ADDRESS NUMBER", "send a held post out", Verb.Client, invocation => DecideAsync(invocation, "held", "accept")),
        new("list reject", "ADDRESS NUMBER", "drop a held post", Verb.Client, invocation => DecideAsync(invocation, "held", "reject")),
        new("list requests", "ADDRESS", "list those who ask to join and wait for an owner", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.GetAsync(Path(invocation) + "/requests"), ["ADDRESS", "SINCE", "NAME"], one => [Readable.Address(one.Text("address")), one.Text("made"), one.Text("name")])),
        new("list admit", "ADDRESS MEMBER", "let somebody join who asks for it", Verb.Client, invocation => DecideAsync(invocation, "requests", "accept")),
        new("list refuse", "ADDRESS MEMBER", "do not let somebody join; he is told", Verb.Client, invocation => DecideAsync(invocation, "requests", "reject")),
    ];

    static string Path(Invocation invocation) => "lists/" + Uri.EscapeDataString(invocation.Arguments[0]);

    static string Member(Invocation invocation, string kind) => $"{Path(invocation)}/{kind}/{Uri.EscapeDataString(invocation.Arguments[1])}";

    static JsonBody Body(Invocation invocation)
    {
        var body = new JsonBody();
        foreach (var (option, field) in Words) body.Add(field, invocation.Value(option));
        foreach (var (option, field) in Several)
            if (invocation.Value(option) is { } words) body.Add(field, words.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries));
        foreach (var (option, field) in Numbers)
            if (invocation.Value(option) is { } text) body.Add(field, long.TryParse(text, out var number) ? (long?)number : throw new Refused($"\"{text}\" is not a number", 2));
        if (invocation.Value("--change-signed") is { } word) body.Add("changeSigned", word switch { "yes" => true, "no" => (bool?)false, _ => throw new Refused($"\"{word}\" is neither yes nor no", 2) });
        return body;
    }

    static async Task<int> JoinAsync(Invocation invocation)
    {
        var members = invocation.Arguments.Skip(1).ToList();
        if (members is ["-"]) members = [.. (await invocation.Input.ReadToEndAsync()).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];
        return invocation.Print(await invocation.Server.PostAsync(Path(invocation) + "/members", new JsonBody().Add("addresses", members).Add("mode", invocation.Value("--mode"))),
            list => $"{list.Text("added")} are new on the list {Readable.Address(list.Text("address"))}, which has {list.Text("members")} members.");
    }

    static async Task<int> LeaveAsync(Invocation invocation)
    {
        var left = default(JsonElement);
        foreach (var member in invocation.Arguments.Skip(1)) left = await invocation.Server.DeleteAsync($"{Path(invocation)}/members/{Uri.EscapeDataString(member)}");
        return invocation.Print(left, one => $"{Readable.Address(one.Text("address"))} is off the list.");
    }

    static async Task<int> DecideAsync(Invocation invocation, string kind, string deed) =>
        invocation.Print(await invocation.Server.PostAsync($"{Member(invocation, kind)}/{deed}", new JsonBody()), one => $"It is {one.Text("decision")}.");

    static string Joined(JsonElement list, string name) => string.Join(' ', list.Items(name).Select(word => word.GetString()));

    static string Details(JsonElement list) => $"""
        Address         {Readable.Address(list.Text("address"))}
        Name            {list.Text("name")}
        Kind            {list.Text("kind")}
        Language        {list.Text("language")}
        Members         {list.Text("members")}
        Posters         {Joined(list, "posters")}
        Moderation      {list.Text("moderation")}
        Subscription    {list.Text("subscription")}
        Owners          {Joined(list, "owners")}
        Moderators      {Joined(list, "moderators")}
        Prefix          {list.Text("prefix")}
        Footer          {list.Text("footer")}
        Reply to        {list.Text("replyTo")}
        Max size        {list.Text("maxSize")}
        Max recipients  {list.Text("maxRecipients")}
        Change signed   {list.Text("changeSigned")}
        Hold days       {list.Text("holdDays")}
        Archive         {list.Text("archive")}
        Digest hours    {list.Text("digestHours")}
        Digest posts    {list.Text("digestPosts")}
        Digest size     {list.Text("digestSize")}
        Bounce score    {list.Text("bounceScore")}
        Bounce days     {list.Text("bounceDays")}
        Bounce probes   {list.Text("bounceProbes")}
        Held            {list.Text("held")}
        """;
}
