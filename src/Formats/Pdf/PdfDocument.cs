using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace CbaMail.Pdf;

/// <summary>
/// A PDF document (ISO 32000-1, version 1.7) of pages with text, lines and areas. Its fonts come with it, as far as they are used, and its text can
/// be searched and copied. The same document gives the same bytes.
/// </summary>
/// <param name="fonts">By the numbers under which pages name them.</param>
public sealed class PdfDocument(params IReadOnlyList<TrueTypeFont> fonts)
{
    const int MostPages = 5000;

    readonly List<PdfPage> pages = [];
    readonly MemoryStream output = new();
    readonly List<long> offsets = [];

    public string Title { get; init; } = "";
    /// <summary>"ru", "en".</summary>
    public string Language { get; init; } = "en";
    public DateTimeOffset Created { get; init; }
    public IReadOnlyList<PdfPage> Pages => pages;
    public IReadOnlyList<TrueTypeFont> Fonts => fonts;

    /// <summary>Adds a page; A4 upright unless said otherwise.</summary>
    /// <param name="width">In points, 1/72 inch.</param>
    /// <exception cref="InvalidOperationException">There are 5,000.</exception>
    public PdfPage AddPage(double width = 595.28, double height = 841.89)
    {
        if (pages.Count >= MostPages) throw new InvalidOperationException($"A document has at most {MostPages} pages");
        var page = new PdfPage(fonts, width, height);
        pages.Add(page);
        return page;
    }

    /// <summary>The whole file.</summary>
    public byte[] ToArray()
    {
        output.SetLength(0);
        offsets.Clear();
        Write("%PDF-1.7\n%\u00e2\u00e3\u00cf\u00d3\n"); // 7.5.2: says that there are bytes above 127
        // 1 catalog, 2 pages, 3 information, then five a font, two a page
        int FontAt(int font) => 4 + 5 * font;
        int PageAt(int page) => 4 + 5 * fonts.Count + 2 * page;
        Object($"<</Type/Catalog/Pages 2 0 R/Lang({Language})/ViewerPreferences<</DisplayDocTitle true>>>>");
        Object($"<</Type/Pages/Count {pages.Count}/Kids[{string.Join(' ', Enumerable.Range(0, pages.Count).Select(i => $"{PageAt(i)} 0 R"))}]>>");
        Object($"<</Title {Text(Title)}/Producer {Text("CBA Mail")}/CreationDate(D:{Created.UtcDateTime.ToString("yyyyMMddHHmmss", CultureInfo.InvariantCulture)}Z)>>");
        for (var font = 0; font < fonts.Count; font++) WriteFont(font, FontAt(font));
        var resources = $"<</Font<<{string.Concat(Enumerable.Range(0, fonts.Count).Select(i => $"/F{i} {FontAt(i)} 0 R"))}>>>>";
        for (var i = 0; i < pages.Count; i++)
        {
            Object(string.Create(CultureInfo.InvariantCulture, $"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {pages[i].Width:0.##} {pages[i].Height:0.##}]/Resources{resources}/Contents {PageAt(i) + 1} 0 R>>"));
            Stream("", Encoding.ASCII.GetBytes(pages[i].Content.ToString()));
        }
        var start = output.Length;
        Write($"xref\n0 {offsets.Count + 1}\n0000000000 65535 f \n");
        foreach (var offset in offsets) Write(string.Create(CultureInfo.InvariantCulture, $"{offset:D10} 00000 n \n"));
        Write($"trailer\n<</Size {offsets.Count + 1}/Root 1 0 R/Info 3 0 R>>\nstartxref\n{start}\n%%EOF\n");
        return output.ToArray();
    }

    /// <summary>A font as 9.7.4 has it: text names glyphs by two bytes each, and a table says what they mean to who copies them.</summary>
    void WriteFont(int number, int at)
    {
        var font = fonts[number];
        var used = new SortedDictionary<ushort, Rune>();
        foreach (var page in pages)
            foreach (var (glyph, character) in page.Used(number)) used.TryAdd(glyph, character);
        var name = $"CBAAA{(char)('A' + number % 26)}+Font{number}"; // 9.6.4: six letters tell a part of a font
        Object($"<</Type/Font/Subtype/Type0/BaseFont/{name}/Encoding/Identity-H/DescendantFonts[{at + 1} 0 R]/ToUnicode {at + 4} 0 R>>");
        Object($"<</Type/Font/Subtype/CIDFontType2/BaseFont/{name}/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/FontDescriptor {at + 2} 0 R/CIDToGIDMap/Identity"
            + $"/DW {font.Width(0)}/W[{string.Concat(used.Keys.Select(glyph => $"{glyph}[{font.Width(glyph)}]"))}]>>");
        Object($"<</Type/FontDescriptor/FontName/{name}/Flags 4/FontBBox[{string.Join(' ', font.Box)}]/ItalicAngle 0/Ascent {font.Ascent}/Descent {font.Descent}/CapHeight {font.Ascent}/StemV 80/FontFile2 {at + 3} 0 R>>");
        var file = font.Subset(used.Keys);
        Stream($"/Length1 {file.Length}", file);
        var map = new StringBuilder("/CIDInit/ProcSet findresource begin 12 dict begin begincmap/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def/CMapName/Adobe-Identity-UCS def/CMapType 2 def\n1 begincodespacerange<0000><FFFF>endcodespacerange\n");
        foreach (var piece in used.Chunk(100)) // 9.10.3: at most a hundred at a time
        {
            map.Append(CultureInfo.InvariantCulture, $"{piece.Length} beginbfchar\n");
            foreach (var (glyph, character) in piece) map.Append(CultureInfo.InvariantCulture, $"<{glyph:X4}><{Convert.ToHexString(Encoding.BigEndianUnicode.GetBytes(character.ToString()))}>\n");
            map.Append("endbfchar\n");
        }
        Stream("", Encoding.ASCII.GetBytes(map.Append("endcmap CMapName currentdict/CMap defineresource pop end end").ToString()));
    }

    // 7.9.2.2: UTF-16BE behind its mark
    static string Text(string text) => $"<FEFF{Convert.ToHexString(Encoding.BigEndianUnicode.GetBytes(text))}>";

    void Object(string content)
    {
        Begin();
        Write(content + "\nendobj\n");
    }

    void Stream(string entries, byte[] content)
    {
        var packed = new MemoryStream();
        using (var deflate = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true)) deflate.Write(content);
        Begin();
        Write($"<</Length {packed.Length}/Filter/FlateDecode{entries}>>stream\n");
        packed.WriteTo(output);
        Write("\nendstream\nendobj\n");
    }

    void Begin()
    {
        offsets.Add(output.Length);
        Write($"{offsets.Count} 0 obj\n");
    }

    void Write(string text) => output.Write(Encoding.Latin1.GetBytes(text));
}
