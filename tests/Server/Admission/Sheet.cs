using System.IO.Compression;
using System.Text;

namespace CbaMail.Tests.Server.Admission;

/// <summary>Writes spreadsheet files as simple as the format allows, and such as nobody would write in good faith.</summary>
static class Sheet
{
    public const string Type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

    /// <param name="cells">Text; with "=" before it a formula, its value behind "|"; with "#" before it a number.</param>
    public static byte[] Of(params string[][] cells) => Book(("People", cells));

    public static byte[] Book(params (string Name, string[][] Cells)[] sheets) => Raw([.. sheets.Select(sheet => (sheet.Name, Encoding.UTF8.GetBytes(Xml(sheet.Cells))))]);

    public static byte[] Raw(params (string Name, byte[] Xml)[] sheets)
    {
        using var file = new MemoryStream();
        using (var archive = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            void Add(string name, byte[] content)
            {
                using var entry = archive.CreateEntry(name, CompressionLevel.Optimal).Open();
                entry.Write(content);
            }
            Add("[Content_Types].xml", """<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>"""u8.ToArray());
            Add("_rels/.rels", """<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"""u8.ToArray());
            Add("xl/workbook.xml", Encoding.UTF8.GetBytes($"""<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>{string.Concat(sheets.Select((sheet, i) => $"<sheet name=\"{sheet.Name}\" sheetId=\"{i + 1}\" r:id=\"rId{i + 1}\"/>"))}</sheets></workbook>"""));
            Add("xl/_rels/workbook.xml.rels", Encoding.UTF8.GetBytes($"""<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{string.Concat(sheets.Select((_, i) => $"<Relationship Id=\"rId{i + 1}\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet{i + 1}.xml\"/>"))}</Relationships>"""));
            for (var i = 0; i < sheets.Length; i++) Add($"xl/worksheets/sheet{i + 1}.xml", sheets[i].Xml);
        }
        return file.ToArray();
    }

    const string Head = """<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>""";

    /// <summary>The same row again and again: small as a file, and large when it is read.</summary>
    public static byte[] Many(int rows, string filling)
    {
        var xml = new StringBuilder(Head);
        for (var i = 1; i <= rows; i++) xml.Append("<row r=\"").Append(i).Append("\"><c t=\"inlineStr\"><is><t>").Append(i == 1 ? "address" : filling).Append("</t></is></c></row>");
        return Raw(("People", Encoding.UTF8.GetBytes(xml.Append("</sheetData></worksheet>").ToString())));
    }

    static string Xml(string[][] cells)
    {
        var xml = new StringBuilder(Head);
        for (var row = 0; row < cells.Length; row++)
        {
            xml.Append($"<row r=\"{row + 1}\">");
            for (var column = 0; column < cells[row].Length; column++)
            {
                var (text, place) = (cells[row][column], $"{(char)('A' + column)}{row + 1}");
                if (text.StartsWith('=')) xml.Append($"<c r=\"{place}\" t=\"str\"><f>{text[1..text.IndexOf('|')]}</f><v>{text[(text.IndexOf('|') + 1)..]}</v></c>");
                else if (text.StartsWith('#')) xml.Append($"<c r=\"{place}\"><v>{text[1..]}</v></c>");
                else if (text.Length > 0) xml.Append($"<c r=\"{place}\" t=\"inlineStr\"><is><t>{System.Security.SecurityElement.Escape(text)}</t></is></c>");
            }
            xml.Append("</row>");
        }
        return xml.Append("</sheetData></worksheet>").ToString();
    }
}
