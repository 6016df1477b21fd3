using System.Globalization;
using System.Text;

namespace CbaMail.Pdf;

/// <summary>A page. Places are in points from its upper left corner, downwards.</summary>
public sealed class PdfPage
{
    readonly IReadOnlyList<TrueTypeFont> fonts;
    readonly Dictionary<ushort, Rune>[] used;

    internal PdfPage(IReadOnlyList<TrueTypeFont> fonts, double width, double height)
    {
        (this.fonts, Width, Height) = (fonts, width, height);
        used = [.. fonts.Select(_ => new Dictionary<ushort, Rune>())];
    }

    public double Width { get; }
    public double Height { get; }

    internal StringBuilder Content { get; } = new();
    internal IReadOnlyDictionary<ushort, Rune> Used(int font) => used[font];

    /// <summary>Writes one line; what a font has no glyph for is a "?".</summary>
    /// <param name="y">Of the line that letters stand on.</param>
    /// <param name="gray">0 black to 1 white.</param>
    public void Text(double x, double y, double size, string text, int font = 0, double gray = 0)
    {
        var glyphs = new StringBuilder(text.Length * 4);
        foreach (var character in text.EnumerateRunes())
        {
            if (Rune.IsControl(character)) continue;
            var (shown, glyph) = (character, fonts[font].Glyph(character));
            if (glyph == 0) (shown, glyph) = (new Rune('?'), fonts[font].Glyph(new Rune('?')));
            used[font].TryAdd(glyph, shown);
            glyphs.Append(glyph.ToString("X4", CultureInfo.InvariantCulture));
        }
        if (glyphs.Length > 0) Content.Append(CultureInfo.InvariantCulture, $"{gray:0.###} g BT /F{font} {size:0.##} Tf {x:0.##} {Height - y:0.##} Td <{glyphs}> Tj ET\n");
    }

    public void Line(double x1, double y1, double x2, double y2, double width = 0.5, double gray = 0) =>
        Content.Append(CultureInfo.InvariantCulture, $"{gray:0.###} G {width:0.##} w {x1:0.##} {Height - y1:0.##} m {x2:0.##} {Height - y2:0.##} l S\n");

    /// <summary>A filled rectangle; what is written later stands on it.</summary>
    public void Area(double x, double y, double width, double height, double gray) =>
        Content.Append(CultureInfo.InvariantCulture, $"{gray:0.###} g {x:0.##} {Height - y - height:0.##} {width:0.##} {height:0.##} re f\n");
}
