using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;

namespace CbaMail.Http;

/// <summary>Puts what the source says of a field (its XML comment, which lies beside the program) into the schemas of the OpenAPI document.</summary>
sealed partial class SchemaComments
{
    readonly Dictionary<string, string> comments = new(StringComparer.Ordinal);

    /// <summary>Without the file the schemas have no descriptions.</summary>
    public SchemaComments()
    {
        var file = Path.ChangeExtension(typeof(SchemaComments).Assembly.Location, ".xml");
        if (!File.Exists(file)) return;
        using var reader = XmlReader.Create(file);
        while (reader.ReadToFollowing("member"))
            if (reader.GetAttribute("name") is { } name && name.StartsWith("P:", StringComparison.Ordinal) && XNode.ReadFrom(reader) is XElement member && member.Element("summary") is { } summary)
                comments[name] = Text(summary);
    }

    /// <summary>For <see cref="JsonSchemaExporterOptions.TransformSchemaNode"/>.</summary>
    public JsonNode Describe(JsonSchemaExporterContext context, JsonNode schema)
    {
        if (context.PropertyInfo?.AttributeProvider is PropertyInfo { DeclaringType: { } type } property && schema is JsonObject node
            && comments.TryGetValue($"P:{type.FullName!.Replace('+', '.')}.{property.Name}", out var comment)) node["description"] = comment;
        return schema;
    }

    // <see cref="P:A.B.C"/> is C; what stands between other tags is text
    static string Text(XElement summary) => Blank().Replace(string.Concat(summary.Nodes().Select(node => node switch
    {
        XText text => text.Value,
        XElement { Value.Length: > 0 } element => element.Value,
        XElement element => (element.Attribute("cref") ?? element.Attribute("langword"))?.Value.Split('.', ':')[^1] ?? "",
        _ => "",
    })), " ").Trim();

    [GeneratedRegex(@"\s+")] private static partial Regex Blank();
}
