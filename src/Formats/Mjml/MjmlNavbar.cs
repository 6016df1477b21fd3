namespace CbaMail.Mjml;

/// <summary>mj-navbar: links in a row, on narrow screens behind a sign where it is asked for.</summary>
static class MjmlNavbar
{
    public static void Write(MjmlBody body, MjmlPart part)
    {
        var output = body.Output;
        Style(body);
        if (part["hamburger"] == "hamburger") Hamburger(body, part);
        output.Tag("div", ("class", "mj-inline-links"), ("style", "width:100%;")).Outlook().Layout(("align", part["align"])).Tag("tr").OutlookDone();
        body.Children(part, part.Place, link =>
        {
            output.Outlook().Tag("td", ("style", MjmlOutput.Css(MjmlBody.Padding(link))), ("class", link.Outlook)).OutlookDone();
            output.Tag("a", ("class", "mj-link" + (link["css-class"] is { } css ? " " + css : "")), ("href", part["base-url"] + link["href"]), ("rel", link["rel"]), ("target", link["target"]), ("name", link["name"]), ("style", MjmlOutput.Css([
                ("display", "inline-block"), ("color", link["color"]), ("font-family", link["font-family"]), ("font-size", link["font-size"]), ("font-style", link["font-style"]), ("font-weight", link["font-weight"]),
                ("letter-spacing", link["letter-spacing"]), ("line-height", link["line-height"]), ("text-decoration", link["text-decoration"]), ("text-transform", link["text-transform"]), .. MjmlBody.Padding(link)])))
                .Write(link.Node.Content).End("a").Write("\n").Outlook().End("td").OutlookDone();
        });
        output.Outlook().End("tr", "table").OutlookDone().End("div");
    }

    static void Hamburger(MjmlBody body, MjmlPart part)
    {
        var name = body.NewName("mj-menu");
        body.Output.Write("<!--[if !mso]><!-->").Tag("input", ("type", "checkbox"), ("id", name), ("class", "mj-menu-checkbox"), ("style", "display:none !important; max-height:0; visibility:hidden;")).OthersDone()
            .Tag("div", ("class", "mj-menu-trigger"), ("style", "display:none;max-height:0px;max-width:0px;font-size:0px;overflow:hidden;"))
            .Tag("label", ("for", name), ("class", "mj-menu-label"), ("style", MjmlOutput.Css([("display", "block"), ("cursor", "pointer"), ("mso-hide", "all"), ("-moz-user-select", "none"), ("user-select", "none"),
                ("color", part["ico-color"]), ("font-size", part["ico-font-size"]), ("font-family", part["ico-font-family"]), ("text-transform", part["ico-text-transform"]), ("text-decoration", part["ico-text-decoration"]),
                ("line-height", part["ico-line-height"]), .. MjmlBody.Padding(part, "ico-padding")])), ("align", part["ico-align"]))
            .Tag("span", ("class", "mj-menu-icon-open"), ("style", "mso-hide:all;")).Write(part["ico-open"]).End("span")
            .Tag("span", ("class", "mj-menu-icon-close"), ("style", "display:none;mso-hide:all;")).Write(part["ico-close"]).End("span", "label", "div");
    }

    static void Style(MjmlBody body) => body.Styles["mj-navbar"] = $$"""
        noinput.mj-menu-checkbox { display:block !important; max-height:none !important; visibility:visible !important; }
        @media only screen and (max-width:{{body.BelowBreakpoint}}) {
        .mj-menu-checkbox[type="checkbox"] ~ .mj-inline-links { display:none !important; }
        .mj-menu-checkbox[type="checkbox"]:checked ~ .mj-inline-links, .mj-menu-checkbox[type="checkbox"] ~ .mj-menu-trigger { display:block !important; max-width:none !important; max-height:none !important; font-size:inherit !important; }
        .mj-menu-checkbox[type="checkbox"] ~ .mj-inline-links > a { display:block !important; }
        .mj-menu-checkbox[type="checkbox"]:checked ~ .mj-menu-trigger .mj-menu-icon-close { display:block !important; }
        .mj-menu-checkbox[type="checkbox"]:checked ~ .mj-menu-trigger .mj-menu-icon-open { display:none !important; }
        }
        """;
}
