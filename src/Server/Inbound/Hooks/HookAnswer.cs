using System.Text.Json;
using CbaMail.Envelope;

namespace CbaMail.Inbound.Hooks;

/// <summary>What a hook answers: version 1 of docs/hook-answer.schema.json. Nothing at all means: accept.</summary>
sealed class HookAnswer
{
    /// <summary>Bytes of an answer.</summary>
    public const int MaxBytes = 1 << 20;
    const int MostChanges = 1000;
    const int MaxReason = 400;

    public static readonly HookAnswer Accept = new();

    public Disposition Action { get; private init; }
    /// <summary>For Refuse and Defer.</summary>
    public Refusal? Refusal { get; private init; }
    public string Reason { get; private init; } = "";
    public IReadOnlyList<(string Name, string Value)> AddHeaders { get; private init; } = [];
    public IReadOnlyList<string> RemoveHeaders { get; private init; } = [];
    /// <summary>Null for no change, empty for the null reverse-path.</summary>
    public string? SetSender { get; private init; }
    public IReadOnlyList<string> AddRecipients { get; private init; } = [];
    public IReadOnlyList<string> RemoveRecipients { get; private init; } = [];

    public bool HasChanges => AddHeaders.Count + RemoveHeaders.Count + AddRecipients.Count + RemoveRecipients.Count > 0 || SetSender is not null;

    /// <exception cref="HookTrouble">It is no answer.</exception>
    public static HookAnswer Read(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Span.Trim(" \t\r\n"u8).IsEmpty) return Accept;
        try
        {
            using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 16 });
            return Read(document.RootElement);
        }
        catch (JsonException e) { throw new HookTrouble("its answer is not JSON", e); }
        catch (InvalidOperationException e) { throw new HookTrouble("its answer holds text that is none", e); } // lone surrogates
    }

    static HookAnswer Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object) throw new HookTrouble("its answer is not a JSON object");
        var word = Text(root, "action") ?? "accept";
        var action = word switch
        {
            "accept" => Disposition.Accept,
            "reject" => Disposition.Refuse,
            "defer" => Disposition.Defer,
            "discard" => Disposition.Discard,
            "junk" => Disposition.Junk,
            "quarantine" => Disposition.Quarantine,
            _ => throw new HookTrouble($"there is no action \"{Shown(word)}\""),
        };
        var reason = Shown(Text(root, "reason") ?? "");
        return new HookAnswer
        {
            Action = action,
            Reason = reason,
            Refusal = action is Disposition.Refuse or Disposition.Defer ? MakeRefusal(root, action, reason) : null,
            AddHeaders = List(root, "addHeaders", Header),
            RemoveHeaders = List(root, "removeHeaders", each => Word("removeHeaders", each)),
            SetSender = Text(root, "setSender"),
            AddRecipients = List(root, "addRecipients", each => Word("addRecipients", each)),
            RemoveRecipients = List(root, "removeRecipients", each => Word("removeRecipients", each)),
        };
    }

    // a code or a status of another class than the action's would say something else to the client (RFC 5321 4.2.1, RFC 3463 2)
    static Refusal MakeRefusal(JsonElement root, Disposition action, string reason)
    {
        var kind = action == Disposition.Refuse ? 5 : 4;
        var usual = kind == 5 ? FilterPause.Rejected : FilterPause.Deferred;
        var code = root.TryGetProperty("code", out var number) && number.ValueKind == JsonValueKind.Number && number.TryGetInt32(out var given) && given / 100 == kind ? given : usual.SmtpCode;
        var status = Text(root, "status") is { } text && EnhancedStatus.TryParse(text, out var parsed) && parsed.Class == kind ? parsed.ToString() : usual.Status;
        return usual with { SmtpCode = code, Status = status, Sentence = reason.Length > 0 ? reason : usual.Sentence };
    }

    static (string, string) Header(JsonElement each)
    {
        if (each.ValueKind != JsonValueKind.Object || Text(each, "name") is not { } name || Text(each, "value") is not { } value)
            throw new HookTrouble("addHeaders takes objects with name and value");
        // RFC 5322 2.2
        if (name.Length is 0 or > 100 || name.AsSpan().ContainsAnyExceptInRange('!', '~') || name.Contains(':', StringComparison.Ordinal)) throw new HookTrouble($"\"{Shown(name)}\" is no name of a field");
        return (name, value);
    }

    static List<T> List<T>(JsonElement root, string name, Func<JsonElement, T> read)
    {
        if (!root.TryGetProperty(name, out var array) || array.ValueKind == JsonValueKind.Null) return [];
        if (array.ValueKind != JsonValueKind.Array) throw new HookTrouble($"{name} takes a list");
        if (array.GetArrayLength() > MostChanges) throw new HookTrouble($"{name} has more than {MostChanges} entries");
        return [.. array.EnumerateArray().Select(read)];
    }

    static string Word(string name, JsonElement each) =>
        each.ValueKind == JsonValueKind.String ? each.GetString()! : throw new HookTrouble($"{name} takes texts");

    static string? Text(JsonElement element, string name)
    {
        if (!element.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return null;
        return value.ValueKind == JsonValueKind.String ? value.GetString() : throw new HookTrouble($"{name} takes a text");
    }

    static string Shown(string text) => new([.. text.ReplaceLineEndings(" ").Take(MaxReason).Select(c => char.IsControl(c) ? '?' : c)]);
}
