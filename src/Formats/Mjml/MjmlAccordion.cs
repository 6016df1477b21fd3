namespace CbaMail.Mjml;

/// <summary>mj-accordion: titles that open and close their text, where the mail program lets a checkbox do that; elsewhere all is open.</summary>
static class MjmlAccordion
{
    static readonly string[] Handed = ["border", "icon-align", "icon-width", "icon-height", "icon-position", "icon-wrapped-url", "icon-wrapped-alt", "icon-unwrapped-url", "icon-unwrapped-alt"];

    public static void Write(MjmlBody body, MjmlPart part)
    {
        body.Styles["mj-accordion"] = Style;
        body.Output.Tag("table", ("cellspacing", "0"), ("cellpadding", "0"), ("class", "mj-accordion"), ("style", MjmlOutput.Css(("width", "100%"), ("border-collapse", "collapse"), ("border", part["border"]), ("border-bottom", "none"), ("font-family", part["font-family"])))).Tag("tbody");
        body.Children(part, part.Place with { AccordionFont = part["font-family"] }, element => Element(body, element), Given(part));
        body.Output.End("tbody", "table");
    }

    static Dictionary<string, string> Given(MjmlPart part) => Handed.Where(name => part[name] is not null).ToDictionary(name => name, name => part[name]!);

    static void Element(MjmlBody body, MjmlPart part)
    {
        var output = body.Output;
        var place = part.Place with { AccordionFont = part["font-family"] ?? part.Place.AccordionFont };
        output.Tag("tr", ("class", part["css-class"])).Tag("td", ("style", MjmlOutput.Css(("padding", "0px"), ("background-color", part["background-color"]))))
            .Tag("label", ("class", "mj-accordion-element"), ("style", MjmlOutput.Css(("font-size", "13px"), ("font-family", part["font-family"]))))
            .Others().Tag("input", ("class", "mj-accordion-checkbox"), ("type", "checkbox"), ("style", "display:none;")).OthersDone().Tag("div");
        var given = Given(part);
        if (part.Node.Child("mj-accordion-title") is null) Title(output, body.Missing("mj-accordion-title", place, given));
        body.Children(part, place, child => { if (child.Node.Name == "mj-accordion-title") Title(output, child); else Text(output, child); }, given);
        if (part.Node.Child("mj-accordion-text") is null) Text(output, body.Missing("mj-accordion-text", place, given));
        output.End("div", "label", "td", "tr");
    }

    static string? Font(MjmlPart part) => part.Node.Attributes.GetValueOrDefault("font-family") ?? part.Place.AccordionFont;

    static void Title(MjmlOutput output, MjmlPart part)
    {
        output.Tag("div", ("class", "mj-accordion-title")).Tag("table", ("cellspacing", "0"), ("cellpadding", "0"), ("style", MjmlOutput.Css(("width", "100%"), ("border-bottom", part["border"])))).Tag("tbody").Tag("tr");
        var right = part["icon-position"] != "left";
        if (!right) Icons();
        output.Tag("td", ("class", part["css-class"]), ("style", MjmlOutput.Css([("width", "100%"), ("background-color", part["background-color"]), ("color", part["color"]), ("font-size", part["font-size"]), ("font-family", Font(part)),
            ("font-weight", part["font-weight"]), .. MjmlBody.Padding(part)]))).Write(part.Node.Content).End("td");
        if (right) Icons();
        output.End("tr", "tbody", "table", "div");

        void Icons()
        {
            var style = MjmlOutput.Css(("display", "none"), ("width", part["icon-width"]), ("height", part["icon-height"]));
            output.Others().Tag("td", ("class", "mj-accordion-ico"), ("style", MjmlOutput.Css(("padding", "16px"), ("background", part["background-color"]), ("vertical-align", part["icon-align"]))))
                .Tag("img", ("src", part["icon-wrapped-url"]), ("alt", part["icon-wrapped-alt"] ?? ""), ("class", "mj-accordion-more"), ("style", style))
                .Tag("img", ("src", part["icon-unwrapped-url"]), ("alt", part["icon-unwrapped-alt"] ?? ""), ("class", "mj-accordion-less"), ("style", style)).End("td").OthersDone();
        }
    }

    static void Text(MjmlOutput output, MjmlPart part) => output
        .Tag("div", ("class", "mj-accordion-content")).Tag("table", ("cellspacing", "0"), ("cellpadding", "0"), ("style", MjmlOutput.Css(("width", "100%"), ("border-bottom", part["border"])))).Tag("tbody").Tag("tr")
        .Tag("td", ("class", part["css-class"]), ("style", MjmlOutput.Css([("background", part["background-color"]), ("font-size", part["font-size"]), ("font-family", Font(part)), ("font-weight", part["font-weight"]),
            ("letter-spacing", part["letter-spacing"]), ("line-height", part["line-height"]), ("color", part["color"]), .. MjmlBody.Padding(part)]))).Write(part.Node.Content).End("td", "tr", "tbody", "table", "div");

    const string Style = """
        noinput.mj-accordion-checkbox { display:block !important; }
        @media yahoo, only screen and (min-width:0) {
        .mj-accordion-element { display:block; }
        .mj-accordion-checkbox[type="checkbox"], .mj-accordion-less { display:none !important; }
        .mj-accordion-checkbox[type="checkbox"] + * .mj-accordion-title { cursor:pointer; touch-action:manipulation; -webkit-user-select:none; -moz-user-select:none; user-select:none; }
        .mj-accordion-checkbox[type="checkbox"] + * .mj-accordion-content { overflow:hidden; display:none; }
        .mj-accordion-checkbox[type="checkbox"] + * .mj-accordion-more { display:block !important; }
        .mj-accordion-checkbox:checked + * .mj-accordion-content { display:block; }
        .mj-accordion-checkbox:checked + * .mj-accordion-more { display:none !important; }
        .mj-accordion-checkbox:checked + * .mj-accordion-less { display:block !important; }
        }
        .moz-text-html input.mj-accordion-checkbox + * .mj-accordion-title { cursor:auto; touch-action:auto; -webkit-user-select:auto; -moz-user-select:auto; user-select:auto; }
        .moz-text-html input.mj-accordion-checkbox + * .mj-accordion-content { overflow:hidden; display:block; }
        .moz-text-html input.mj-accordion-checkbox + * .mj-accordion-ico { display:none; }
        @goodbye { @gmail }
        """;
}
