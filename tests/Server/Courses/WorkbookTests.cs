using System.IO.Compression;
using System.Text;
using CbaMail.Admission;
using CbaMail.Envelope;
using CbaMail.Tests.Server.Admission;
using CbaMail.Tests.Server.Directory;
using Xunit;

namespace CbaMail.Tests.Server.Courses;

public sealed class WorkbookTests
{
    static async Task<Result<ImportSummary>> ImportAsync(DirectoryFixture fixture, byte[] file, ImportOrder? order = null) =>
        await new AccountImport(fixture.Users, fixture.Reports, fixture.Time).RunAsync(file, null, default, order);

    [Fact]
    public async Task A_spreadsheet_is_read_as_its_author_sees_it()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var file = Sheet.Of(
            ["Эл. почта", "ФИО", "Пароль", "Квота", "Группы", "Псевдонимы", "Резервный адрес", "Сменить пароль"],
            ["=A1&amp;B1|anna@example.test", "Анна", "#12345678", "1G", "б а", "director, info@example.test", "anna@Elsewhere.example", "да"],
            [],
            ["boris@example.test", "Борис"]);
        var summary = (await ImportAsync(fixture, file)).Value!;
        Assert.Equal((2, 0), (summary.Added, summary.Failed));
        var anna = fixture.Users.FindAccount(new("anna", "example.test"))!;
        Assert.Equal(("Анна", 1L << 30, "б а", "anna@elsewhere.example", true), (anna.Name, anna.Quota, anna.Groups, anna.Profile.Recovery, anna.Profile.MustChangePassword == true));
        Assert.True((await fixture.Users.SignInAsync("anna@example.test", "12345678", default)).Ok);
        Assert.Equal(["anna@example.test"], fixture.Users.FindAlias(new("director", "example.test"))!.Targets);
        var again = (await ImportAsync(fixture, file)).Value!;
        Assert.Equal((0, 0, 2, 0), (again.Added, again.Changed, again.Unchanged, again.Failed));
    }

    [Fact]
    public async Task A_trial_says_what_would_be_by_row_and_column_and_does_nothing()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        await ImportAsync(fixture, Sheet.Of(["address", "name", "quota"], ["anna@example.test", "Anna", "1G"], ["vera@example.test", "Vera", "1G"]));
        var summary = (await ImportAsync(fixture, Sheet.Of(["address", "name", "quota"], ["anna@example.test", "Anna P", "2G"], ["vera@example.test", "Vera", "1G"], ["new@example.test", "New", ""], ["bad@example.test", "Bad", "lots"]),
            ImportOrder.All with { IsRehearsal = true })).Value!;
        Assert.Equal((1, 1, 1, 1), (summary.Added, summary.Changed, summary.Unchanged, summary.Failed));
        Assert.Equal(["changed", "unchanged", "added"], summary.Rows!.Select(row => row.Outcome));
        Assert.Equal([new("name", "Anna", "Anna P"), new ImportDifference("quota", "1G", "2G")], summary.Rows![0].Columns);
        Assert.Equal((5, "quota"), (summary.Errors.Single().Line, summary.Errors.Single().Column));
        Assert.Equal(2, fixture.Users.AccountCount);
        Assert.Null(summary.Report);
    }

    [Fact]
    public async Task The_sheet_is_chosen_by_name_or_number()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var file = Sheet.Book(("Notes", [["anything"]]), ("Люди", [["address"], ["anna@example.test"]]));
        Assert.Contains("anything", (await ImportAsync(fixture, file)).Refusal!.Sentence);
        Assert.Contains("Notes, Люди", (await ImportAsync(fixture, file, ImportOrder.All with { Sheet = "3" })).Refusal!.Sentence);
        Assert.Equal(1, (await ImportAsync(fixture, file, ImportOrder.All with { Sheet = "Люди" })).Value!.Added);
        Assert.Equal(1, (await ImportAsync(fixture, file, ImportOrder.All with { Sheet = "2" })).Value!.Unchanged);
    }

    [Fact]
    public async Task What_unpacks_to_more_than_it_should_is_refused_before_it_is_read()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var bomb = Sheet.Raw(("People", new byte[200 << 20]));
        Assert.True(bomb.Length < 1 << 20);
        Assert.Contains("unpacks to more than", (await ImportAsync(fixture, bomb)).Refusal!.Sentence);
    }

    [Fact]
    public async Task A_million_rows_are_refused()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        Assert.Contains("rows", (await ImportAsync(fixture, Sheet.Many(1_000_000, "a@b.c"))).Refusal!.Sentence);
        Assert.Contains("rows", (await ImportAsync(fixture, Encoding.UTF8.GetBytes("address\n" + string.Concat(Enumerable.Repeat("a@b.c\n", 1_000_000))))).Refusal!.Sentence);
        Assert.Equal(0, fixture.Users.AccountCount);
    }

    [Theory]
    [InlineData("xl/workbook.xml", "no xml")]
    [InlineData("xl/worksheets/sheet1.xml", "<worksheet><sheetData><row r=\"99999999999999\"><c r=\"ZZZZZZ99\" t=\"s\"><v>77</v></c></row>")]
    [InlineData("xl/worksheets/sheet1.xml", "<!DOCTYPE x [<!ENTITY a \"b\">]><worksheet>&a;</worksheet>")]
    [InlineData("mimetype", "application/vnd.oasis.opendocument.spreadsheet")]
    public async Task A_broken_file_is_refused_with_a_sentence(string entry, string text)
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        using var file = new MemoryStream();
        file.Write(Sheet.Of(["address"], ["anna@example.test"]));
        using (var archive = new ZipArchive(file, ZipArchiveMode.Update, leaveOpen: true))
        {
            archive.GetEntry(entry)?.Delete();
            if (entry == "mimetype") archive.GetEntry("xl/workbook.xml")!.Delete();
            using var content = archive.CreateEntry(entry).Open();
            content.Write(Encoding.UTF8.GetBytes(text));
        }
        var result = await ImportAsync(fixture, file.ToArray());
        Assert.True(!result.Ok || result.Value.Added == 0);
        Assert.Equal(0, fixture.Users.AccountCount);
    }

    [Fact]
    public async Task An_old_format_is_refused_by_its_name()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        Assert.Contains(".xls", (await ImportAsync(fixture, [0xD0, 0xCF, 0x11, 0xE0, 0, 0])).Refusal!.Sentence);
    }

    [Fact]
    public async Task Whoever_may_not_change_an_account_cannot_by_a_table()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        await ImportAsync(fixture, "address,name\nowner@example.test,Owner\n"u8.ToArray());
        var summary = (await ImportAsync(fixture, "address,name,aliases\nowner@example.test,Thief,\nnew@example.test,New,owner\nother@example.test,Other,other2\nlast@example.test,Last,other2\n"u8.ToArray(), new(_ => true, _ => false, _ => false))).Value!;
        Assert.Equal([2, 3, 5], summary.Errors.Select(error => error.Line));
        Assert.Equal("Owner", fixture.Users.FindAccount(new("owner", "example.test"))!.Name);
    }
}
