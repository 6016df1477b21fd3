namespace CbaMail.Imap.Commands;

/// <summary>LANGUAGE (RFC 5255 3): in which language people are told what has happened.</summary>
internal static class LanguageCommand
{
    const int MostRanges = 32, LongestRange = 255;

    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments)
    {
        var ranges = new List<string>();
        while (!arguments.Failed && arguments.Take((byte)' ') && !arguments.AtEnd)
        {
            ranges.Add(arguments.Astring());
            if (ranges.Count > MostRanges) arguments.Refuse("Too many languages");
            else if (!arguments.Failed && !IsRange(ranges[^1])) arguments.Refuse("This is not a language range"); // RFC 4647 2.1
        }
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        if (ranges.Count == 0)
        {
            // RFC 5255 3.2: all that there are
            Tell(session, ImapLanguage.Tags);
            return new(Outcome.Done);
        }
        // RFC 5255 3.2: and the language stays what it was
        if (ImapLanguage.Choose(ranges, session.Settings.Language) is not var (tag, language)) return new(Outcome.No("No such language is spoken here; LANGUAGE alone lists those that are"));
        var changes = session.Dialect.Language != language;
        session.Dialect.Language = language;
        Tell(session, [tag]);
        // RFC 5255 3.4: what the prefixes are called in it
        if (changes && session.State is ImapState.Authenticated or ImapState.Selected) NamespaceCommand.Tell(session);
        return new(Outcome.Ok(null, "LANGUAGE completed"));
    }

    static void Tell(ImapSession session, string[] tags) => session.Writer.Write("* LANGUAGE ("u8).Write(string.Join(' ', tags)).Write(")\r\n"u8);

    static bool IsRange(string text) =>
        text is "*" || (text.Length is > 0 and <= LongestRange && text.Split('-').All(part => part == "*" || (part.Length is > 0 and <= 8 && part.All(char.IsAsciiLetterOrDigit))));
}
