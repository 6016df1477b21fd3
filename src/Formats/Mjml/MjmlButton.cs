namespace CbaMail.Mjml;

/// <summary>mj-button: a link that looks like a button, also in Outlook.</summary>
static class MjmlButton
{
    public static void Write(MjmlBody body, MjmlPart part)
    {
        var link = part["href"] is not null;
        // with a share of the width nothing can be said: it depends on the text
        var width = part["width"] is { } wide && !MjmlLength.IsPercent(wide) ? MjmlLength.Pixels(MjmlLength.Whole(wide) - part.Side("inner-padding", "left") - part.Side("inner-padding", "right") - part.Borders) : null;
        var background = part["background-color"];
        body.Output.Layout(("style", MjmlOutput.Css(("border-collapse", "separate"), ("width", part["width"]), ("line-height", "100%")))).Tag("tbody").Tag("tr")
            .Tag("td", ("align", "center"), ("bgcolor", background is "none" ? null : background), ("role", "presentation"), ("style", MjmlOutput.Css([.. MjmlBody.Border(part), ("cursor", "auto"), ("font-style", part["font-style"]),
                ("height", part["height"]), ("mso-padding-alt", part["inner-padding"]), ("text-align", part["text-align"]), ("background", background)])), ("valign", part["vertical-align"]))
            .Tag(link ? "a" : "p", ("href", part["href"]), ("name", part["name"]), ("rel", part["rel"]), ("title", part["title"]), ("style", MjmlOutput.Css(("display", "inline-block"), ("width", width), ("background", background),
                ("color", part["color"]), ("font-family", part["font-family"]), ("font-size", part["font-size"]), ("font-style", part["font-style"]), ("font-weight", part["font-weight"]), ("line-height", part["line-height"]),
                ("letter-spacing", part["letter-spacing"]), ("margin", "0"), ("text-decoration", part["text-decoration"]), ("text-transform", part["text-transform"]), ("padding", part["inner-padding"]), ("mso-padding-alt", "0px"),
                ("border-radius", part["border-radius"]))), ("target", link ? part["target"] : null))
            .Write(part.Node.Content).End(link ? "a" : "p", "td", "tr", "tbody", "table");
    }
}
