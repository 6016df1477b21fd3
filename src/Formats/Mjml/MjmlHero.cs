namespace CbaMail.Mjml;

/// <summary>mj-hero: components over one large image.</summary>
static class MjmlHero
{
    public static void Write(MjmlBody body, MjmlPart part)
    {
        var output = body.Output;
        var whole = MjmlLength.Pixels(part.Place.Width);
        output.Outlook().Layout(("align", "center"), ("style", $"width:{whole};"), ("width", MjmlLength.Text(Math.Truncate(part.Place.Width))))
            .Tag("tr").Tag("td", ("style", "line-height:0;font-size:0;mso-line-height-rule:exactly;"))
            .Tag("v:image", ("style", MjmlOutput.Css(("border", "0"), ("height", part["background-height"]), ("mso-position-horizontal", "center"), ("position", "absolute"), ("top", "0"), ("width", part["background-width"] ?? whole), ("z-index", "-3"))),
                ("src", part["background-url"]), ("xmlns:v", "urn:schemas-microsoft-com:vml")).End("v:image").OutlookDone();
        output.Tag("div", ("align", part["align"]), ("class", part["css-class"]), ("style", $"margin:0 auto;max-width:{whole};")).Layout(("style", "width:100%;")).Tag("tbody").Tag("tr", ("style", "vertical-align:top;"));
        var image = part["background-url"];
        string?[] background = [part["background-color"], image is null ? null : $"url('{image}')", image is null ? null : "no-repeat", image is null ? null : $"{part["background-position"]} / cover"];
        (string, string?)[] style = [("background", string.Join(' ', background.Where(word => word is not null))), ("background-position", part["background-position"]), ("background-repeat", "no-repeat"),
            ("border-radius", part["border-radius"]), .. MjmlBody.Padding(part), ("vertical-align", part["vertical-align"])];
        if (part["mode"] == "fluid-height")
        {
            // an empty cell whose padding is a share of the width keeps the image's proportions
            var ratio = MjmlLength.Round(MjmlLength.Whole(part["background-height"]) / Math.Max(1, MjmlLength.Whole(part["background-width"])) * 100);
            var empty = $"width:0.01%;padding-bottom:{MjmlLength.Text(ratio)}%;mso-padding-bottom-alt:0;";
            output.Tag("td", ("style", empty)).End("td").Tag("td", ("background", image), ("style", MjmlOutput.Css(style)));
            Content(body, part);
            output.End("td").Tag("td", ("style", empty)).End("td");
        }
        else
        {
            var height = MjmlLength.Whole(part["height"]) - part.Side("padding", "top") - part.Side("padding", "bottom");
            output.Tag("td", ("background", image), ("style", MjmlOutput.Css([.. style, ("height", MjmlLength.Pixels(height))])), ("height", MjmlLength.Text(height)));
            Content(body, part);
            output.End("td");
        }
        output.End("tr", "tbody", "table", "div").Outlook().End("td", "tr", "table").OutlookDone().Write("\n");
    }

    static void Content(MjmlBody body, MjmlPart part)
    {
        var output = body.Output;
        var width = part.Place.Width - part.Paddings;
        (string, string?)[] inner = [("background-color", part["inner-background-color"]), .. MjmlBody.Padding(part, "inner-padding")];
        output.Outlook().Tag("table", ("align", part["align"]), ("border", "0"), ("cellpadding", "0"), ("cellspacing", "0"), ("style", $"width:{MjmlLength.Pixels(width)};"), ("width", MjmlLength.Text(Math.Truncate(width))))
            .Tag("tr").Tag("td", ("style", MjmlOutput.Css(inner))).OutlookDone();
        output.Tag("div", ("align", part["align"]), ("class", "mj-hero-content"), ("style", MjmlOutput.Css([("float", part["align"]), ("margin", "0px auto"), ("width", part["width"]), .. inner])));
        output.Layout(("style", "width:100%;margin:0px;")).Tag("tbody").Tag("tr").Tag("td").Layout(("style", "width:100%;margin:0px;")).Tag("tbody");
        body.Children(part, new(width), body.Row);
        output.End("tbody", "table", "td", "tr", "tbody", "table", "div").Outlook().End("td", "tr", "table").OutlookDone();
    }
}
