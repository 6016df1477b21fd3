using System.Text.Json;
using CbaMail.Courses;
using CbaMail.Mailings;
using Xunit;

namespace CbaMail.Tests.Server.Mailings;

/// <summary>Audiences in one line and as JSON: what is read, what is written, and that nothing breaks the reader.</summary>
public sealed class AudienceTextTests
{
    [Theory]
    [InlineData("everybody", "everybody")]
    [InlineData("students of run spring in group B who have not opened mailing 7, without those in audience Z", "students and in run spring and in group B and not opened mailing 7 and not in audience Z")]
    [InlineData("teachers or assistants", "teachers or assistants")]
    [InlineData("students and (in group A or in group \"B 2\")", "students and (in group A or in group \"B 2\")")]
    [InlineData("guardians speaking русский", "guardians and speaking ru")]
    [InlineData("field \"exam date\" = \"12 June\" attribute city != Омск", "field \"exam date\" = \"12 June\" and not attribute city = Омск")]
    [InlineData("FIELD mark >= 4.5 and field seat is not empty", "field mark >= 4.5 and not field seat is empty")]
    [InlineData("enrolled between 2027-02-01 and 2027-03-01", "enrolled from 2027-02-01 to 2027-03-01")]
    [InlineData("everybody who was enrolled after 2027-02-01", "everybody and enrolled from 2027-02-01")]
    [InlineData("former students", "former and students")]
    [InlineData("not not students", "not not students")]
    [InlineData("in group \"and\"", "in group \"and\"")]
    public void A_sentence_is_read(string text, string canonical)
    {
        Assert.True(AudienceText.TryParse(text, out var rule, out var error), error);
        Assert.Equal(canonical, rule!.ToString());
    }

    [Theory]
    [InlineData("", "column 1:")]
    [InlineData("students in grupe B", "column 13:")]
    [InlineData("students and", "column 13:")]
    [InlineData("(students", "column 10:")]
    [InlineData("students)", "column 9:")]
    [InlineData("in group \"B", "column 10:")]
    [InlineData("opened mailing x", "column 16:")]
    [InlineData("enrolled between 2027-02-01 and tomorrow", "column 33:")]
    [InlineData("speaking German", "column 10:")]
    [InlineData("students; drop table person", "column 9:")]
    public void A_mistake_is_told_with_its_column(string text, string column)
    {
        Assert.False(AudienceText.TryParse(text, out _, out var error));
        Assert.StartsWith(column, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Length_depth_and_terms_are_bounded()
    {
        Assert.False(AudienceText.TryParse(new string('(', 3000), out _, out var deep));
        Assert.Contains("deep", deep, StringComparison.Ordinal);
        Assert.False(AudienceText.TryParse(string.Concat(Enumerable.Repeat("not ", 900)) + "students", out _, out _));
        Assert.False(AudienceText.TryParse(string.Join(" or ", Enumerable.Repeat("students", 201)), out _, out var many));
        Assert.Contains("terms", many, StringComparison.Ordinal);
        Assert.False(AudienceText.TryParse(new string('a', AudienceText.Longest + 1), out _, out _));
        Assert.False(AudienceJson.TryRead(JsonDocument.Parse(string.Concat(Enumerable.Repeat("{\"not\":", 40)) + "{\"role\":\"student\"}" + new string('}', 40)).RootElement, out _, out _));
    }

    [Fact]
    public void What_is_written_is_read_again_as_text_and_as_json()
    {
        var random = new Random(7);
        for (var i = 0; i < 3000; i++)
        {
            var rule = Any(random, 0);
            Assert.True(AudienceText.TryParse(rule.ToString(), out var text, out var error), $"{rule}: {error}");
            Assert.Equal(rule, text);
            Assert.True(AudienceJson.TryRead(JsonDocument.Parse(AudienceJson.Of(rule).ToJsonString()).RootElement, out var json, out error), $"{rule}: {error}");
            Assert.Equal(rule, json);
        }
    }

    [Fact]
    public void No_input_throws()
    {
        var random = new Random(11);
        string[] pieces = ["students", "(", ")", "not", "and", "or", ",", "\"", "\"\"", "group", "run", "field", "=", "<=", "!", "!=", "mailing", "opened", "7", "99999999999999999999", "2027-02-30", "enrolled", "between", "is", "empty", "\0", "\ud800", "Ё", " ", "in", "audience", "'", ";"];
        for (var i = 0; i < 20_000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(15)).Select(_ => pieces[random.Next(pieces.Length)] + (random.Next(3) == 0 ? "" : " ")));
            if (AudienceText.TryParse(text, out var rule, out var error)) Assert.True(AudienceText.TryParse(rule!.ToString(), out var again, out _) && rule.Equals(again), text);
            else Assert.NotNull(error);
        }
    }

    static AudienceRule Any(Random random, int depth)
    {
        string Name() => new[] { "spring", "B", "group B", "and", "\"q\"", "Ё-1", "in", "a,b", "(x)", "12 June" }[random.Next(10)];
        if (depth < 4 && random.Next(3) == 0)
            return random.Next(3) == 0 ? new AudienceRule.Not(Any(random, depth + 1)) : new AudienceRule.Several(random.Next(2) == 0, [.. Enumerable.Range(0, 2 + random.Next(2)).Select(_ => Any(random, depth + 1))]);
        var test = (AudienceTest)random.Next(7);
        return random.Next(10) switch
        {
            0 => new AudienceRule.Everybody(),
            1 => new AudienceRule.Standing(random.Next(2) == 0),
            2 => new AudienceRule.InRole((CourseRole)random.Next(4)),
            3 => new AudienceRule.InRun(Name().ToLowerInvariant()),
            4 => new AudienceRule.InGroup(Name()),
            5 => new AudienceRule.Speaks(random.Next(2) == 0 ? "ru" : "en"),
            6 => new AudienceRule.Value(random.Next(2) == 0, Name(), test, test == AudienceTest.Empty ? "" : random.Next(5) == 0 ? "" : Name()),
            7 => random.Next(3) switch { 0 => new AudienceRule.Enrolled(new(2027, 1, 2), null), 1 => new AudienceRule.Enrolled(null, new(2027, 1, 2)), _ => new AudienceRule.Enrolled(new(2027, 1, 2), new(2027, 2, 3)) },
            8 => new AudienceRule.Copy(random.Next(100), (CopyFate)random.Next(5)),
            _ => new AudienceRule.InAudience(Name()),
        };
    }
}
