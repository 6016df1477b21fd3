using System.Globalization;
using System.Text;
using System.Text.Json;
using CbaMail.Queue;

namespace CbaMail.Cli;

/// <summary><c>queue list | show | retry | hold | release | drop | rule</c>.</summary>
static class QueueVerbs
{
    const string Matching = """
        Every field that is given must fit. Addresses and texts: "*" stands for anything, "@example.org" is a domain, a text without "@" and "*"
        may stand anywhere within. Only the recipients that fit are meant, not the others of their messages.
        """;

    static readonly IReadOnlyList<Option> Fields =
    [
        new("--id", "ID", "the queue id"),
        new("--from", "TEXT", "the sender; <> is the empty one of notices"),
        new("--to", "TEXT", "a recipient"),
        new("--domain", "DOMAIN", "a recipient's domain"),
        new("--subject", "TEXT", "the subject"),
        new("--message-id", "TEXT", "the Message-ID"),
        new("--state", "STATE", "waiting, scheduled, deferred, active or held"),
        new("--older", "TIME", "queued before: 2h, 3d, or 2026-03-02T09:00Z"),
        new("--newer", "TIME", "queued since"),
        new("--size", "SIZE", "at least 10M, or <1M"),
        new("--mailing", "ID", "copies of a mailing"),
        new("--reply", "TEXT", "what the other server said last"),
        new("--class", "CLASS", "interactive, transactional or bulk"),
        new("--rule", "ID", "held by a rule"),
    ];

    static readonly Option AllMatching = new("--all-matching", null, "do it to all that fits; without it they are only counted");

    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("queue list", "", "list the mail that waits to leave",
            [.. Fields, new("--replies", null, "below each recipient that was tried: what was heard last, and when the next attempt is (on a terminal always)"), new("--limit", "NUMBER", "at most so many messages; default 1000"), new("--after", "ID", "go on behind this message"), .. Verb.Client], ListAsync, Matching),
        new("queue summary", "", "what waits by domain: how much, since when, and what was heard last", Verb.Client, SummaryAsync),
        new("queue destinations", "", "show where mail goes, how fast it may, and why not faster", Verb.Client, DestinationsAsync),
        new("queue show", "ID", "show a waiting message with its recipients and what was tried", Verb.Client, ShowAsync),
        new("queue retry", "[ID]", "try a message again now, all of them, or all that fits",
            [new("--at", "TIME", "not now but then: 2h, or 2026-03-02T09:00Z"), .. Fields, AllMatching, .. Verb.Client], RetryAsync, Matching),
        new("queue hold", "[ID]", "keep a message from being tried, all that fits, or all until the release or a restart",
            [.. Fields, AllMatching, .. Verb.Client], invocation => DeedAsync(invocation, "hold", "is held"), Matching),
        new("queue release", "[ID]", "end the hold of a message, of all that fits, or the one of all",
            [.. Fields, AllMatching, .. Verb.Client], invocation => DeedAsync(invocation, "release", "is released"), Matching),
        new("queue drop", "[ID]", "remove a message, or all that fits, without telling the sender", [.. Fields, AllMatching, .. Verb.Client], DropAsync, Matching),
        new("queue rule", "add|list|remove [ID]", "hold mail that is queued from now on",
            [.. Fields.Where(field => field.Name is "--from" or "--to" or "--domain" or "--subject" or "--message-id" or "--size" or "--mailing" or "--class"),
                new("--note", "TEXT", "why, for others"), .. Verb.Client], RuleAsync, Matching),
    ];

    static string Id(Invocation invocation, int at = 0) =>
        long.TryParse(invocation.Arguments[at], NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            ? id.ToString(CultureInfo.InvariantCulture)
            : throw new Refused($"\"{invocation.Arguments[at]}\" is no queue id; list them with: cbamail queue list");

    /// <summary>The fields that were given, as a query.</summary>
    static string Query(Invocation invocation, params IEnumerable<string> further) =>
        string.Join('&', QueueFilter.Fields.Where(field => invocation.Value("--" + field) is not null)
            .Select(field => $"{field}={Uri.EscapeDataString(invocation.Value("--" + field)!)}").Concat(further));

    static async Task<int> SummaryAsync(Invocation invocation)
    {
        var summary = await invocation.Server.GetAsync("queue/summary");
        if (invocation.Json) { invocation.Print(summary.GetRawText()); return 0; }
        invocation.Print($"{Counted.Of(summary.Number("messages"), "message")} for {Counted.Of(summary.Number("recipients"), "recipient")}: {summary.Text("deferred")} deferred, {summary.Text("heldRecipients")} held, {summary.Text("active")} on a connection."
            + (summary.True("held") ? "\nNothing leaves: all of it is held until \"cbamail queue release\"." : ""));
        if (summary.Items("domains").Any()) invocation.Print("");
        return invocation.Print(summary.GetProperty("domains"), ["DOMAIN", "RECIPIENTS", "DEFERRED", "HELD", "OLDEST", "NEXT TRY", "LAST REPLY"], domain =>
        [
            Readable.Domain(domain.Text("domain")), domain.Text("recipients"), domain.Text("deferred"), domain.Text("held"), domain.Minute("oldest"),
            domain.Minute("nextAttempt") is { Length: > 0 } next ? next : "-", domain.Text("lastReply"),
        ]);
    }

    static async Task<int> ListAsync(Invocation invocation)
    {
        var limit = invocation.Value("--limit") ?? "1000";
        var further = new List<string> { "limit=" + Uri.EscapeDataString(limit) };
        if (invocation.Value("--after") is { } after) further.Add("after=" + Uri.EscapeDataString(after));
        var rows = await invocation.Server.GetAsync("queue?" + Query(invocation, further));
        var code = invocation.Print(rows, ["ID", "SINCE", "SIZE", "CLASS", "FROM", "RECIPIENTS", "STATE"], entry =>
        {
            var recipients = entry.Items("recipients").ToList();
            return
            [
                entry.Text("id"), entry.Time("created"), entry.Size("size"), entry.Text("class"), entry.Text("sender") is { Length: > 0 } sender ? sender : "<>",
                recipients.Count == 1 ? recipients[0].Text("address") : Counted.Of(recipients.Count, "recipient"),
                string.Join(',', recipients.Select(State).Distinct()) + (entry.Minute("releaseAt") is { Length: > 0 } release && recipients.Exists(recipient => recipient.Text("state") == "scheduled") ? $" for {release}" : ""),
            ];
        }, invocation.IsTerminal || invocation.Has("--replies") ? Replies : null);
        if (rows.GetArrayLength() is > 0 and var count && count.ToString(CultureInfo.InvariantCulture) == limit)
            await invocation.Error.WriteLineAsync($"There may be more: go on with --after {rows[count - 1].Text("id")}");
        return code;
    }

    /// <summary>Below a message: what was heard last, once where it is the same for several recipients.</summary>
    static IEnumerable<string> Replies(JsonElement entry)
    {
        foreach (var group in entry.Items("recipients").Where(recipient => recipient.Text("lastReply").Length > 0).GroupBy(recipient => recipient.Text("lastReply")))
        {
            var next = group.Where(recipient => recipient.Text("state") == "deferred").Select(recipient => recipient.Time("nextAttempt")).Order(StringComparer.Ordinal).FirstOrDefault("");
            yield return $"    {(group.First().Text("lastHost") is { Length: > 0 } host ? host + " said: " : "")}{group.Key}{(next.Length > 0 ? $"; next attempt {next}" : "")}";
        }
    }

    static string State(JsonElement recipient) => recipient.Text("state") + (recipient.Text("rule") is { Length: > 0 } rule ? $" by rule {rule}" : "");

    static async Task<int> DestinationsAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.GetAsync("queue/destinations"), ["DESTINATION", "DOMAINS", "READY", "CONNECTIONS", "AN HOUR", "RESTS UNTIL", "LAST REASON"], lane =>
        [
            lane.Text("name"), lane.Items("domains").Count().ToString(CultureInfo.InvariantCulture), lane.Text("waiting"), $"{lane.Text("active")} of {lane.Text("connections")}",
            lane.Text("perHour") is { Length: > 0 } bound ? bound : "-", lane.Text("restsUntil") is { Length: > 0 } ? lane.Time("restsUntil") : "-", lane.Text("reason"),
        ]);

    static async Task<int> ShowAsync(Invocation invocation) => invocation.Print(await invocation.Server.GetAsync("queue/" + Id(invocation)), Details);

    static string Details(JsonElement entry)
    {
        var text = new StringBuilder();
        void Line(string name, string value) { if (value.Length > 0) text.Append(CultureInfo.InvariantCulture, $"{name,-10} {value}\n"); }
        Line("Id", entry.Text("id"));
        Line("From", $"<{entry.Text("sender")}>");
        Line("Subject", entry.Text("subject"));
        Line("Message-ID", entry.Text("messageId") is { Length: > 0 } messageId ? $"<{messageId}>" : "");
        Line("Size", entry.Size("size"));
        Line("Class", entry.Text("class") + (entry.Text("priority") is not ("" or "0") and var priority ? $", priority {priority}" : ""));
        Line("Mailing", entry.Text("mailing"));
        Line("Arrival", entry.Text("arrival"));
        Line("Since", entry.Time("created"));
        Line("Not before", entry.Time("releaseAt"));
        Line("Deliver by", entry.Time("deliverBy"));
        Line("Expires", entry.Time("expires"));
        foreach (var recipient in entry.Items("recipients"))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n  <{recipient.Text("address")}>  {State(recipient)}, {Counted.Of(recipient.Number("attempts"), "attempt")}{(recipient.Text("state") is "held" or "active" ? "" : $", next {recipient.Time("nextAttempt")}")}\n");
            foreach (var attempt in recipient.Items("history"))
                text.Append(CultureInfo.InvariantCulture, $"    {attempt.Time("at")}  {(attempt.Text("host") is { Length: > 0 } host ? host + " said: " : "")}{attempt.Text("reply")}\n");
            if (!recipient.Items("history").Any() && recipient.Text("lastReply") is { Length: > 0 } reply)
                text.Append(CultureInfo.InvariantCulture, $"    {(recipient.Text("lastHost") is { Length: > 0 } host ? host + " said: " : "")}{reply}\n");
        }
        return text.ToString().TrimEnd();
    }

    static async Task<int> RetryAsync(Invocation invocation)
    {
        var at = invocation.Value("--at") is { } time ? "at=" + Uri.EscapeDataString(time) : "";
        if (await AllAsync(invocation, "retry", at) is { } code) return code;
        var path = invocation.Arguments.Count == 0 ? "queue/retry?" + at : $"queue/{Id(invocation)}/retry?{at}";
        return invocation.Print(await invocation.Server.PostAsync(path), answer => $"{Counted.Of(answer.Number("recipients"), "recipient")} {(answer.Number("recipients") == 1 ? "is" : "are")} due {(at.Length == 0 ? "now" : "then")}.");
    }

    static async Task<int> DeedAsync(Invocation invocation, string deed, string sentence)
    {
        if (await AllAsync(invocation, deed, "") is { } code) return code;
        if (invocation.Arguments.Count == 0) return invocation.Print(await invocation.Server.PostAsync("queue/" + deed), _ => deed == "hold" ? "The queue is held: nothing leaves until \"cbamail queue release\" or a restart." : $"The queue {sentence}.");
        var id = Id(invocation);
        return invocation.Print(await invocation.Server.PostAsync($"queue/{id}/{deed}"), _ => $"Message {id} {sentence}.");
    }

    static async Task<int> DropAsync(Invocation invocation)
    {
        if (await AllAsync(invocation, "drop", "") is { } code) return code;
        if (invocation.Arguments.Count == 0) throw new Refused("Name the message, as in: cbamail queue drop 17, or what it has, as in: cbamail queue drop --domain example.org --all-matching", 2);
        var id = Id(invocation);
        return invocation.Print(await invocation.Server.DeleteAsync("queue/" + id), _ => $"Message {id} is removed.");
    }

    /// <summary>The deed for all that fits; null where no field was given.</summary>
    static async Task<int?> AllAsync(Invocation invocation, string deed, string further)
    {
        var query = Query(invocation);
        var all = invocation.Has("--all-matching");
        if (query.Length == 0)
            return all ? throw new Refused("--all-matching needs something to go by, such as --from or --domain", 2) : null;
        if (invocation.Arguments.Count > 0) throw new Refused("Give an id, or fields to go by, not both", 2);
        var answer = await invocation.Server.PostAsync($"queue/apply?deed={deed}&dry={(all ? "false" : "true")}&{query}&{further}");
        return invocation.Print(answer, done => all
            ? $"{deed}: {Counted.Of(done.Number("recipients"), "recipient")} of {Counted.Of(done.Number("messages"), "message")}."
            : $"{Counted.Of(done.Number("recipients"), "recipient")} of {Counted.Of(done.Number("messages"), "message")} would {deed switch { "hold" => "be held", "release" => "be released", "drop" => "be removed", _ => "be tried" }}; to do it, say it again with --all-matching.");
    }

    static async Task<int> RuleAsync(Invocation invocation)
    {
        switch (invocation.Arguments[0])
        {
            case "list":
                return invocation.Print(await invocation.Server.GetAsync("queue-rules"), ["ID", "SINCE", "HELD", "WHAT", "NOTE"],
                    rule => [rule.Text("id"), rule.Time("created"), rule.Text("hits"), rule.Text("filter"), rule.Text("note")]);
            case "add":
                var note = invocation.Value("--note") is { } text ? ["note=" + Uri.EscapeDataString(text)] : Array.Empty<string>();
                return invocation.Print(await invocation.Server.PostAsync("queue-rules?" + Query(invocation, note)), rule => rule.Text("id"));
            case "remove" when invocation.Arguments.Count == 2:
                var id = Id(invocation, 1);
                return invocation.Print(await invocation.Server.DeleteAsync("queue-rules/" + id), _ => $"Rule {id} is removed; what it holds stays held: cbamail queue release --rule {id} --all-matching");
            default:
                throw new Refused("Say cbamail queue rule add, queue rule list, or queue rule remove ID", 2);
        }
    }
}
