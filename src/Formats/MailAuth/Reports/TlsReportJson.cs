using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace CbaMail.MailAuth.Reports;

/// <summary>The JSON of a report on TLS (RFC 8460 4.4, I-JSON), written strictly and read leniently.</summary>
public static class TlsReportJson
{
    /// <summary>Policies of a report, and failures of a policy.</summary>
    public const int MaxEntries = 10_000;

    // the document takes up to twelve times its text: of real ones a few kilobytes
    const int MaxOpen = 4 << 20;
    const long MaxCount = 1_000_000_000_000;
    const int MaxText = 4096;
    const int MaxStrings = 1000;

    /// <summary>The file, not compressed.</summary>
    public static byte[] Write(TlsReport report)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("organization-name", report.Organization);
            json.WriteStartObject("date-range");
            // RFC 8460 4.4: RFC 3339, UTC
            json.WriteString("start-datetime", Date(report.Start));
            json.WriteString("end-datetime", Date(report.End));
            json.WriteEndObject();
            json.WriteString("contact-info", report.Contact);
            json.WriteString("report-id", report.Id);
            json.WriteStartArray("policies");
            foreach (var policy in report.Policies) Policy(json, policy);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    static string Date(DateTimeOffset date) => date.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    static void Policy(Utf8JsonWriter json, TlsPolicyReport policy)
    {
        json.WriteStartObject();
        json.WriteStartObject("policy");
        json.WriteString("policy-type", policy.Type switch { TlsPolicyType.Tlsa => "tlsa", TlsPolicyType.Sts => "sts", _ => "no-policy-found" });
        if (policy.Strings.Count > 0) Strings(json, "policy-string", policy.Strings);
        json.WriteString("policy-domain", policy.Domain);
        if (policy.Hosts.Count > 0) Strings(json, "mx-host", policy.Hosts);
        json.WriteEndObject();
        json.WriteStartObject("summary");
        json.WriteNumber("total-successful-session-count", policy.Successes);
        json.WriteNumber("total-failure-session-count", policy.Failures);
        json.WriteEndObject();
        if (policy.Details.Count > 0)
        {
            json.WriteStartArray("failure-details");
            foreach (var failure in policy.Details)
            {
                json.WriteStartObject();
                json.WriteString("result-type", failure.Result);
                Optional(json, "sending-mta-ip", failure.SendingIp);
                Optional(json, "receiving-mx-hostname", failure.ReceivingHost);
                Optional(json, "receiving-mx-helo", failure.ReceivingHelo);
                Optional(json, "receiving-ip", failure.ReceivingIp);
                json.WriteNumber("failed-session-count", failure.Sessions);
                Optional(json, "additional-information", failure.AdditionalInformation);
                Optional(json, "failure-reason-code", failure.ReasonCode);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    static void Strings(Utf8JsonWriter json, string name, IReadOnlyList<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values) json.WriteStringValue(value);
        json.WriteEndArray();
    }

    static void Optional(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null) json.WriteString(name, value);
    }

    /// <summary>Reads a file, compressed or not; null with a sentence where it is no such report.</summary>
    public static TlsReport? Read(ReadOnlyMemory<byte> file, out string problem)
    {
        if (!ReportContainer.TryOpen(file, ".json", out var content, out problem, MaxOpen)) return null;
        try
        {
            // a byte order mark is no JSON, and occurs
            var bytes = content.AsMemory(content is [0xef, 0xbb, 0xbf, ..] ? 3 : 0);
            using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 16, CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("policies", out var policies) || policies.ValueKind != JsonValueKind.Array)
            {
                problem = "the file is no report on TLS: it has no policies";
                return null;
            }
            if (policies.GetArrayLength() > MaxEntries)
            {
                problem = $"the report has more than {MaxEntries} policies";
                return null;
            }
            root.TryGetProperty("date-range", out var range);
            return new TlsReport(Text(root, "organization-name") ?? "", Time(Text(range, "start-datetime")), Time(Text(range, "end-datetime")),
                Text(root, "contact-info") ?? "", Text(root, "report-id") ?? "", [.. policies.EnumerateArray().Select(Policy)]);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: half a surrogate pair in a string
            problem = "the report is no JSON that can be read";
            return null;
        }
    }

    static TlsPolicyReport Policy(JsonElement entry)
    {
        var policy = Member(entry, "policy");
        var summary = Member(entry, "summary");
        var type = Text(policy, "policy-type")?.ToLowerInvariant() switch { "tlsa" => TlsPolicyType.Tlsa, "sts" => TlsPolicyType.Sts, _ => TlsPolicyType.NoPolicyFound };
        var details = Member(entry, "failure-details");
        return new TlsPolicyReport(type, Texts(policy, "policy-string"), Text(policy, "policy-domain") ?? "",
            // RFC 8460 4.4 writes mx-host, its ABNF and some senders mx-host-pattern
            Texts(policy, "mx-host") is { Count: > 0 } hosts ? hosts : Texts(policy, "mx-host-pattern"),
            Number(summary, "total-successful-session-count"), Number(summary, "total-failure-session-count"),
            details.ValueKind == JsonValueKind.Array ? [.. details.EnumerateArray().Take(MaxEntries).Select(Failure)] : []);
    }

    static TlsFailure Failure(JsonElement entry) => new(Text(entry, "result-type") ?? "", Number(entry, "failed-session-count"))
    {
        SendingIp = Text(entry, "sending-mta-ip"),
        ReceivingHost = Text(entry, "receiving-mx-hostname"),
        ReceivingHelo = Text(entry, "receiving-mx-helo"),
        ReceivingIp = Text(entry, "receiving-ip"),
        AdditionalInformation = Text(entry, "additional-information") ?? Text(entry, "additional-info-uri"),
        ReasonCode = Text(entry, "failure-reason-code") ?? Text(entry, "failure-error-code"),
    };

    static JsonElement Member(JsonElement owner, string name) => owner.ValueKind == JsonValueKind.Object && owner.TryGetProperty(name, out var value) ? value : default;

    static string? Text(JsonElement owner, string name) => Cut(Member(owner, name));

    static string? Cut(JsonElement value)
    {
        var text = value.ValueKind switch { JsonValueKind.String => value.GetString(), JsonValueKind.Number => value.GetRawText(), _ => null };
        return text?.Length > MaxText ? text[..MaxText] : text;
    }

    // a single string where a list belongs is common
    static IReadOnlyList<string> Texts(JsonElement owner, string name) => Member(owner, name) is var value && value.ValueKind == JsonValueKind.Array
        ? [.. value.EnumerateArray().Take(MaxStrings).Select(Cut).OfType<string>()]
        : Cut(value) is { Length: > 0 } one ? [one] : [];

    static long Number(JsonElement owner, string name) =>
        long.TryParse(Text(owner, name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? Math.Min(number, MaxCount) : 0; // sums of them must not overflow

    static DateTimeOffset Time(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time : DateTimeOffset.UnixEpoch;
}
