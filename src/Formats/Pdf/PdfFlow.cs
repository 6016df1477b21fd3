using System.Text;

namespace CbaMail.Pdf;

/// <summary>Text that goes on from page to page: headings, paragraphs, tables; with a line at the foot of each.</summary>
/// <param name="document">Its font 0 is the plain one, 1 the bold one.</param>
public sealed class PdfFlow(PdfDocument document)
{
    const double Margin = 48, Foot = 36, Leading = 1.35, Cell = 4;

    PdfPage? page;
    double y;

    double Right => Page.Width - Margin;
    double Bottom => Page.Height - Margin - Foot;
    PdfPage Page => page ?? Turn();

    PdfPage Turn()
    {
        page = document.AddPage();
        y = Margin;
        return page;
    }

    /// <summary>An empty room.</summary>
    public void Space(double height) => y += page is null ? 0 : height;

    /// <summary>A paragraph, broken between words, and within one that is longer than a line.</summary>
    public void Paragraph(string text, double size = 10, bool bold = false, double gray = 0)
    {
        foreach (var line in Break(text, Page.Width - 2 * Margin, size, bold ? 1 : 0))
        {
            if (y + size * Leading > Bottom) Turn();
            y += size * Leading;
            Page.Text(Margin, y - size * 0.3, size, line, bold ? 1 : 0, gray);
        }
    }

    /// <summary>A table; its head stands on every page that it goes over.</summary>
    /// <param name="widths">Of columns, as parts of the whole.</param>
    public void Table(IReadOnlyList<double> widths, IReadOnlyList<string> head, IEnumerable<IReadOnlyList<string>> rows, double size = 8)
    {
        var unit = (Right - Margin) / widths.Sum();
        double[] widthOf = [.. widths.Select(width => width * unit)];
        Row(widthOf, head, size, 1);
        foreach (var row in rows)
        {
            var lines = Lines(widthOf, row, size, 0);
            if (y + Height(lines, size) > Bottom && y > Margin + Height(lines, size))
            {
                Turn();
                Row(widthOf, head, size, 1);
            }
            Row(widthOf, row, size, 0);
        }
    }

    static double Height(List<string>[] lines, double size) => lines.Max(cell => cell.Count) * size * Leading + Cell;

    List<string>[] Lines(double[] widths, IReadOnlyList<string> row, double size, int font)
    {
        var most = (int)((Page.Height - 2 * Margin - Foot) / (size * Leading)) - 4; // a row is never higher than a page
        return [.. widths.Select((width, i) => Break(i < row.Count ? row[i] : "", width - Cell, size, font) is var lines && lines.Count > most ? lines[..most] : lines)];
    }

    void Row(double[] widths, IReadOnlyList<string> row, double size, int font)
    {
        var lines = Lines(widths, row, size, font);
        var height = Height(lines, size);
        if (y + height > Bottom) Turn();
        if (font == 1) Page.Area(Margin, y, Right - Margin, height, 0.92);
        var x = Margin;
        for (var i = 0; i < widths.Length; i++)
        {
            for (var line = 0; line < lines[i].Count; line++) Page.Text(x + Cell / 2, y + Cell / 2 + size * (line * Leading + 1), size, lines[i][line], font);
            x += widths[i];
        }
        y += height;
        Page.Line(Margin, y, Right, y, 0.4, 0.7);
    }

    /// <summary>A line at the foot of every page so far, with its number.</summary>
    /// <param name="line">Of the page's number and how many there are.</param>
    public void Foots(Func<int, int, string> line)
    {
        for (var i = 0; i < document.Pages.Count; i++) document.Pages[i].Text(Margin, document.Pages[i].Height - Margin, 7.5, line(i + 1, document.Pages.Count), gray: 0.4);
    }

    /// <summary>A text in lines of a width.</summary>
    List<string> Break(string text, double width, double size, int font)
    {
        var (face, lines) = (document.Fonts[font], new List<string>());
        foreach (var part in text.ReplaceLineEndings("\n").Split('\n'))
        {
            var line = new StringBuilder();
            double at = 0;
            foreach (var word in part.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                var (space, whole) = (line.Length > 0 ? face.Width(" ", size) : 0, face.Width(word, size));
                if (at + space + whole > width && line.Length > 0) { lines.Add(line.ToString()); line.Clear(); (at, space) = (0, 0); }
                if (space > 0) line.Append(' ');
                at += space;
                foreach (var character in word.EnumerateRunes())
                {
                    var one = face.Width(face.Glyph(character)) * size / 1000;
                    if (at + one > width && line.Length > 0) { lines.Add(line.ToString()); line.Clear(); at = 0; }
                    line.Append(character.ToString());
                    at += one;
                }
            }
            lines.Add(line.ToString());
        }
        return lines;
    }
}
