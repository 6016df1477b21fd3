using System.Text.RegularExpressions;

namespace CbaMail.Mjml;

/// <summary>mj-section: a row of columns; mj-wrapper: sections with one background.</summary>
static partial class MjmlSection
{
    [GeneratedRegex(@"^\d+(\.\d+)?%$", RegexOptions.CultureInvariant)]
    private static partial Regex Percentage { get; }

    public static void Write(MjmlBody body, MjmlPart part)
    {
        var output = body.Output;
        var image = part["background-url"];
        if (part["full-width"] != "full-width")
        {
            Before(output, part);
            if (image is not null) Vml(output, part);
            Box(body, part);
            if (image is not null) VmlEnd(output);
            After(output);
            return;
        }
        output.Layout(("align", "center"), ("class", part["css-class"]), ("background", image), ("style", MjmlOutput.Css([.. Background(part), ("width", "100%")]))).Tag("tbody").Tag("tr").Tag("td");
        if (image is not null) Vml(output, part);
        Before(output, part);
        Box(body, part);
        After(output);
        if (image is not null) VmlEnd(output);
        output.End("td", "tr", "tbody", "table").Write("\n");
    }

    static void Before(MjmlOutput output, MjmlPart part)
    {
        var gap = part.Place.Index > 0 ? part.Place.Gap : null;
        output.Outlook().Layout(("align", "center"), ("class", part.Outlook), ("style", MjmlOutput.Css(("width", MjmlLength.Pixels(part.Place.Width)), ("padding-top", gap))),
            ("width", MjmlLength.Text(Math.Truncate(part.Place.Width))), ("bgcolor", part.Place.Gap is null ? part["background-color"] : null))
            .Tag("tr").Tag("td", ("style", "line-height:0px;font-size:0px;mso-line-height-rule:exactly;")).OutlookDone();
    }

    static void After(MjmlOutput output) => output.Outlook().End("td", "tr", "table").OutlookDone();

    static void Box(MjmlBody body, MjmlPart part)
    {
        var output = body.Output;
        var full = part["full-width"] == "full-width";
        (string, string?)[] background = full ? [] : Background(part);
        var round = part["border-radius"] is not null;
        var image = part["background-url"];
        output.Tag("div", ("class", full ? null : part["css-class"]), ("style", MjmlOutput.Css([.. background, ("margin", "0px auto"), ("max-width", MjmlLength.Pixels(part.Place.Width)),
            ("border-radius", part["border-radius"]), ("overflow", round ? "hidden" : null), ("margin-top", part.Place.Index > 0 ? part.Place.Gap : null)])));
        if (image is not null) output.Tag("div", ("style", "line-height:0;font-size:0;"));
        output.Layout(("align", "center"), ("background", full ? null : image), ("style", MjmlOutput.Css([.. background, ("width", "100%"), ("border-collapse", round ? "separate" : null)])))
            .Tag("tbody").Tag("tr").Tag("td", ("style", MjmlOutput.Css([.. MjmlBody.Border(part), ("direction", part["direction"]), ("font-size", "0px"), .. MjmlBody.Padding(part), ("text-align", part["text-align"])])));
        output.Outlook().Layout().OutlookDone();
        Contents(body, part);
        output.Outlook().End("table").OutlookDone();
        output.End("td", "tr", "tbody", "table");
        if (image is not null) output.End("div");
        output.End("div").Write("\n");
    }

    static void Contents(MjmlBody body, MjmlPart part)
    {
        var output = body.Output;
        var place = new MjmlPlace(part.Inner) { Gap = part["gap"], Gutter = part["gutter"], Direction = part["direction"] ?? "ltr" };
        if (part.Node.Name == "mj-wrapper")
        {
            body.Children(part, place, child =>
            {
                output.Outlook().Tag("tr").Tag("td", ("class", child.Outlook), ("width", MjmlLength.Pixels(part.Place.Width))).OutlookDone();
                body.Component(child);
                output.Outlook().End("td", "tr").OutlookDone();
            });
            return;
        }
        output.Outlook().Tag("tr").OutlookDone();
        body.Children(part, place, child =>
        {
            output.Outlook().Tag("td", ("class", child.Outlook), ("style", MjmlColumn.OutlookCell(child))).OutlookDone();
            body.Component(child);
            output.Outlook().End("td").OutlookDone();
        });
        output.Outlook().End("tr").OutlookDone();
    }

    // Yahoo does not know the shorthand alone
    static (string, string?)[] Background(MjmlPart part)
    {
        if (part["background-url"] is not { } url) return [("background", part["background-color"]), ("background-color", part["background-color"])];
        var (x, y) = Position(part);
        string?[] all = [part["background-color"], $"url('{url}')", $"{x} {y}", $"/ {part["background-size"]}", part["background-repeat"]];
        return [("background", string.Join(' ', all.Where(word => word is not null))), ("background-position", $"{x} {y}"), ("background-repeat", part["background-repeat"]), ("background-size", part["background-size"])];
    }

    static (string X, string Y) Position(MjmlPart part)
    {
        var words = (part["background-position"] ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var (x, y) = words switch
        {
            ["top" or "bottom"] => ("center", words[0]),
            [_] => (words[0], "center"),
            ["top" or "bottom", _] or ["center", "left" or "right"] => (words[1], words[0]),
            [_, _] => (words[0], words[1]),
            _ => ("center", "top"),
        };
        return (part["background-position-x"] ?? x, part["background-position-y"] ?? y);
    }

    /// <summary>Outlook shows an image behind text only by VML.</summary>
    static void Vml(MjmlOutput output, MjmlPart part)
    {
        var (x, y) = Position(part);
        var size = part["background-size"] ?? "auto";
        var repeats = part["background-repeat"] == "repeat";
        var (originX, positionX) = (Fraction(Percent(x, "left", "right", "50%"), repeats), Fraction(Percent(x, "left", "right", "50%"), repeats));
        var (originY, positionY) = (Fraction(Percent(y, "top", "bottom", "0%"), repeats), Fraction(Percent(y, "top", "bottom", "0%"), repeats));
        if (size == "auto") (originX, positionX, originY, positionY) = ("0.5", "0.5", "0", "0"); // without a size it can only be tiled
        var words = size.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var (vmlSize, aspect) = size switch
        {
            "cover" => ("1,1", "atleast"),
            "contain" => ("1,1", "atmost"),
            "auto" => (null, null),
            _ => (string.Join(',', words), words.Length == 1 ? "atmost" : null),
        };
        output.Outlook()
            .Tag("v:rect", ("style", part["full-width"] == "full-width" ? "mso-width-percent:1000;" : $"width:{MjmlLength.Pixels(part.Place.Width)};"), ("xmlns:v", "urn:schemas-microsoft-com:vml"), ("fill", "true"), ("stroke", "false"))
            .Tag("v:fill", ("origin", $"{originX}, {originY}"), ("position", $"{positionX}, {positionY}"), ("src", part["background-url"]), ("color", part["background-color"]),
                ("type", size != "auto" && part["background-repeat"] == "no-repeat" ? "frame" : "tile"), ("size", vmlSize), ("aspect", aspect)).End("v:fill")
            .Tag("v:textbox", ("style", "mso-fit-shape-to-text:true"), ("inset", "0,0,0,0")).OutlookDone();
    }

    static void VmlEnd(MjmlOutput output) => output.Outlook().End("v:textbox", "v:rect").OutlookDone();

    static string Percent(string word, string zero, string all, string otherwise) =>
        word == zero ? "0%" : word == "center" ? "50%" : word == all ? "100%" : Percentage.IsMatch(word) ? word : otherwise;

    // of a tile from its corner, of a frame from its middle
    static string Fraction(string percent, bool repeats) => MjmlLength.Text(repeats ? MjmlLength.Whole(percent) / 100 : (MjmlLength.Whole(percent) - 50) / 100);
}
