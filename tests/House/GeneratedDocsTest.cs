using Xunit;

namespace CbaMail.Tests.House;

/// <summary>Pages that are made from the source say what the source says. To make them anew: <c>UPDATE_DOCS=1 ./test GeneratedDocsTest</c>.</summary>
public class GeneratedDocsTest
{
    private const string Page = "docs/en/settings.md";

    [Fact]
    public void The_settings_reference_is_current()
    {
        var (page, _) = SettingsReference.Write();
        if (Environment.GetEnvironmentVariable("UPDATE_DOCS") == "1") File.WriteAllText(Path.Combine(Repository.Root, Page), page);
        Assert.True(Repository.Read(Page) == page, $"{Page} is not what the settings say; make it anew: UPDATE_DOCS=1 ./test GeneratedDocsTest");
    }

    [Fact]
    public void Every_key_says_what_it_does_and_what_stands_without_it() => Breach.None(SettingsReference.Write().Gaps);
}
