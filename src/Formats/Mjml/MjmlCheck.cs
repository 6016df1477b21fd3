using System.Text.RegularExpressions;

namespace CbaMail.Mjml;

/// <summary>Looks whether everything stands where it may; attributes that mean nothing are warned of.</summary>
sealed partial class MjmlCheck(List<MjmlMessage> errors, List<MjmlMessage> warnings)
{
    const int MaxMessages = 50;

    // one to four lengths; a field of a template may be any of them
    [GeneratedRegex(@"^\s*(-?[\d.]+(px|%)?|auto)(\s+-?[\d.]+(px|%)?){0,3}\s*$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Lengths { get; }

    static readonly HashSet<string> Measured = ["width", "height", "padding", "padding-top", "padding-right", "padding-bottom", "padding-left", "inner-padding", "font-size", "border-width", "icon-size", "icon-height", "background-height", "background-width", "gap", "gutter"];

    public void Run(MjmlNode root)
    {
        Element(root, inDefaults: false);
        if (errors.Count == 0 && root.Child("mj-body") is null) Error(root, "The document has no <mj-body>: add it behind <mj-head>");
        foreach (var twice in (string[])["mj-body", "mj-head"])
            if (root.Children.Where(child => child.Name == twice).Skip(1).FirstOrDefault() is { } second) Error(second, $"<{twice}> stands here a second time: a document has one");
    }

    void Element(MjmlNode node, bool inDefaults)
    {
        var element = MjmlElements.Find(node.Name);
        if (element is not null) Attributes(node, element);
        foreach (var child in node.Children)
        {
            if (errors.Count >= MaxMessages) return;
            if (element?.Children is { } allowed && !inDefaults)
            {
                if (!allowed.Contains(child.Name)) { Misplaced(node, child); continue; }
            }
            else if (child.Name is not ("mj-all" or "mj-class") && MjmlElements.Find(child.Name) is null) Warn(child, $"There is no element <{child.Name}> to have defaults for");
            Element(child, inDefaults || element?.Children is null);
        }
    }

    void Misplaced(MjmlNode parent, MjmlNode child)
    {
        if (child.Name == "mj-include") Error(child, "<mj-include> reads no files here: put the text of the file in its place, or use a partial of the template book: {{> name}}");
        else if (MjmlElements.Find(child.Name) is null) Error(child, $"There is no element <{child.Name}>");
        else if (child.IsRaw) Error(child, $"A field or a comment may not stand in <{parent.Name}>");
        else if (MjmlElements.Parents(child.Name) is { Length: > 0 } parents) Error(child, $"<{child.Name}> may not stand in <{parent.Name}>: put it into {parents}");
        else Error(child, $"<{child.Name}> may not stand in <{parent.Name}>");
    }

    void Attributes(MjmlNode node, MjmlElement element)
    {
        foreach (var (name, value) in node.Attributes)
        {
            if (name is "css-class" or "mj-class" || element.Children is null) continue;
            if (!element.Attributes.Contains(name) && name is not ("xmlns" or "id" or "title" or "version")) Warn(node, $"<{node.Name}> has no attribute {name}");
            else if (Measured.Contains(name) && value.Length > 0 && !value.Contains("{{", StringComparison.Ordinal) && !Lengths.IsMatch(value)) Warn(node, $"{name}=\"{value}\" of <{node.Name}> is no length: write a number with px or %");
        }
    }

    void Error(MjmlNode node, string sentence) => errors.Add(new(node.Line, node.Column, sentence));

    void Warn(MjmlNode node, string sentence)
    {
        if (warnings.Count < MaxMessages) warnings.Add(new(node.Line, node.Column, sentence));
    }
}
