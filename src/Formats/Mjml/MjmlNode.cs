namespace CbaMail.Mjml;

/// <summary>An element of a document.</summary>
/// <param name="Name">In lower case.</param>
/// <param name="Attributes">As written, entities too.</param>
sealed record MjmlNode(string Name, IReadOnlyDictionary<string, string> Attributes, int Line, int Column)
{
    /// <summary>Between the tags of an element that holds text or HTML, trimmed.</summary>
    public string Content { get; init; } = "";

    public List<MjmlNode> Children { get; } = [];

    /// <summary>Written as it is: it stands between components and is none.</summary>
    public bool IsRaw => Name == MjmlElements.Raw;

    public MjmlNode? Child(string name) => Children.Find(child => child.Name == name);
}
