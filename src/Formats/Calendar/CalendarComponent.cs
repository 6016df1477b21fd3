namespace CbaMail.Calendar;

/// <summary>A content line (RFC 5545 3.1): its name in upper case, its parameters, its value as it stands (text is still escaped).</summary>
public sealed record CalendarProperty(string Name, IReadOnlyList<KeyValuePair<string, string>> Parameters, string Value)
{
    public CalendarProperty(string name, string value) : this(name, [], value) { }

    /// <summary>A parameter's value, of several the first; or null.</summary>
    public string? Parameter(string name)
    {
        foreach (var (key, value) in Parameters)
            if (key.Equals(name, StringComparison.OrdinalIgnoreCase)) return value;
        return null;
    }

    /// <summary>The value as text (RFC 5545 3.3.11).</summary>
    public string Text => CalendarText.Unescape(Value);

    /// <summary>The address of a person or thing (RFC 5545 3.3.3, <c>mailto:</c>), or null.</summary>
    public string? Mailbox => Value.Trim() is var value && value.StartsWith("mailto:", StringComparison.OrdinalIgnoreCase) ? Uri.UnescapeDataString(value[7..]).Trim() : null;
}

/// <summary>What stands between BEGIN and END (RFC 5545 3.6).</summary>
public sealed record CalendarComponent(string Name)
{
    public List<CalendarProperty> Properties { get; init; } = [];
    public List<CalendarComponent> Components { get; init; } = [];

    /// <summary>The first property of the name, or null.</summary>
    public CalendarProperty? Find(string name) => Properties.Find(property => property.Name == name);

    public IEnumerable<CalendarProperty> All(string name) => Properties.Where(property => property.Name == name);

    public IEnumerable<CalendarComponent> Inside(string name) => Components.Where(component => component.Name == name);

    public CalendarComponent With(string name, string value)
    {
        Properties.Add(new(name, value));
        return this;
    }
}
