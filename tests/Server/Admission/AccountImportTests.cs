using System.Text;
using CbaMail.Admission;
using CbaMail.Envelope;
using CbaMail.Tests.Server.Directory;
using Xunit;

namespace CbaMail.Tests.Server.Admission;

public sealed class AccountImportTests
{
    static async Task<Result<ImportSummary>> ImportAsync(DirectoryFixture fixture, string text, bool bom = false) =>
        await new AccountImport(fixture.Users, fixture.Reports, fixture.Time)
            .RunAsync((byte[])[.. bom ? Encoding.UTF8.Preamble : [], .. Encoding.UTF8.GetBytes(text)], null, default);

    [Theory]
    [InlineData("address,name,password,quota,groups\nanna@example.test,Анна,secret,1G,teachers staff\n", false)]
    [InlineData("\"address\";\"name\";\"password\";\"quota\";\"groups\"\r\n\"anna@example.test\";\"Анна\";\"secret\";\"1G\";\"teachers staff\"\r\n", true)]
    [InlineData("Groups;QUOTA;Address;password;name\nteachers,staff;1024M;Anna@Example.test;secret;Анна", true)]
    public async Task The_forms_that_spreadsheets_write(string text, bool bom)
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var summary = (await ImportAsync(fixture, text, bom)).Value!;
        Assert.Equal((1, 0), (summary.Added, summary.Failed));
        Assert.Null(summary.Report);
        var anna = fixture.Users.ListAccounts().Single();
        Assert.Equal(("anna@example.test", "Анна", 1L << 30, "teachers staff"), (anna.Address.ToString(), anna.Name, anna.Quota, anna.Groups));
        Assert.True((await fixture.Users.SignInAsync("anna@example.test", "secret", default)).Ok);
    }

    [Fact]
    public async Task Missing_passwords_are_made_and_reported_to_the_owner_alone()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var summary = (await ImportAsync(fixture, "address\nanna@example.test\nboris@example.test\n")).Value!;
        Assert.Equal(2, summary.Added);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(summary.Report!));
        var lines = await File.ReadAllLinesAsync(summary.Report!);
        Assert.Equal("address,password", lines[0]);
        foreach (var line in lines[1..])
            Assert.True((await fixture.Users.SignInAsync(line.Split(',')[0], line.Split(',')[1], default)).Ok);
        Assert.Equal(3, lines.Length);
    }

    [Fact]
    public async Task Bad_rows_are_named_by_line_and_the_rest_is_taken()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var summary = (await ImportAsync(fixture, """
            address,name,password,quota
            good@example.test,Good,x,
            ,Nobody,x,
            no address,Bad,x,
            quota@example.test,Bad,x,lots
            other@nowhere.test,Bad,x,
            GOOD@example.test,Twice,x,
            few@example.test

            "two
            lines"@example.test,Bad,x,
            last@example.test,Last,x,10M
            """)).Value!;
        Assert.Equal([3, 4, 5, 6, 7, 8, 10], summary.Errors.Select(error => error.Line).Distinct().Where(line => line != 11));
        Assert.Equal(2, summary.Added);
        Assert.Contains("line 2", summary.Errors.Single(error => error.Line == 7).Error);
        Assert.NotNull(fixture.Users.FindAccount(new("last", "example.test")));
    }

    [Fact]
    public async Task The_report_has_no_password_for_a_row_that_is_refused()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var summary = (await ImportAsync(fixture, "address,name\nbad@example.test,\"two\nlines\"\n")).Value!;
        Assert.Equal((0, 1), (summary.Added, summary.Failed));
        Assert.Equal(2, summary.Errors.Single().Line);
        Assert.Null(summary.Report);
    }

    [Fact]
    public async Task The_same_file_again_changes_nothing()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        const string text = "address,name,password,quota,groups\nanna@example.test,Анна,,1G,a b\nboris@example.test,,secret,,\n";
        Assert.Equal(2, (await ImportAsync(fixture, text)).Value!.Added);
        var before = fixture.Users.ListAccounts();
        var again = (await ImportAsync(fixture, text)).Value!;
        Assert.Equal((0, 0, 2, 0), (again.Added, again.Changed, again.Unchanged, again.Failed));
        Assert.Null(again.Report);
        Assert.Equal(before, fixture.Users.ListAccounts());
        var changed = (await ImportAsync(fixture, text.Replace("1G", "2G"))).Value!;
        Assert.Equal((0, 1, 1), (changed.Added, changed.Changed, changed.Unchanged));
        Assert.Equal(2L << 30, fixture.Users.FindAccount(new("anna", "example.test"))!.Quota);
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("name,password\nAnna,x\n", "address")]
    [InlineData("address,adress\na@example.test,x\n", "adress")]
    [InlineData("address,address\na@example.test,x\n", "twice")]
    [InlineData("anna@example.test\n", "not known")]
    [InlineData("PK\x03\x04rubbish", "spreadsheet")]
    public async Task A_file_without_a_usable_header_is_refused_whole(string text, string word)
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var result = await ImportAsync(fixture, text);
        Assert.False(result.Ok);
        Assert.Contains(word, result.Refusal.Sentence);
        Assert.Empty(fixture.Users.ListAccounts());
    }
}
