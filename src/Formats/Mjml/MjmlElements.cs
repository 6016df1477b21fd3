using System.Collections.Frozen;

namespace CbaMail.Mjml;

/// <summary>An element of the language.</summary>
/// <param name="Children">Which may stand in it; null: any (the defaults of mj-attributes).</param>
/// <param name="HoldsText">What stands between its tags is text or HTML, and no components.</param>
/// <param name="Attributes">Those that it has, besides css-class and mj-class.</param>
/// <param name="Defaults">Of attributes that nobody sets.</param>
sealed record MjmlElement(string Name, FrozenSet<string>? Children, bool HoldsText, FrozenSet<string> Attributes, FrozenDictionary<string, string> Defaults);

/// <summary>The elements, a row each: https://documentation.mjml.io</summary>
static class MjmlElements
{
    public const string Raw = "mj-raw";

    const string Font = "Ubuntu, Helvetica, Arial, sans-serif";
    const string Blocks = "mj-accordion mj-button mj-carousel mj-divider mj-image mj-social mj-spacer mj-table mj-text mj-navbar mj-raw";
    const string Padding = "padding padding-top padding-right padding-bottom padding-left";
    const string Border = "border border-top border-right border-bottom border-left border-radius";
    const string Letters = "color font-family font-size font-style font-weight";
    const string Cell = "container-background-color align vertical-align " + Padding;
    const string Section = "background-color background-url background-repeat background-size background-position background-position-x background-position-y direction full-width gutter text-align text-padding " + Border + " " + Padding;
    const string Icons = "icon-align icon-width icon-height icon-wrapped-url icon-wrapped-alt icon-unwrapped-url icon-unwrapped-alt icon-position";

    static readonly FrozenDictionary<string, MjmlElement> All = new MjmlElement[]
    {
        Of("mjml", "mj-head mj-body mj-raw", "lang dir owa"),
        Of("mj-head", "mj-attributes mj-breakpoint mj-html-attributes mj-font mj-preview mj-style mj-title mj-raw", ""),
        Text("mj-title", ""), Text("mj-preview", ""), Text("mj-style", "inline"), Text("mj-breakpoint", "width"),
        Of("mj-font", "", "name href"),
        new("mj-attributes", null, false, Words(""), NoDefaults),
        new("mj-class", null, false, Words("name"), NoDefaults),
        Of("mj-html-attributes", "mj-selector", ""), Of("mj-selector", "mj-html-attribute", "path"), Text("mj-html-attribute", "name"),
        Of("mj-body", "mj-section mj-wrapper mj-hero mj-raw", "width background-color id", "width=600px"),
        Of("mj-wrapper", "mj-section mj-hero mj-raw", "gap " + Section, SectionDefaults),
        Of("mj-section", "mj-column mj-group mj-raw", Section, SectionDefaults),
        Of("mj-group", "mj-column mj-raw", "background-color direction vertical-align width", "direction=ltr"),
        Of("mj-column", Blocks, "background-color direction inner-background-color inner-border inner-border-top inner-border-right inner-border-bottom inner-border-left inner-border-radius vertical-align width " + Border + " " + Padding,
            "direction=ltr|vertical-align=top"),
        Of("mj-hero", Blocks, "mode height width align background-url background-width background-height background-position background-color border-radius inner-background-color inner-padding inner-padding-top inner-padding-left inner-padding-right inner-padding-bottom container-background-color vertical-align " + Padding,
            "mode=fixed-height|height=0px|background-position=center center|padding=0px|background-color=#ffffff|vertical-align=top"),
        Text(Raw, "position"),
        Text("mj-text", $"background-color height letter-spacing line-height text-decoration text-transform {Letters} {Cell}",
            $"align=left|color=#000000|font-family={Font}|font-size=13px|line-height=1|padding=10px 25px"),
        Text("mj-button", $"background-color height href name title inner-padding letter-spacing line-height rel target text-decoration text-transform text-align width {Letters} {Border} {Cell}",
            $"align=center|background-color=#414141|border=none|border-radius=3px|color=#ffffff|font-family={Font}|font-size=13px|font-weight=normal|inner-padding=10px 25px|line-height=120%|padding=10px 25px|target=_blank|text-decoration=none|text-transform=none|vertical-align=middle"),
        Of("mj-image", "", $"alt href name src srcset sizes title rel fluid-on-mobile full-width target width height max-height font-size usemap {Border} {Cell}",
            "alt=|align=center|border=0|height=auto|padding=10px 25px|target=_blank|font-size=13px"),
        Of("mj-divider", "", $"border-color border-style border-width width {Cell}", "border-color=#000000|border-style=solid|border-width=4px|padding=10px 25px|width=100%|align=center"),
        Of("mj-spacer", "", $"height {Border} {Cell}", "height=20px"),
        Text("mj-table", $"border cellpadding cellspacing line-height role table-layout width {Letters} {Cell}",
            $"align=left|border=none|cellpadding=0|cellspacing=0|color=#000000|font-family={Font}|font-size=13px|line-height=22px|padding=10px 25px|table-layout=auto|width=100%"),
        Of("mj-social", "mj-social-element mj-raw", $"border border-radius icon-size icon-height icon-padding inner-padding line-height mode table-layout text-padding text-decoration {Letters} {Cell}",
            $"align=center|border-radius=3px|color=#333333|font-family={Font}|font-size=13px|icon-size=20px|line-height=22px|mode=horizontal|padding=10px 25px|text-decoration=none"),
        Text("mj-social-element", $"align icon-position background-color border border-radius href icon-size icon-height icon-padding line-height name text-padding rel src srcset sizes alt title target text-decoration vertical-align {Letters} {Padding}",
            $"alt=|align=left|icon-position=left|color=#000|border=0|border-radius=3px|font-family={Font}|font-size=13px|line-height=1|padding=4px|text-padding=4px 4px 4px 0|target=_blank|text-decoration=none|vertical-align=middle"),
        Of("mj-navbar", "mj-navbar-link mj-raw", $"base-url hamburger ico-align ico-open ico-close ico-color ico-font-size ico-font-family ico-text-transform ico-padding ico-padding-top ico-padding-right ico-padding-bottom ico-padding-left ico-text-decoration ico-line-height {Cell}",
            $"align=center|ico-align=center|ico-open=&#9776;|ico-close=&#8855;|ico-color=#000000|ico-font-size=30px|ico-font-family={Font}|ico-text-transform=uppercase|ico-padding=10px|ico-text-decoration=none|ico-line-height=30px"),
        Text("mj-navbar-link", $"href name target rel letter-spacing line-height text-decoration text-transform {Letters} {Padding}",
            $"color=#000000|font-family={Font}|font-size=13px|font-weight=normal|line-height=22px|padding=15px 10px|target=_blank|text-decoration=none|text-transform=uppercase"),
        Of("mj-accordion", "mj-accordion-element mj-raw", $"border font-family {Icons} {Cell}",
            $"border=2px solid black|font-family={Font}|icon-align=middle|icon-wrapped-url=https://i.imgur.com/bIXv1bk.png|icon-wrapped-alt=+|icon-unwrapped-url=https://i.imgur.com/w4uTygT.png|icon-unwrapped-alt=-|icon-position=right|icon-height=32px|icon-width=32px|padding=10px 25px"),
        Of("mj-accordion-element", "mj-accordion-title mj-accordion-text mj-raw", $"background-color border font-family {Icons}"),
        Text("mj-accordion-title", $"background-color {Letters} {Padding}", "font-size=13px|padding=16px"),
        Text("mj-accordion-text", $"background-color letter-spacing line-height {Letters} {Padding}", "font-size=13px|line-height=1|padding=16px"),
        Of("mj-carousel", "mj-carousel-image mj-raw", $"border-radius icon-width left-icon right-icon thumbnails tb-border tb-border-radius tb-hover-border-color tb-selected-border-color tb-width {Cell}", "align=center|border-radius=6px"),
        Text("mj-carousel-image", "alt href rel target title src thumbnails-src border-radius tb-border tb-border-radius", "alt=|target=_blank"),
    }.ToFrozenDictionary(element => element.Name, StringComparer.Ordinal);

    const string SectionDefaults = "background-repeat=repeat|background-size=auto|background-position=top center|direction=ltr|padding=20px 0|text-align=center|text-padding=4px 4px 4px 0";

    static FrozenDictionary<string, string> NoDefaults => FrozenDictionary<string, string>.Empty;

    public static MjmlElement? Find(string name) => All.GetValueOrDefault(name);

    /// <summary>The components that one can stand in, for a sentence.</summary>
    public static string Parents(string name) => string.Join(" or ", All.Values.Where(parent => parent.Children?.Contains(name) == true).Select(parent => parent.Name).Order(StringComparer.Ordinal));

    static MjmlElement Of(string name, string children, string attributes, string defaults = "") => new(name, Words(children), false, Words(attributes), Pairs(defaults));

    static MjmlElement Text(string name, string attributes, string defaults = "") => new(name, Words(""), true, Words(attributes), Pairs(defaults));

    static FrozenSet<string> Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries).ToFrozenSet(StringComparer.Ordinal);

    static FrozenDictionary<string, string> Pairs(string text) => text.Split('|', StringSplitOptions.RemoveEmptyEntries)
        .Select(pair => pair.Split('=', 2)).ToFrozenDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
}
