using Xunit;

namespace CbaMail.Tests.House;

/// <summary>Pages that are made from the source say what the source says. To make them anew: <c>UPDATE_DOCS=1 ./test GeneratedDocsTest</c>.</summary>
public class GeneratedDocsTest
{
    [Fact]
    public void The_settings_reference_is_current() => IsCurrent("docs/en/settings.md", SettingsReference.Write().Page);

    [Theory, InlineData("en"), InlineData("ru")]
    public void The_tables_of_imap_extensions_are_current(string language) => IsCurrent($"docs/{language}/imap-extensions.md", ImapExtensions.Write(language == "ru").Page);

    [Theory, InlineData("en"), InlineData("ru")]
    public void The_matrix_of_permissions_is_current(string language) => IsCurrent($"docs/{language}/permissions.md", PermissionMatrix.Write(language == "ru"));

    [Fact]
    public void The_openapi_document_is_current() => IsCurrent("docs/openapi.json", CbaMail.Http.OpenApi.Text);

    [Fact]
    public void Every_imap_extension_says_what_it_is_for() => Breach.None(ImapExtensions.Write(russian: false).Gaps);

    private static void IsCurrent(string file, string page)
    {
        if (Environment.GetEnvironmentVariable("UPDATE_DOCS") == "1") File.WriteAllText(Path.Combine(Repository.Root, file), page);
        Assert.True(Repository.Read(file) == page, $"{file} is not what the source says; make it anew: UPDATE_DOCS=1 ./test GeneratedDocsTest");
    }

    [Fact]
    public void Every_key_says_what_it_does_and_what_stands_without_it() => Breach.None(SettingsReference.Write().Gaps);
}
