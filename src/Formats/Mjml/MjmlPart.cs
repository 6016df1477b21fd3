using System.Globalization;

namespace CbaMail.Mjml;

/// <summary>Where a component stands.</summary>
/// <param name="Width">Pixels that are there for it.</param>
/// <param name="ParentClass">The mj-class of its parent.</param>
sealed record MjmlPlace(double Width, string ParentClass = "")
{
    /// <summary>Between the sections of a wrapper.</summary>
    public string? Gap { get; init; }

    /// <summary>Between the columns of a section.</summary>
    public string? Gutter { get; init; }
    public string Direction { get; init; } = "ltr";
    public bool InGroup { get; init; }

    /// <summary>Of the accordion or its element around it.</summary>
    public string? AccordionFont { get; init; }

    /// <summary>Among the children of its parent, comments and raw ones too.</summary>
    public int Index { get; init; }
    public int Siblings { get; init; } = 1;

    /// <summary>Without raw ones.</summary>
    public int Components { get; init; } = 1;
}

/// <summary>A component with its attributes, at its place.</summary>
sealed class MjmlPart(MjmlNode node, MjmlPlace place, IReadOnlyDictionary<string, string> attributes)
{
    public MjmlNode Node => node;
    public MjmlPlace Place => place;

    /// <summary>Null also where it is empty: to say nothing.</summary>
    public string? this[string name] => attributes.TryGetValue(name, out var value) && value.Length > 0 ? value : null;

    public bool Is(string name) => this[name] is { } value && value is not "false";

    /// <summary>What an attribute with four sides says of one side, in pixels.</summary>
    public double Side(string name, string side) => this[$"{name}-{side}"] is { } own ? MjmlLength.Whole(own) : this[name] is { } all ? MjmlLength.Side(all, side) : 0;

    public double Border(string side, string name = "border") => MjmlLength.OfBorder(this[$"{name}-{side}"] ?? this[name]);

    public double Borders => Border("left") + Border("right");
    public double Paddings => Side("padding", "left") + Side("padding", "right");

    /// <summary>Pixels inside of its padding and border.</summary>
    public double Inner => Math.Truncate(place.Width) - Paddings - Borders;

    /// <summary>The classes that Outlook's cell around it has.</summary>
    public string? Outlook => this["css-class"] is { } names ? string.Join(' ', names.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(name => name + "-outlook")) : null;
}

/// <summary>Lengths as attributes have them: 10px, 50%, 10px 25px.</summary>
static class MjmlLength
{
    const double Most = 100_000;

    /// <summary>The number at the beginning; 0 where there is none.</summary>
    public static double Number(ReadOnlySpan<char> text)
    {
        text = text.TrimStart();
        var end = text.Length > 0 && text[0] is '-' or '+' ? 1 : 0;
        while (end < text.Length && (char.IsAsciiDigit(text[end]) || text[end] == '.')) end++;
        return double.TryParse(text[..end], NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? Math.Clamp(number, -Most, Most) : 0;
    }

    public static double Whole(ReadOnlySpan<char> text) => Math.Truncate(Number(text));

    public static bool IsPercent(string text) => text.EndsWith('%');

    public static double Side(string text, string side)
    {
        var sides = text.Split((char[])[' ', '\t', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries);
        if (sides.Length == 0) return 0;
        var at = (side, sides.Length) switch
        {
            (_, 1) or ("top", _) => 0,
            ("right", _) => 1,
            ("left", >= 4) => 3,
            ("left", _) => 1,
            ("bottom", 2) => 0,
            _ => 2,
        };
        return Whole(sides[at]);
    }

    /// <summary>How wide "2px solid red" is.</summary>
    public static double OfBorder(string? text)
    {
        foreach (var word in text?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [])
            if (char.IsAsciiDigit(word[0])) return Whole(word);
        return 0;
    }

    public static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);

    public static string Pixels(double number) => Text(number) + "px";

    public static double Round(double number) => Math.Floor(number + 0.5);
}
