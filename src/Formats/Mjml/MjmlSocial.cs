using System.Collections.Frozen;

namespace CbaMail.Mjml;

/// <summary>mj-social: icons of networks with links to them.</summary>
static class MjmlSocial
{
    static readonly string[] Handed = ["border", "border-radius", "color", "font-family", "font-size", "font-weight", "font-style", "icon-size", "icon-height", "icon-padding", "text-padding", "line-height", "text-decoration"];

    /// <param name="Share">The network's page for sharing, with a place for the address; null: the link is as written.</param>
    sealed record Network(string Icon, string Color, string? Share = null);

    // the icons that documents of MJML expect; src gives another
    const string Icons = "https://www.mailjet.com/images/theme/v1/icons/ico-social/";
    const string Here = "[[URL]]";

    static readonly FrozenDictionary<string, Network> Networks = new Dictionary<string, Network>
    {
        ["facebook"] = new("facebook", "#3b5998", "https://www.facebook.com/sharer/sharer.php?u=" + Here),
        ["twitter"] = new("twitter", "#55acee", "https://twitter.com/intent/tweet?url=" + Here),
        ["x"] = new("twitter-x", "#000000", "https://twitter.com/intent/tweet?url=" + Here),
        ["google"] = new("google-plus", "#dc4e41", "https://plus.google.com/share?url=" + Here),
        ["pinterest"] = new("pinterest", "#bd081c", "https://pinterest.com/pin/create/button/?url=" + Here + "&media=&description="),
        ["linkedin"] = new("linkedin", "#0077b5", "https://www.linkedin.com/shareArticle?mini=true&url=" + Here + "&title=&summary=&source="),
        ["instagram"] = new("instagram", "#3f729b"),
        ["web"] = new("web", "#4BADE9"),
        ["snapchat"] = new("snapchat", "#FFFA54"),
        ["youtube"] = new("youtube", "#EB3323"),
        ["tumblr"] = new("tumblr", "#344356", "https://www.tumblr.com/widgets/share/tool?canonicalUrl=" + Here),
        ["github"] = new("github", "#000000"),
        ["xing"] = new("xing", "#296366", "https://www.xing.com/app/user?op=share&url=" + Here),
        ["vimeo"] = new("vimeo", "#53B4E7"),
        ["medium"] = new("medium", "#000000"),
        ["soundcloud"] = new("soundcloud", "#EF7F31"),
        ["dribbble"] = new("dribbble", "#D95988"),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static void Write(MjmlBody body, MjmlPart part)
    {
        var output = body.Output;
        var given = Handed.Where(name => part[name] is not null).ToDictionary(name => name, name => part[name]!);
        if (part["inner-padding"] is { } padding) given["padding"] = padding;
        if (part["mode"] != "horizontal")
        {
            output.Layout(("style", "margin:0px;")).Tag("tbody");
            body.Children(part, part.Place, child => Element(output, child), given);
            output.End("tbody", "table");
            return;
        }
        output.Outlook().Layout(("align", part["align"])).Tag("tr").OutlookDone();
        body.Children(part, part.Place, child =>
        {
            output.Outlook().Tag("td").OutlookDone().Layout(("align", part["align"]), ("style", "float:none;display:inline-table;")).Tag("tbody");
            Element(output, child);
            output.End("tbody", "table").Outlook().End("td").OutlookDone();
        }, given);
        output.Outlook().End("tr", "table").OutlookDone();
    }

    static void Element(MjmlOutput output, MjmlPart part)
    {
        var name = part["name"] ?? "";
        var plain = name.EndsWith("-noshare", StringComparison.Ordinal);
        var network = Networks.GetValueOrDefault(plain ? name[..^8] : name);
        var href = part["href"];
        if (href is not null && !plain && network?.Share is { } share) href = share.Replace(Here, href, StringComparison.Ordinal);
        output.Tag("tr", ("class", part["css-class"]));
        var left = part["icon-position"] == "left";
        if (!left) Text();
        Icon();
        if (left) Text();
        output.End("tr");

        void Icon()
        {
            var size = part["icon-size"];
            output.Tag("td", ("style", MjmlOutput.Css([.. MjmlBody.Padding(part), ("vertical-align", part["vertical-align"])])))
                .Layout(("style", MjmlOutput.Css(("background", part["background-color"] ?? network?.Color), ("border-radius", part["border-radius"]), ("width", size)))).Tag("tbody").Tag("tr")
                .Tag("td", ("style", MjmlOutput.Css(("padding", part["icon-padding"]), ("font-size", "0"), ("height", part["icon-height"] ?? size), ("vertical-align", "middle"), ("width", size))));
            if (href is not null) output.Tag("a", ("href", href), ("rel", part["rel"]), ("target", part["target"]));
            output.Tag("img", ("alt", part["alt"] ?? ""), ("title", part["title"]), ("src", part["src"] ?? (network is null ? null : $"{Icons}{network.Icon}.png")),
                ("style", MjmlOutput.Css(("border", part["border"]), ("border-radius", part["border-radius"]), ("display", "block"))), ("width", MjmlLength.Text(MjmlLength.Whole(size))), ("sizes", part["sizes"]), ("srcset", part["srcset"]));
            if (href is not null) output.End("a");
            output.End("td", "tr", "tbody", "table", "td");
        }

        void Text()
        {
            if (part.Node.Content.Length == 0) return;
            var style = MjmlOutput.Css(("color", part["color"]), ("font-size", part["font-size"]), ("font-weight", part["font-weight"]), ("font-style", part["font-style"]), ("font-family", part["font-family"]),
                ("line-height", part["line-height"]), ("text-decoration", part["text-decoration"]));
            output.Tag("td", ("style", MjmlOutput.Css(("vertical-align", "middle"), ("padding", part["text-padding"]), ("text-align", part["align"]))));
            if (href is not null) output.Tag("a", ("href", href), ("style", style), ("rel", part["rel"]), ("target", part["target"]));
            else output.Tag("span", ("style", style));
            output.Write(part.Node.Content).End(href is null ? "span" : "a", "td");
        }
    }
}
