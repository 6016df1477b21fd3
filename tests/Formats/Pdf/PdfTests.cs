using System.Buffers.Binary;
using System.Text;
using CbaMail.Pdf;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Formats.Pdf;

/// <summary>Documents that others read: the letters of several alphabets, tables over pages, the fonts with them.</summary>
public sealed class PdfTests
{
    static TrueTypeFont Font(string name = "DejaVuSans.ttf") => TrueTypeFont.Read(File.ReadAllBytes("/usr/share/fonts/truetype/dejavu/" + name));

    static PdfDocument New() => new(Font(), Font("DejaVuSans-Bold.ttf")) { Title = "Подтверждение", Language = "ru", Created = new DateTimeOffset(2027, 3, 1, 12, 0, 0, TimeSpan.Zero) };

    static async Task<string> TextAsync(byte[] file, params string[] more)
    {
        var folder = System.IO.Directory.CreateTempSubdirectory("cba-pdf").FullName;
        try
        {
            await File.WriteAllBytesAsync(Path.Combine(folder, "a.pdf"), file);
            var ran = await Tool.RunAsync("pdftotext", ["-layout", .. more, Path.Combine(folder, "a.pdf"), "-"]);
            Assert.True(ran.ExitCode == 0 && ran.Error.Length == 0, ran.Error);
            return ran.Output;
        }
        finally { System.IO.Directory.Delete(folder, recursive: true); }
    }

    [Fact]
    public async Task Text_of_many_alphabets_is_read_again()
    {
        var document = New();
        var page = document.AddPage();
        page.Text(50, 50, 12, "Свидетельство № 7 — Ёлкина Анна");
        page.Text(50, 80, 20, "Zażółć gęślą jaźń, ΑΒΓ, 1 234,50 €", font: 1);
        page.Text(50, 120, 12, "x\u0007y 漢");
        page.Area(50, 130, 100, 20, 0.9);
        page.Line(50, 160, 200, 160);
        var file = document.ToArray();
        var text = await TextAsync(file);
        Assert.Contains("Свидетельство № 7 — Ёлкина Анна", text);
        Assert.Contains("Zażółć gęślą jaźń, ΑΒΓ, 1 234,50 €", text);
        Assert.Contains("xy ?", text);
        Assert.True(file.Length < 60_000, $"{file.Length} bytes: the fonts come whole");
        Assert.Equal(file, document.ToArray());
    }

    [Fact]
    public async Task A_table_goes_over_pages_with_its_head_on_each()
    {
        var document = New();
        var flow = new PdfFlow(document);
        flow.Paragraph("Подтверждение", 16, bold: true);
        flow.Paragraph(string.Join(' ', Enumerable.Repeat("слово", 200)));
        flow.Table([1, 2, 4], ["№", "Когда", "Что"], Enumerable.Range(1, 150).Select(i => (IReadOnlyList<string>)[$"{i}", "1 марта", i == 7 ? new string('щ', 300) : $"строка-{i}"]));
        flow.Foots((page, of) => $"страница {page} из {of}");
        var text = await TextAsync(document.ToArray());
        var pages = text.Split('\f', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(pages.Length is > 2 and < 8, $"{pages.Length} pages");
        Assert.Equal(document.Pages.Count, pages.Length);
        Assert.All(pages, page => Assert.Contains("Когда", page));
        Assert.Contains($"страница 2 из {pages.Length}", pages[1]);
        foreach (var i in Enumerable.Range(8, 143)) Assert.Contains($"строка-{i}", text);
        Assert.Equal(300, text.Count(c => c == 'щ'));
        Assert.Equal(200, text.Split("слово").Length - 1);
    }

    [Fact]
    public async Task What_is_not_a_font_is_refused()
    {
        Assert.Throws<InvalidDataException>(() => TrueTypeFont.Read("no font, but long enough"u8.ToArray()));
        var whole = await File.ReadAllBytesAsync("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf");
        Assert.Throws<InvalidDataException>(() => TrueTypeFont.Read(whole.AsMemory(0, 5000)));
        var random = new Random(7);
        for (var i = 0; i < 300; i++)
        {
            var bad = whole.AsSpan(0, 700_000).ToArray();
            for (var j = 0; j < 20; j++) bad[random.Next(i % 2 == 0 ? 400 : bad.Length)] = (byte)random.Next(256);
            try { Encoding.ASCII.GetString(TrueTypeFont.Read(bad).Subset([36, 200, 900])); }
            catch (InvalidDataException) { }
        }
        Assert.True(BinaryPrimitives.ReadUInt32BigEndian(Font().Subset([36])) == 0x00010000);
    }
}
