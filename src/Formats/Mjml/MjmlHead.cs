using System.Collections.Frozen;
using System.Text;

namespace CbaMail.Mjml;

/// <summary>What the head of a document says.</summary>
sealed class MjmlHead
{
    readonly Dictionary<string, Dictionary<string, string>> defaults = [];
    readonly Dictionary<string, Dictionary<string, string>> classes = [];
    readonly Dictionary<(string Class, string Element), IReadOnlyDictionary<string, string>> classDefaults = [];

    public string Title { get; private set; } = "";
    public string Preview { get; private set; } = "";

    /// <summary>In pixels: narrower screens stack the columns.</summary>
    public string Breakpoint { get; private set; } = "480px";
    public List<(string Name, string Href)> Fonts { get; } = [];
    public StringBuilder Styles { get; } = new();
    public StringBuilder InlineStyles { get; } = new();
    public StringBuilder Raw { get; } = new();
    public List<(string Selector, string Name, string Value)> Attributes { get; } = [];

    public static MjmlHead Of(MjmlNode? node)
    {
        var head = new MjmlHead();
        foreach (var child in node?.Children ?? [])
            switch (child.Name)
            {
                case "mj-title": head.Title = child.Content; break;
                case "mj-preview": head.Preview = child.Content; break;
                case "mj-breakpoint": head.Breakpoint = child.Attributes.GetValueOrDefault("width", head.Breakpoint); break;
                case "mj-font" when child.Attributes.TryGetValue("name", out var name) && child.Attributes.TryGetValue("href", out var href): head.Fonts.Add((name, href)); break;
                case "mj-style": (child.Attributes.GetValueOrDefault("inline") == "inline" ? head.InlineStyles : head.Styles).Append(child.Content).Append('\n'); break;
                case MjmlElements.Raw: head.Raw.Append(child.Content).Append('\n'); break;
                case "mj-attributes": head.Defaults(child); break;
                case "mj-html-attributes": head.HtmlAttributes(child); break;
            }
        return head;
    }

    void Defaults(MjmlNode node)
    {
        foreach (var child in node.Children)
        {
            if (child.Name != "mj-class") { Set(defaults, child.Name, child.Attributes); continue; }
            if (!child.Attributes.TryGetValue("name", out var name)) continue;
            Set(classes, name, child.Attributes.Where(one => one.Key != "name"));
            foreach (var inner in child.Children) classDefaults[(name, inner.Name)] = inner.Attributes;
        }
    }

    void HtmlAttributes(MjmlNode node)
    {
        foreach (var selector in node.Children)
            if (selector.Attributes.TryGetValue("path", out var path))
                foreach (var one in selector.Children)
                    if (one.Attributes.TryGetValue("name", out var name)) Attributes.Add((path, name, one.Content));
    }

    static void Set(Dictionary<string, Dictionary<string, string>> all, string name, IEnumerable<KeyValuePair<string, string>> values)
    {
        if (!all.TryGetValue(name, out var own)) all[name] = own = [];
        foreach (var (key, value) in values) own[key] = value;
    }

    /// <summary>
    /// The attributes of an element, the later going before: the component's own defaults, mj-all, what its parent hands on, the defaults of
    /// its element, its classes, what a class of its parent says for it, and what it says itself.
    /// </summary>
    public Dictionary<string, string> Resolve(MjmlNode node, string parentClass, IReadOnlyDictionary<string, string>? given)
    {
        var attributes = new Dictionary<string, string>(MjmlElements.Find(node.Name)?.Defaults ?? FrozenDictionary<string, string>.Empty, StringComparer.Ordinal);
        Take(defaults.GetValueOrDefault("mj-all"));
        Take(given);
        Take(defaults.GetValueOrDefault(node.Name));
        string? css = null;
        foreach (var name in Classes(node.Attributes.GetValueOrDefault("mj-class", "")))
        {
            if (!classes.TryGetValue(name, out var own)) continue;
            Take(own);
            if (!own.TryGetValue("css-class", out var more)) continue;
            css = css is null ? more : css + " " + more;
            attributes["css-class"] = css;
        }
        foreach (var name in Classes(parentClass)) Take(classDefaults.GetValueOrDefault((name, node.Name)));
        Take(node.Attributes);
        attributes.Remove("mj-class");
        foreach (var (name, value) in attributes)
            if (value.Length == 4 && value[0] == '#' && (name == "color" || name.EndsWith("-color", StringComparison.Ordinal)) && value.AsSpan(1).IndexOfAnyExcept("0123456789abcdefABCDEF") < 0)
                attributes[name] = string.Concat("#", new string(value[1], 2), new string(value[2], 2), new string(value[3], 2)); // Outlook knows only six digits
        return attributes;

        void Take(IReadOnlyDictionary<string, string>? more)
        {
            foreach (var (name, value) in more ?? new Dictionary<string, string>()) attributes[name] = value;
        }

        static string[] Classes(string names) => names.Split(' ', StringSplitOptions.RemoveEmptyEntries);
    }
}
