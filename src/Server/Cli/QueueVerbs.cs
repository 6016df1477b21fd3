using System.Globalization;
using System.Text;
using System.Text.Json;

namespace CbaMail.Cli;

/// <summary><c>queue list | show | retry | hold | release | drop</c>.</summary>
static class QueueVerbs
{
    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("queue list", "", "list the mail that waits to leave", Verb.Client, ListAsync),
        new("queue show", "ID", "show a waiting message with its recipients", Verb.Client, ShowAsync),
        new("queue retry", "[ID]", "try a message again now, or all of them", Verb.Client, RetryAsync),
        new("queue hold", "[ID]", "keep a message from being tried, or all until the release or a restart", Verb.Client, invocation => DeedAsync(invocation, "hold", "is held")),
        new("queue release", "[ID]", "end the hold of a message, or the one of all", Verb.Client, invocation => DeedAsync(invocation, "release", "is released")),
        new("queue drop", "ID", "remove a message without telling its sender", Verb.Client, DropAsync),
    ];

    static string Id(Invocation invocation) =>
        long.TryParse(invocation.Arguments[0], NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            ? id.ToString(CultureInfo.InvariantCulture)
            : throw new Refused($"\"{invocation.Arguments[0]}\" is no queue id; list them with: cbamail queue list");

    static async Task<int> ListAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.GetAsync("queue"), ["ID", "SINCE", "SIZE", "FROM", "RECIPIENTS", "STATE"], entry =>
        {
            var recipients = entry.Items("recipients").ToList();
            return
            [
                entry.Text("id"), entry.Time("created"), entry.Size("size"), entry.Text("sender") is { Length: > 0 } sender ? sender : "<>",
                recipients.Count == 1 ? recipients[0].Text("address") : recipients.Count.ToString(CultureInfo.InvariantCulture),
                string.Join(',', recipients.Select(recipient => recipient.Text("state")).Distinct()),
            ];
        });

    static async Task<int> ShowAsync(Invocation invocation) => invocation.Print(await invocation.Server.GetAsync("queue/" + Id(invocation)), Details);

    static string Details(JsonElement entry)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"Id       {entry.Text("id")}\nFrom     <{entry.Text("sender")}>\nSize     {entry.Size("size")}\nSince    {entry.Time("created")}\nExpires  {entry.Time("expires")}");
        foreach (var recipient in entry.Items("recipients"))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n\n  <{recipient.Text("address")}>  {recipient.Text("state")}, {recipient.Text("attempts")} attempts, next {recipient.Time("nextAttempt")}");
            if (recipient.Text("lastReply") is { Length: > 0 } reply) text.Append(CultureInfo.InvariantCulture, $"\n    {(recipient.Text("lastHost") is { Length: > 0 } host ? host + " said: " : "")}{reply}");
        }
        return text.ToString();
    }

    static async Task<int> RetryAsync(Invocation invocation)
    {
        var path = invocation.Arguments.Count == 0 ? "queue/retry" : $"queue/{Id(invocation)}/retry";
        return invocation.Print(await invocation.Server.PostAsync(path), answer => $"{answer.Text("recipients")} recipients are due now.");
    }

    static async Task<int> DeedAsync(Invocation invocation, string deed, string sentence)
    {
        if (invocation.Arguments.Count == 0) return invocation.Print(await invocation.Server.PostAsync("queue/" + deed), _ => $"The queue {sentence}.");
        var id = Id(invocation);
        return invocation.Print(await invocation.Server.PostAsync($"queue/{id}/{deed}"), _ => $"Message {id} {sentence}.");
    }

    static async Task<int> DropAsync(Invocation invocation)
    {
        var id = Id(invocation);
        return invocation.Print(await invocation.Server.DeleteAsync("queue/" + id), _ => $"Message {id} is removed.");
    }
}
