namespace CbaMail.Mjml;

/// <summary>mj-column: beside each other where there is room, else below each other; mj-group: columns that stay beside each other.</summary>
static class MjmlColumn
{
    public static void Write(MjmlBody body, MjmlPart part)
    {
        var output = body.Output;
        var gutter = Gutter(part);
        output.Tag("div", ("class", $"{Class(body, part)}{(gutter is null ? "" : " " + gutter.ClassName)} mj-outlook-group-fix{(part["css-class"] is { } css ? " " + css : "")}"), ("style", MjmlOutput.Css(
            ("font-size", "0px"), ("text-align", "left"), ("direction", part["direction"]), ("display", "inline-block"), ("vertical-align", part["vertical-align"]), ("width", NarrowWidth(part)), ("padding", gutter?.Narrow))));
        if (gutter is not null && !part.Place.InGroup) body.Responsive[gutter.ClassName] = $"padding:{gutter.Wide} !important;";
        var padded = MjmlBody.Padding(part).Any(side => side.Item2 is not null);
        (string, string?)[] box = [("background-color", part["background-color"]), .. MjmlBody.Border(part), ("vertical-align", part["vertical-align"]), ("border-collapse", part["border-radius"] is null ? null : "separate")];
        if (padded)
            output.Layout(("width", "100%"), ("style", part["border-radius"] is null ? null : "border-collapse:separate;")).Tag("tbody").Tag("tr").Tag("td", ("style", MjmlOutput.Css([.. box, .. MjmlBody.Padding(part)])));
        (string, string?)[] inner = [("background-color", part["inner-background-color"]), .. MjmlBody.Border(part, "inner-border")];
        output.Layout(("style", MjmlOutput.Css([.. padded ? inner : box, ("border-collapse", part["inner-border-radius"] is null ? null : "separate")])), ("width", "100%")).Tag("tbody");
        var borders = part.Borders + part.Border("left", "inner-border") + part.Border("right", "inner-border");
        body.Children(part, new(Pixels(part) - part.Paddings - borders), body.Row);
        output.End("tbody", "table");
        if (padded) output.End("td", "tr", "tbody", "table");
        output.End("div").Write("\n");
    }

    public static void WriteGroup(MjmlBody body, MjmlPart part)
    {
        var output = body.Output;
        var (width, unit) = Width(part);
        var name = unit == "%" ? $"mj-column-per-{MjmlLength.Text(Math.Truncate(width))}" : $"mj-column-px-{MjmlLength.Text(Math.Truncate(width))}";
        body.Responsive[name] = WideRule(width, unit);
        output.Tag("div", ("class", $"{name} mj-outlook-group-fix{(part["css-class"] is { } css ? " " + css : "")}"), ("style", MjmlOutput.Css(("font-size", "0"), ("line-height", "0"), ("text-align", "left"),
            ("display", "inline-block"), ("width", "100%"), ("direction", part["direction"]), ("vertical-align", part["vertical-align"]), ("background-color", part["background-color"]))));
        output.Outlook().Layout(("bgcolor", part["background-color"] is "none" ? null : part["background-color"])).Tag("tr").OutlookDone();
        var place = part.Place with { Width = Pixels(part) - part.Paddings, InGroup = true, Direction = part["direction"] ?? "ltr" };
        body.Children(part, place, child =>
        {
            output.Outlook().Tag("td", ("style", MjmlOutput.Css(("vertical-align", child["vertical-align"]), ("width", MjmlLength.Pixels(Pixels(child)))))).OutlookDone();
            Write(body, child);
            output.Outlook().End("td").OutlookDone();
        });
        output.Outlook().End("tr", "table").OutlookDone();
        output.End("div").Write("\n");
    }

    /// <summary>The style of the cell that holds it in Outlook.</summary>
    public static string? OutlookCell(MjmlPart part) => MjmlOutput.Css(("vertical-align", part["vertical-align"]), ("width", MjmlLength.Pixels(part.Node.Name == "mj-column" ? MjmlLength.Round(Pixels(part)) : Pixels(part))),
        ("padding", part.Node.Name == "mj-column" ? Gutter(part)?.Outlook : null));

    static (double Width, string Unit) Width(MjmlPart part) =>
        part["width"] is not { } width ? (100.0 / part.Place.Components, "%")
        : MjmlLength.IsPercent(width) ? (MjmlLength.Number(width), "%") : (MjmlLength.Whole(width), "px");

    static double Pixels(MjmlPart part) => Width(part) is var (width, unit) && unit == "%" ? part.Place.Width * width / 100 : Width(part).Width;

    static string Class(MjmlBody body, MjmlPart part)
    {
        var (width, unit) = Gutter(part)?.Reduced ?? Width(part);
        if (unit == "px") width = MjmlLength.Round(width);
        var name = $"mj-column-{(unit == "%" ? "per" : "px")}-{MjmlLength.Text(width).Replace('.', '-')}";
        body.Responsive[name] = WideRule(width, unit);
        return name;
    }

    static string WideRule(double width, string unit) => $"width:{MjmlLength.Text(width)}{unit} !important; max-width:{MjmlLength.Text(width)}{unit};";

    /// <summary>Below the breakpoint: the whole width, in a group its share.</summary>
    static string NarrowWidth(MjmlPart part)
    {
        if (!part.Place.InGroup) return "100%";
        var (width, unit) = Gutter(part)?.Reduced ?? Width(part);
        if (unit == "%") return part["width"] is null && Gutter(part) is null ? MjmlLength.Text(Math.Truncate(100.0 / part.Place.Components)) + "%" : MjmlLength.Text(width) + "%";
        return MjmlLength.Text(Math.Round(width / Math.Max(1, Math.Truncate(part.Place.Width)) * 100, 6)) + "%";
    }

    /// <param name="Reduced">The width that is left of the column's own.</param>
    /// <param name="Wide">Padding above the breakpoint; <paramref name="Narrow"/> below, <paramref name="Outlook"/> there.</param>
    sealed record Spacing((double, string) Reduced, string ClassName, string Wide, string Narrow, string Outlook);

    /// <summary>The room between columns, shared by them as padding.</summary>
    static Spacing? Gutter(MjmlPart part)
    {
        if (part.Place.Gutter is not { } gutter) return null;
        var (index, siblings) = (part.Place.Index, part.Place.Siblings);
        var (width, unit) = Width(part);
        var given = MjmlLength.Number(gutter);
        double In(string wanted) => MjmlLength.IsPercent(gutter) == (wanted == "%") ? given : wanted == "%" ? given / Math.Max(1, part.Place.Width) * 100 : part.Place.Width * given / 100;
        var reduced = Math.Max(0, Math.Round(width - In(unit) * (siblings - 1) / siblings, 6));
        if (unit == "px")
        {
            var whole = Math.Floor(reduced);
            reduced = whole + (index < Math.Clamp(MjmlLength.Round(siblings * (reduced - whole)), 0, siblings) ? 1 : 0);
        }
        var token = MjmlLength.Text(unit == "px" ? MjmlLength.Round(In(unit)) : Math.Round(In(unit), 6)).Replace('.', '-');
        var name = $"mj-column-gutter-{siblings}-{index + 1}-{(unit == "%" ? "per" : unit)}-{token}{(part.Place.Direction == "rtl" ? "-rtl" : "")}";
        var half = Math.Round(In("%") / 2, 6);
        var narrow = part.Place.InGroup ? Sides(unit) : $"{(index == 0 ? "0" : MjmlLength.Text(half))}% 0% {(index == siblings - 1 ? "0" : MjmlLength.Text(half))}% 0%";
        return new((reduced, unit), name, Sides(unit), narrow, Sides("px"));

        string Sides(string unit)
        {
            var all = unit == "px" ? MjmlLength.Round(In(unit)) : In(unit);
            var (leading, trailing) = unit == "px" ? (Math.Ceiling(all / 2), Math.Floor(all / 2)) : (Math.Round(all / 2, 6), Math.Round(all / 2, 6));
            var (right, left) = siblings == 1 ? (0, 0)
                : part.Place.Direction == "rtl" ? (index == 0 ? 0 : trailing, index == siblings - 1 ? 0 : leading)
                : (index == siblings - 1 ? 0 : leading, index == 0 ? 0 : trailing);
            return $"0{unit} {MjmlLength.Text(right)}{unit} 0{unit} {MjmlLength.Text(left)}{unit}";
        }
    }
}
