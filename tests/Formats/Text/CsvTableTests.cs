using System.Text;
using CbaMail.Text;
using Xunit;

namespace CbaMail.Tests.Formats.Text;

public class CsvTableTests
{
    static CsvTable Read(string text, bool bom = false)
    {
        var table = CsvTable.Parse([.. bom ? Encoding.UTF8.Preamble.ToArray() : [], .. Encoding.UTF8.GetBytes(text)], out var refusal);
        Assert.Null(refusal);
        return table!;
    }

    [Theory]
    [InlineData("address,name\nivan@example.test,Иван\n", false)]
    [InlineData("address;name\r\nivan@example.test;Иван\r\n", true)]
    [InlineData("address\tname\nivan@example.test\tИван", false)]
    [InlineData("\"address\",\"name\"\n\"ivan@example.test\",\"Иван\"\n", true)]
    [InlineData("address , name\n ivan@example.test , \"Иван\" \n", false)]
    [InlineData("address,name,,\nivan@example.test,Иван,,\n", false)]
    [InlineData("\n\naddress,name\r\rivan@example.test,Иван\r", false)]
    [InlineData("sep=;\naddress;name\nivan@example.test;Иван\n,,\n;\n", true)]
    public void Reads_what_spreadsheets_export(string text, bool bom)
    {
        var table = Read(text.Replace("\n,,\n", "\n", StringComparison.Ordinal), bom);
        Assert.Equal(["address", "name"], table.Header);
        Assert.Equal(["ivan@example.test", "Иван"], Assert.Single(table.Rows).Fields);
        Assert.Empty(table.Errors);
    }

    [Fact]
    public void A_quoted_field_holds_separators_quotes_and_lines()
    {
        var table = Read("address,name\na@b.test,\"Smith, \"\"Jo\"\"\r\nJunior\"\nc@d.test,x\n");
        Assert.Equal("Smith, \"Jo\"\r\nJunior", table.Rows[0].Fields[1]);
        Assert.Equal([2, 4], table.Rows.Select(row => row.Line));
    }

    [Fact]
    public void A_separator_inside_quotes_does_not_choose_the_separator()
    {
        var table = Read("address;\"a,b,c,d\"\nx@y.test;1\n");
        Assert.Equal(["address", "a,b,c,d"], table.Header);
    }

    [Fact]
    public void A_bad_row_costs_its_line_and_no_other()
    {
        var table = Read("address,name\na@b.test,one\nb@b.test\nc@b.test,two,three\nd@b.test,\"open\ne@b.test,five\n\"f\"x,six\ng@b.test,seven\n");
        Assert.Equal([2, 6, 8], table.Rows.Select(row => row.Line));
        Assert.Equal([3, 4, 5, 7], table.Errors.Select(error => error.Line));
        Assert.Equal("1 column where the header has 2", table.Errors[0].Message);
        Assert.Contains("quote", table.Errors[2].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_not_utf8_are_an_error_of_their_row()
    {
        byte[] file = [.. "address,name\n"u8, .. "a@b.test,"u8, 0xC8, 0xE2, 0xE0, 0xED, (byte)'\n', .. "c@d.test,ok\n"u8];
        var table = CsvTable.Parse(file, out _)!;
        Assert.Equal((2, 3), (Assert.Single(table.Errors).Line, Assert.Single(table.Rows).Line));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\r\n \n")]
    public void An_empty_file_is_refused_with_a_sentence(string text)
    {
        Assert.Null(CsvTable.Parse(Encoding.UTF8.GetBytes(text), out var refusal));
        Assert.Contains("first line", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_written_reads_back()
    {
        var random = new Random(7);
        const string alphabet = "aя,;\"\t x\r\n'é@";
        for (var round = 0; round < 500; round++)
        {
            var columns = random.Next(1, 6);
            var separator = ",;\t"[random.Next(3)];
            var rows = Enumerable.Range(0, random.Next(0, 8)).Select(_ => Enumerable.Range(0, columns)
                .Select(i => (i == 0 ? "a" : "") + new string([.. Enumerable.Range(0, random.Next(0, 9)).Select(_ => alphabet[random.Next(alphabet.Length)])])).ToArray()).ToArray();
            var text = new StringBuilder(string.Join(separator, Enumerable.Range(0, columns).Select(i => $"c{i}"))).Append("\r\n");
            foreach (var row in rows) text.Append(string.Join(separator, row.Select(field => '"' + field.Replace("\"", "\"\"", StringComparison.Ordinal) + '"'))).Append("\r\n");
            var table = Read(text.ToString(), bom: round % 2 == 0);
            Assert.Empty(table.Errors);
            Assert.Equal(rows.Select(row => row.Select(field => field.Trim()).ToArray()), table.Rows.Select(row => row.Fields));
        }
    }

    [Fact]
    public void Any_bytes_are_read_in_linear_time_and_without_a_throw()
    {
        var random = new Random(11);
        var pieces = new[] { "\"", ",", ";", "\n", "\r", "a", "\"\"", "я", "\0" };
        for (var round = 0; round < 300; round++)
            CsvTable.Parse(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, random.Next(200)).Select(_ => pieces[random.Next(pieces.Length)]))), out _);
        CsvTable.Parse(Encoding.UTF8.GetBytes("a,b\n" + string.Concat(Enumerable.Repeat("\"x\n", 20_000))), out _);
    }
}
