using System.Text.RegularExpressions;
using CbaMail.Config;
using CbaMail.Imap;
using CbaMail.Tests.House;
using Xunit;

namespace CbaMail.Tests.Server.Imap;

/// <summary>RFC 5255 3: what people read is in their language.</summary>
public sealed partial class PhrasesTests
{
    [GeneratedRegex("""Outcome\.No\("(?<text>[^"{]+)"(?:, "(?<code>[A-Z-]+))?""")]
    private static partial Regex Refusal { get; }

    [Fact]
    public void Most_refusals_have_a_sentence_of_their_own_in_Russian()
    {
        var all = Repository.CSharp("src").Where(file => file.StartsWith("src/Server/Imap/", StringComparison.Ordinal))
            .SelectMany(file => Refusal.Matches(Repository.Read(file))).Select(match => match.Groups["text"].Value).ToHashSet();
        var english = all.Where(text => ImapPhrases.Russian(text) is null).ToList();
        Assert.True(english.Count * 2 <= all.Count, $"{english.Count} of {all.Count} have none: {string.Join("; ", english)}");
    }

    [Theory]
    [InlineData("No such mailbox", "Такой папки нет")]
    [InlineData("UID FETCH completed", "UID FETCH: выполнено")]
    [InlineData("A mailbox named a.b exists already", "Папка с именем a.b уже есть")]
    [InlineData("What nobody has said in Russian", "What nobody has said in Russian")]
    public void Is_said_in_Russian(string english, string russian) => Assert.Equal(russian, ImapPhrases.In(MailLanguage.Ru, english));

    [Fact]
    public void What_has_no_sentence_of_its_own_has_that_of_its_code()
    {
        Assert.Equal("На это нет прав", ImapPhrases.In(MailLanguage.Ru, Outcome.No("Something new", "NOPERM")));
        Assert.Equal("Команда не понята: expected a space at 5", ImapPhrases.In(MailLanguage.Ru, Outcome.Bad("expected a space at 5")));
        Assert.Equal("Something new", ImapPhrases.In(MailLanguage.En, Outcome.No("Something new", "NOPERM")));
    }

    // RFC 5255 3.5: UTF-8 without control characters and "["
    [Fact]
    public void A_sentence_can_stand_in_an_answer()
    {
        foreach (var text in new[] { "Signed in", "No such mailbox; create it first", "This went wrong on our side; it has been noted" })
            Assert.DoesNotContain(ImapPhrases.In(MailLanguage.Ru, text), c => char.IsControl(c) || c == '[');
    }

    [Theory]
    [InlineData("ru", "ru")]
    [InlineData("RU-ru", "ru")]
    [InlineData("fr de-CH-1996 en-GB ru", "en")]
    [InlineData("i-default", "i-default")]
    [InlineData("default", "ru")]
    [InlineData("*", "ru")]
    [InlineData("rus fr mul", null)]
    public void The_first_range_that_is_spoken_is_chosen(string ranges, string? tag) =>
        Assert.Equal(tag, ImapLanguage.Choose(ranges.Split(' '), MailLanguage.Ru)?.Tag);
}
