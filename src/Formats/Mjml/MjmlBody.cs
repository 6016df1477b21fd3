namespace CbaMail.Mjml;

/// <summary>The body in writing: the output, and what its components need in the head.</summary>
sealed class MjmlBody(MjmlHead head)
{
    int names;

    public MjmlOutput Output { get; } = new();

    /// <summary>Classes that hold above the breakpoint, with their declarations.</summary>
    public Dictionary<string, string> Responsive { get; } = [];

    /// <summary>Style sheets of components, once each.</summary>
    public Dictionary<string, string> Styles { get; } = [];

    public string NewName(string stem) => $"{stem}-{++names}";

    /// <summary>"479px" for a breakpoint of 480px.</summary>
    public string BelowBreakpoint => MjmlLength.Pixels(MjmlLength.Whole(head.Breakpoint) - 1);

    public void Write(MjmlNode node, string language, string direction)
    {
        var part = new MjmlPart(node, new(600), head.Resolve(node, "", null));
        var background = MjmlOutput.Css(("word-spacing", "normal"), ("background-color", part["background-color"]));
        Output.Tag("body", ("id", part["id"]), ("class", part["css-class"]), ("style", background));
        if (head.Preview.Length > 0)
            Output.Tag("div", ("style", "display:none;font-size:1px;color:#ffffff;line-height:1px;max-height:0px;max-width:0px;opacity:0;overflow:hidden;")).Write(head.Preview).End("div");
        Output.Tag("div", ("aria-label", head.Title.Length > 0 ? head.Title : null), ("aria-roledescription", "email"), ("role", "article"), ("lang", language), ("dir", direction), ("style", background));
        Children(part, new(MjmlLength.Number(part["width"])), Component);
        Output.End("div", "body");
    }

    /// <summary>Writes the children of a component; raw ones as they are, the others by <paramref name="write"/>.</summary>
    /// <param name="place">Where they stand; which of how many is added.</param>
    /// <param name="given">Attributes that the parent hands on.</param>
    public void Children(MjmlPart parent, MjmlPlace place, Action<MjmlPart> write, IReadOnlyDictionary<string, string>? given = null)
    {
        var children = parent.Node.Children;
        var components = children.Count(child => !child.IsRaw);
        var parentClass = parent.Node.Attributes.GetValueOrDefault("mj-class", parent.Place.ParentClass);
        for (var i = 0; i < children.Count; i++)
        {
            if (children[i].IsRaw) { Output.Write(children[i].Content); continue; }
            var at = place with { Index = i, Siblings = children.Count, Components = components, ParentClass = parentClass };
            write(new(children[i], at, head.Resolve(children[i], parentClass, given)));
        }
    }

    /// <summary>A component that no parent gives.</summary>
    public MjmlPart Missing(string name, MjmlPlace place, IReadOnlyDictionary<string, string> given)
    {
        var node = new MjmlNode(name, new Dictionary<string, string>(), 0, 0);
        return new(node, place, head.Resolve(node, "", given));
    }

    public void Component(MjmlPart part)
    {
        switch (part.Node.Name)
        {
            case "mj-section": MjmlSection.Write(this, part); break;
            case "mj-wrapper": MjmlSection.Write(this, part); break;
            case "mj-hero": MjmlHero.Write(this, part); break;
            case "mj-column": MjmlColumn.Write(this, part); break;
            case "mj-group": MjmlColumn.WriteGroup(this, part); break;
            case "mj-text": MjmlText.Write(this, part); break;
            case "mj-table": MjmlText.WriteTable(this, part); break;
            case "mj-spacer": MjmlText.WriteSpacer(this, part); break;
            case "mj-divider": MjmlText.WriteDivider(this, part); break;
            case "mj-button": MjmlButton.Write(this, part); break;
            case "mj-image": MjmlImage.Write(this, part); break;
            case "mj-carousel": MjmlImage.WriteCarousel(this, part); break;
            case "mj-social": MjmlSocial.Write(this, part); break;
            case "mj-navbar": MjmlNavbar.Write(this, part); break;
            case "mj-accordion": MjmlAccordion.Write(this, part); break;
        }
    }

    /// <summary>A component in its row of a column or a hero.</summary>
    public void Row(MjmlPart part)
    {
        Output.Tag("tr").Tag("td", ("align", part["align"]), ("class", part["css-class"]), ("style", MjmlOutput.Css(
            [("background", part["container-background-color"]), ("font-size", "0px"), .. Padding(part), ("word-break", "break-word")])));
        Component(part);
        Output.End("td", "tr").Write("\n");
    }

    public static (string, string?)[] Padding(MjmlPart part, string name = "padding") =>
        [(name == "padding" ? name : "padding", part[name]), ("padding-top", part[name + "-top"]), ("padding-right", part[name + "-right"]), ("padding-bottom", part[name + "-bottom"]), ("padding-left", part[name + "-left"])];

    public static (string, string?)[] Border(MjmlPart part, string name = "border") =>
        [("border", part[name]), ("border-top", part[name + "-top"]), ("border-right", part[name + "-right"]), ("border-bottom", part[name + "-bottom"]), ("border-left", part[name + "-left"]), ("border-radius", part[name + "-radius"])];
}
