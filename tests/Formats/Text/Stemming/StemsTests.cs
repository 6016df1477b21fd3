using CbaMail.Text.Stemming;
using Xunit;

namespace CbaMail.Tests.Formats.Text.Stemming;

/// <summary>Examples of the published descriptions of both stemmers.</summary>
public sealed class StemsTests
{
    [Theory]
    [InlineData("consign", "consign")]
    [InlineData("consigned", "consign")]
    [InlineData("consigning", "consign")]
    [InlineData("consistency", "consist")]
    [InlineData("consistently", "consist")]
    [InlineData("consolation", "consol")]
    [InlineData("consolingly", "consol")]
    [InlineData("knackeries", "knackeri")]
    [InlineData("knitting", "knit")]
    [InlineData("knots", "knot")]
    [InlineData("hopping", "hop")]
    [InlineData("hoping", "hope")]
    [InlineData("ties", "tie")]
    [InlineData("cries", "cri")]
    [InlineData("happy", "happi")]
    [InlineData("generate", "generat")]
    [InlineData("generously", "generous")]
    [InlineData("skies", "sky")]
    [InlineData("news", "news")]
    [InlineData("relational", "relat")]
    [InlineData("meetings", "meet")]
    [InlineData("courses", "cours")]
    public void English(string word, string stem) => Assert.Equal(stem, Stems.Of(word));

    [Theory]
    [InlineData("вавиловка", "вавиловк")]
    [InlineData("важная", "важн")]
    [InlineData("важнее", "важн")]
    [InlineData("важнейшими", "важн")]
    [InlineData("вагоны", "вагон")]
    [InlineData("вагонов", "вагон")]
    [InlineData("важничал", "важнича")]
    [InlineData("валился", "вал")]
    [InlineData("пала", "пал")]
    [InlineData("падаль", "падал")]
    [InlineData("павшим", "павш")]
    [InlineData("договора", "договор")]
    [InlineData("договорам", "договор")]
    [InlineData("длинный", "длин")]
    public void Russian(string word, string stem) => Assert.Equal(stem, Stems.Of(word));

    [Fact]
    public void Every_form_begins_with_the_root_of_the_others()
    {
        string[][] families =
        [
            ["happy", "happier", "happiness"], ["договор", "договора", "договору", "договоры", "договорами"], ["курс", "курса", "курсы", "курсов"],
            ["meeting", "meetings", "meet"], ["важный", "важная", "важного", "важными"], ["письмо", "письма", "письмами", "письму"],
        ];
        foreach (var family in families)
            foreach (var one in family)
                foreach (var other in family.Where(other => Stems.Of(other) == Stems.Of(one)))
                    Assert.StartsWith(Stems.Root(one), other);
    }

    [Fact]
    public void Any_word_has_a_stem()
    {
        var random = new Random(5);
        for (var i = 0; i < 100_000; i++)
        {
            var letters = i % 2 == 0 ? "abcdeginlosty" : "авеиймнослтуыьюя";
            var word = new string([.. Enumerable.Range(0, random.Next(1, 12)).Select(_ => letters[random.Next(letters.Length)])]);
            Assert.NotEmpty(Stems.Of(word));
            Assert.NotEmpty(Stems.Root(word));
        }
    }
}
