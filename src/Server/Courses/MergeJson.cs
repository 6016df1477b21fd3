using System.Text.Encodings.Web;
using System.Text.Json;

namespace CbaMail.Courses;

/// <summary>How merge fields are kept: JSON that people can read, the same bytes for the same values.</summary>
static class MergeJson
{
    static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Array(IEnumerable<string> texts) => Write(writer =>
    {
        writer.WriteStartArray();
        foreach (var text in texts) writer.WriteStringValue(text);
        writer.WriteEndArray();
    });

    public static string Object(IEnumerable<KeyValuePair<string, string>> fields) => Write(writer =>
    {
        writer.WriteStartObject();
        foreach (var (name, value) in fields) writer.WriteString(name, value);
        writer.WriteEndObject();
    });

    public static Dictionary<string, string> Read(string json)
    {
        var fields = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        using var document = JsonDocument.Parse(json);
        foreach (var property in document.RootElement.EnumerateObject()) fields[property.Name] = property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString()! : property.Value.GetRawText();
        return fields;
    }

    /// <summary>As templates see them: texts, and lists and objects where somebody brought such.</summary>
    public static Dictionary<string, object?> Values(string json)
    {
        using var document = JsonDocument.Parse(json);
        return Members(document.RootElement);
    }

    static Dictionary<string, object?> Members(JsonElement element)
    {
        var fields = new Dictionary<string, object?>(StringComparer.OrdinalIgnoreCase);
        foreach (var property in element.EnumerateObject()) fields[property.Name] = Value(property.Value);
        return fields;
    }

    static object? Value(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => element.GetString(),
        JsonValueKind.Number => element.GetDouble(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Array => (object?[])[.. element.EnumerateArray().Select(Value)],
        JsonValueKind.Object => Members(element),
        _ => null,
    };

    static string Write(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Plain)) write(writer);
        return System.Text.Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }
}
