using System.Globalization;
using System.Text;
using System.Text.Json;

namespace CbaMail.Cli;

/// <summary><c>message deliver</c>: one message from standard input through the delivery of local mail; <c>message trace</c>: where mail is.</summary>
static class MessageVerbs
{
    static readonly (string Option, string Field)[] Fields =
        [("--message-id", "message-id"), ("--from", "from"), ("--to", "to"), ("--queue", "queue"), ("--since", "since"), ("--until", "until"), ("--limit", "limit")];

    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("message deliver", "ADDRESS", "deliver the message on standard input",
            [new("--from", "ADDRESS", "sender of the envelope; default the null sender"), .. Verb.Client], DeliverAsync),
        new("message summary", "", "how much mail came, went and was refused, and why; of the last day",
            [new("--since", "TIME", "since 2h, 3d, or 2026-03-02T09:00Z (default 24h)"), new("--until", "TIME", "until then"), .. Verb.Client], SummaryAsync,
            "Made of what \"message trace\" knows: it is kept for queue.keep-finished (7 days). Copies of mailings stand in their ledgers."),
        new("message trace", "[TEXT]", "where mail is: what arrived, was refused, waits, has left",
            [
                new("--message-id", "TEXT", "the Message-ID"), new("--from", "TEXT", "the sender of the envelope"), new("--to", "TEXT", "a recipient"), new("--queue", "ID", "the queue id"),
                new("--since", "TIME", "since 2h, 3d, or 2026-03-02T09:00Z"), new("--until", "TIME", "until then"), new("--limit", "NUMBER", "at most so many messages; default 50"), .. Verb.Client,
            ], TraceAsync,
            "TEXT may stand anywhere in what is known: addresses, a client's address or name, a transaction's id, what a server replied.\nIt is kept for queue.keep-finished (7 days); copies of mailings as long as their mailing."),
    ];

    static async Task<int> SummaryAsync(Invocation invocation)
    {
        var query = ((string[])["since", "until"]).Where(field => invocation.Value("--" + field) is not null).Select(field => $"{field}={Uri.EscapeDataString(invocation.Value("--" + field)!)}");
        return invocation.Print(await invocation.Server.GetAsync("messages/summary?" + string.Join('&', query)), MailSummaryText.Of);
    }

    static async Task<int> DeliverAsync(Invocation invocation)
    {
        var path = "messages?to=" + Uri.EscapeDataString(invocation.Arguments[0])
            + (invocation.Value("--from") is { } from ? "&from=" + Uri.EscapeDataString(from) : "");
        var answer = await invocation.Server.PostAsync(path, Console.OpenStandardInput(), "message/rfc822");
        return invocation.Print(answer, _ => $"Delivered to {invocation.Arguments[0]}.");
    }

    static async Task<int> TraceAsync(Invocation invocation)
    {
        var query = Fields.Where(field => invocation.Value(field.Option) is not null).Select(field => $"{field.Field}={Uri.EscapeDataString(invocation.Value(field.Option)!)}");
        if (invocation.Arguments.Count > 0) query = query.Append("text=" + Uri.EscapeDataString(invocation.Arguments[0]));
        var found = await invocation.Server.GetAsync("messages/trace?" + string.Join('&', query));
        if (invocation.Json) invocation.Print(found.GetRawText());
        else if (found.GetArrayLength() == 0) invocation.Print("Nothing is known of such a message.");
        else foreach (var message in found.EnumerateArray()) invocation.Print(Story(message));
        return 0;
    }

    static string Story(JsonElement message)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{message.Time("at")}  from <{message.Text("sender")}>");
        if (message.Text("messageId") is { Length: > 0 } id) text.Append(CultureInfo.InvariantCulture, $"  <{id}>");
        if (message.Number("size") > 0) text.Append("  ").Append(message.Size("size"));
        var source = new List<string>();
        if (message.TryGetProperty("from", out var from) && from.ValueKind == JsonValueKind.Object)
            source.Add($"by {from.Text("address")}{(from.Text("hello") is { Length: > 0 } hello ? $" ({hello})" : "")}{(from.Text("account") is { Length: > 0 } account ? $", signed in as {account}" : "")}{(from.Text("with") is { Length: > 0 } with ? $", {with}" : "")}");
        if (message.Text("arrival") is { Length: > 0 } arrival) source.Add("transaction " + arrival);
        if (message.Text("queueId") is { Length: > 0 } queue) source.Add("queue " + queue);
        if (message.Text("mailing") is { Length: > 0 } mailing) source.Add("mailing " + mailing);
        if (source.Count > 0) text.Append("\n  ").Append(string.Join(", ", source));
        if (message.Text("verdict") is { Length: > 0 } verdict) text.Append("\n  ").Append(verdict);
        foreach (var recipient in message.Items("recipients"))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n  -> <{recipient.Text("address")}>  {recipient.Text("state")}");
            if (recipient.Text("cause") is { Length: > 0 } cause) text.Append(CultureInfo.InvariantCulture, $" ({cause})");
            if (recipient.Text("detail") is { Length: > 0 } detail) text.Append(' ').Append(detail);
            foreach (var attempt in recipient.Items("history")) text.Append(CultureInfo.InvariantCulture, $"\n     {attempt.Time("at")}  {Said(attempt)}");
            // of one that still waits the last attempt stands above already
            if (recipient.Text("reply") is { Length: > 0 } && !(recipient.Text("nextAttempt").Length > 0 && recipient.Items("history").Any())) text.Append(CultureInfo.InvariantCulture, $"\n     {recipient.Time("at")}  {Said(recipient)}");
            if (recipient.Time("nextAttempt") is { Length: > 0 } next) text.Append(CultureInfo.InvariantCulture, $"\n     next attempt {next}");
        }
        return text.ToString();
    }

    static string Said(JsonElement attempt) =>
        (attempt.Text("host") is { Length: > 0 } host ? $"{host}{(attempt.Text("tls") is { Length: > 0 } tls ? $" ({tls})" : "")}: " : "") + attempt.Text("reply");
}
