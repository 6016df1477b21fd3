using CbaMail.Config;

namespace CbaMail.Pop3.Commands;

/// <summary>UTF8 and LANG (RFC 6856).</summary>
internal static class LanguageCommands
{
    static readonly (string Tag, MailLanguage Language, string Name)[] Languages = [("en", MailLanguage.En, "English"), ("ru", MailLanguage.Ru, "Русский")];

    /// <summary>RFC 6856 2.1: from here on messages with UTF-8 in their header are sent as they are.</summary>
    public static ValueTask<Answer> Utf8(Pop3Session session, string argument)
    {
        if (argument.Trim(' ').Length > 0) return new(Answer.Bad(Phrases.NoArgument));
        session.IsUtf8 = true;
        return new(Answer.Ok(Phrases.Utf8On));
    }

    public static ValueTask<Answer> Lang(Pop3Session session, string argument)
    {
        var words = Pop3Line.Words(argument);
        if (words.Length == 0) return new(List(session));
        if (words.Length > 1 || Match(words[0], session.Settings.Language) is not { } language) return new(Answer.No(Phrases.NoLanguage));
        session.Language = language;
        // RFC 6856 3.2: the tag, then the sentence in that language
        var tag = Languages.First(one => one.Language == language).Tag;
        return new(Answer.Ok(Phrase.Plain($"{tag} {Phrases.LanguageChanged.In(language)}")));
    }

    static Answer List(Pop3Session session)
    {
        session.Say(Answer.Ok(Phrases.Languages));
        foreach (var (tag, _, name) in Languages) session.Writer.Write(tag).Space().Write(name).EndLine();
        session.Writer.Write(".\r\n"u8);
        return Answer.Said;
    }

    // RFC 4647 3.4: what is more special than we can be is met by what is less so
    static MailLanguage? Match(string range, MailLanguage preferred)
    {
        if (range == "*") return preferred;
        var tag = range.Split('-')[0];
        foreach (var one in Languages)
            if (one.Tag.Equals(tag, StringComparison.OrdinalIgnoreCase)) return one.Language;
        return null;
    }
}
