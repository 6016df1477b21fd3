namespace CbaMail.Mjml;

/// <summary>mj-image; mj-carousel, whose images stand below each other: what turns is shown by few mail programs, and there one image is seen instead of all.</summary>
static class MjmlImage
{
    public static void Write(MjmlBody body, MjmlPart part)
    {
        body.Styles["mj-image"] = $"@media only screen and (max-width:{body.BelowBreakpoint}) {{\ntable.mj-full-width-mobile {{ width:100% !important; }}\ntd.mj-full-width-mobile {{ width:auto !important; }}\n}}";
        var full = part["full-width"] == "full-width";
        var width = part["width"] is { } own ? Math.Min(part.Inner, MjmlLength.Whole(own)) : part.Inner;
        var fluid = part.Is("fluid-on-mobile") ? "mj-full-width-mobile" : null;
        body.Output.Layout(("style", MjmlOutput.Css(("min-width", full ? "100%" : null), ("max-width", full ? "100%" : null), ("width", full ? MjmlLength.Pixels(width) : null), ("border-collapse", "collapse"), ("border-spacing", "0px"))), ("class", fluid))
            .Tag("tbody").Tag("tr").Tag("td", ("style", full ? null : $"width:{MjmlLength.Pixels(width)};"), ("class", fluid));
        Image(body.Output, part, width, MjmlOutput.Css([.. MjmlBody.Border(part), ("display", "block"), ("outline", "none"), ("text-decoration", "none"), ("height", part["height"]), ("max-height", part["max-height"]),
            ("min-width", full ? "100%" : null), ("width", "100%"), ("max-width", full ? "100%" : null), ("font-size", part["font-size"])]));
        body.Output.End("td", "tr", "tbody", "table");
    }

    static void Image(MjmlOutput output, MjmlPart part, double width, string? style)
    {
        var link = part["href"] is not null;
        if (link) output.Tag("a", ("href", part["href"]), ("target", part["target"]), ("rel", part["rel"]), ("name", part["name"]), ("title", part["title"]));
        output.Tag("img", ("alt", part["alt"] ?? ""), ("src", part["src"]), ("srcset", part["srcset"]), ("sizes", part["sizes"]), ("style", style), ("title", part["title"]), ("width", MjmlLength.Text(width)), ("usemap", part["usemap"]),
            ("height", part["height"] is not { } height ? null : height == "auto" ? height : MjmlLength.Text(MjmlLength.Whole(height))));
        if (link) output.End("a");
    }

    public static void WriteCarousel(MjmlBody body, MjmlPart part) => body.Children(part, new(part.Inner), image =>
    {
        body.Output.Tag("div", ("class", image["css-class"]));
        Image(body.Output, image, Math.Truncate(part.Inner), MjmlOutput.Css(("border", "0"), ("border-radius", image["border-radius"] ?? part["border-radius"]), ("display", "block"), ("width", MjmlLength.Pixels(part.Inner)), ("max-width", "100%"), ("height", "auto")));
        body.Output.End("div");
    });
}
