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
        foreach (var property in document.RootElement.EnumerateObject()) fields[property.Name] = property.Value.GetString() ?? "";
        return fields;
    }

    static string Write(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Plain)) write(writer);
        return System.Text.Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }
}
