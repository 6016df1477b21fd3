using System.Globalization;

namespace CbaMail.Directory;

/// <summary>A colour of sRGB, written <c>#rrggbb</c>, and how well it is told from another (WCAG 2.2, "contrast ratio").</summary>
public readonly record struct Color(byte Red, byte Green, byte Blue)
{
    /// <summary>What text needs (WCAG 2.2 1.4.3).</summary>
    public const double Readable = 4.5;

    public static readonly Color White = new(255, 255, 255);

    public static bool TryParse(string? text, out Color color)
    {
        color = default;
        if (text is not ['#', ..] || text.Length != 7 || !int.TryParse(text.AsSpan(1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var rgb)) return false;
        color = new((byte)(rgb >> 16), (byte)(rgb >> 8), (byte)rgb);
        return true;
    }

    /// <returns>From 1, the same, to 21, black and white.</returns>
    public double Contrast(Color other)
    {
        var (a, b) = (Luminance, other.Luminance);
        return (Math.Max(a, b) + 0.05) / (Math.Min(a, b) + 0.05);
    }

    /// <summary>The first step from here towards another colour that is readable on the ground.</summary>
    public Color On(Color ground, Color towards)
    {
        var color = this;
        for (var step = 1; step <= 20 && color.Contrast(ground) < Readable; step++) color = new(Between(Red, towards.Red, step), Between(Green, towards.Green, step), Between(Blue, towards.Blue, step));
        return color;

        static byte Between(byte from, byte to, int step) => (byte)(from + (to - from) * step / 20);
    }

    double Luminance => 0.2126 * Linear(Red) + 0.7152 * Linear(Green) + 0.0722 * Linear(Blue);

    static double Linear(byte part) => part / 255.0 is var c && c <= 0.04045 ? c / 12.92 : Math.Pow((c + 0.055) / 1.055, 2.4);

    public override string ToString() => $"#{Red:x2}{Green:x2}{Blue:x2}";
}
