namespace CbaMail.Mjml;

/// <summary>mj-text, mj-table, mj-spacer, mj-divider.</summary>
static class MjmlText
{
    public static void Write(MjmlBody body, MjmlPart part)
    {
        var output = body.Output;
        var height = part["height"];
        if (height is not null) output.Outlook().Layout().Tag("tr").Tag("td", ("height", height), ("style", $"vertical-align:top;height:{height};")).OutlookDone();
        output.Tag("div", ("style", MjmlOutput.Css(
            ("font-family", part["font-family"]), ("font-size", part["font-size"]), ("font-style", part["font-style"]), ("font-weight", part["font-weight"]), ("letter-spacing", part["letter-spacing"]),
            ("line-height", part["line-height"]), ("text-align", part["align"]), ("text-decoration", part["text-decoration"]), ("text-transform", part["text-transform"]), ("color", part["color"]), ("height", height))))
            .Write(part.Node.Content).End("div");
        if (height is not null) output.Outlook().End("td", "tr", "table").OutlookDone();
    }

    public static void WriteTable(MjmlBody body, MjmlPart part)
    {
        var width = part["width"] ?? "auto";
        var spaced = MjmlLength.Number(part["cellspacing"]) > 0;
        body.Output.Tag("table", ("cellpadding", part["cellpadding"]), ("cellspacing", part["cellspacing"]), ("role", part["role"]), ("width", width == "auto" || MjmlLength.IsPercent(width) ? width : MjmlLength.Text(MjmlLength.Whole(width))), ("border", "0"),
            ("style", MjmlOutput.Css(("color", part["color"]), ("font-family", part["font-family"]), ("font-size", part["font-size"]), ("line-height", part["line-height"]), ("table-layout", part["table-layout"]),
                ("width", part["width"]), ("border", part["border"]), ("border-collapse", spaced ? "separate" : null))))
            .Write(part.Node.Content).End("table");
    }

    public static void WriteSpacer(MjmlBody body, MjmlPart part) =>
        body.Output.Tag("div", ("style", MjmlOutput.Css(("height", part["height"]), ("line-height", part["height"])))).Write("&#8202;").End("div");

    public static void WriteDivider(MjmlBody body, MjmlPart part)
    {
        var line = string.Join(' ', part["border-style"], part["border-width"], part["border-color"]);
        var margin = part["align"] switch { "left" => "0px", "right" => "0px 0px 0px auto", _ => "0px auto" };
        var room = Math.Truncate(part.Place.Width) - part.Paddings;
        var width = part["width"] ?? "100%";
        var pixels = MjmlLength.Pixels(MjmlLength.IsPercent(width) ? room * MjmlLength.Whole(width) / 100 : MjmlLength.Whole(width));
        body.Output.Tag("p", ("style", Style(width))).End("p")
            .Outlook().Layout(("align", part["align"]), ("style", Style(pixels)), ("width", pixels)).Tag("tr").Tag("td", ("style", "height:0;line-height:0;")).Write("&nbsp;").End("td", "tr", "table").OutlookDone();

        string? Style(string wide) => MjmlOutput.Css(("border-top", line), ("font-size", "1px"), ("margin", margin), ("width", wide));
    }
}
