using System.Text.Json;
using System.Text.Encodings.Web;
using CbaMail.Authorization;
using CbaMail.Mailings;
using CbaMail.Queue;
using CbaMail.Reports;

namespace CbaMail.Webhooks;

/// <summary>How events are called, and what they say.</summary>
public static class WebhookEvents
{
    const string Root = "/api/v1/";
    /// <summary>Larger states before and after a change are left out: whoever wants them asks the API.</summary>
    const int LongestState = 64 << 10;

    static readonly JsonWriterOptions Written = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }; // Cyrillic stays readable

    /// <summary>Those that are no changes by the API.</summary>
    public static readonly IReadOnlyList<string> OfMail = ["mailing.finished", "message.bounced", "message.complained", "message.deferred", "message.delivered", "message.dropped", "test"];

    /// <summary>
    /// The event that a change by the API is: what its path names, in the singular, and created, changed or removed; a path that ends in a deed
    /// is called by that, as in <c>account.rename</c>.
    /// </summary>
    /// <param name="action">Method and path: <c>PATCH /api/v1/accounts/{address}</c>.</param>
    public static string NameOf(string action)
    {
        var (method, path) = action.Split(' ', 2) is [var first, var second] ? (first, second) : ("", action);
        if (path.StartsWith(Root, StringComparison.Ordinal)) path = path[Root.Length..];
        var words = path.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(word => word[0] != '{').ToArray();
        if (words.Length == 0) return action;
        var deed = method switch { "PATCH" or "PUT" => ".changed", "DELETE" => ".removed", _ => Singular(words[^1]) != words[^1] ? ".created" : "" };
        return string.Join('.', words.Select(Singular)) + deed;
    }

    static string Singular(string word) =>
        word is "aliases" or "mailboxes" or "public-suffixes" ? word[..^2]
        : word.EndsWith("ies", StringComparison.Ordinal) ? word[..^3] + "y"
        : word.EndsWith('s') ? word[..^1] : word;

    /// <summary>Whether a webhook with this pattern wants the event: its name, <c>*</c>, or a beginning as in <c>account.*</c>.</summary>
    public static bool Fits(string pattern, string name) =>
        pattern == name || pattern == "*" || (pattern.EndsWith(".*", StringComparison.Ordinal) && name.StartsWith(pattern[..^1], StringComparison.Ordinal));

    /// <summary>The body that is posted.</summary>
    internal static byte[] Body(string id, string name, DateTimeOffset at, Action<Utf8JsonWriter> data)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, Written))
        {
            json.WriteStartObject();
            json.WriteString("id", id);
            json.WriteString("event", name);
            json.WriteString("at", at.UtcDateTime);
            json.WriteStartObject("data");
            data(json);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return bytes.ToArray();
    }

    internal static void Write(Utf8JsonWriter json, AuditEntry entry)
    {
        json.WriteString("caller", entry.Caller);
        json.WriteString("address", entry.Address);
        json.WriteString("action", entry.Action);
        json.WriteString("subject", entry.Subject);
        json.WriteNumber("status", entry.Status);
        foreach (var (name, state) in new[] { ("before", entry.Before), ("after", entry.After) })
        {
            json.WritePropertyName(name);
            if (state is null or { Length: > LongestState }) json.WriteNullValue(); else json.WriteRawValue(state);
        }
    }

    internal static void Write(Utf8JsonWriter json, QueuedMessage message, RecipientOutcome outcome)
    {
        json.WriteNumber("queueId", message.Id);
        json.WriteString("messageId", message.MessageId);
        json.WriteString("sender", message.ReversePath?.ToString() ?? "");
        json.WriteString("recipient", outcome.Recipient.Address.ToString());
        if (message.Mailing is { } mailing) json.WriteNumber("mailing", mailing); else json.WriteNull("mailing");
        json.WriteString("reply", outcome.Reply);
        json.WriteString("host", outcome.Host);
        json.WriteString("cause", outcome.State == OutcomeState.Delivered ? null : outcome.Verdict.Word);
        if (outcome.NextAttempt is { } next) json.WriteString("nextAttempt", next.UtcDateTime); else json.WriteNull("nextAttempt");
    }

    internal static void Write(Utf8JsonWriter json, ReceivedComplaint complaint)
    {
        json.WriteString("type", complaint.Type);
        json.WriteString("author", complaint.Author);
        json.WriteBoolean("trusted", complaint.Trusted);
        json.WriteString("recipient", complaint.Recipient);
        json.WriteString("sender", complaint.Sender);
        json.WriteString("messageId", complaint.MessageId);
        if (complaint.Mailing is { } mailing) json.WriteNumber("mailing", mailing); else json.WriteNull("mailing");
        json.WriteString("effect", complaint.Effect);
    }

    internal static void Write(Utf8JsonWriter json, long mailing, LedgerCounts counts)
    {
        json.WriteNumber("mailing", mailing);
        json.WriteNumber("total", counts.Total);
        json.WriteNumber("delivered", counts.Delivered);
        json.WriteNumber("queued", counts.Queued + counts.Deferred);
        json.WriteNumber("bounced", counts.Bounced);
        json.WriteNumber("skipped", counts.Skipped);
    }
}
