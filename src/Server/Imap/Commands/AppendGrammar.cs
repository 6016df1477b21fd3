using CbaMail.Mailboxes;

namespace CbaMail.Imap.Commands;

/// <summary>Where a fragment of APPEND goes on: before the first message, behind a whole one, behind a part, before the parenthesis that UTF8 has opened.</summary>
internal enum AppendPhase { First, Message, Part, CloseMessage, ClosePart }

/// <summary>What is to be done before the literal that ends a fragment.</summary>
internal abstract record AppendStep
{
    /// <summary>A message begins.</summary>
    public sealed record Begin(MessageFlags Flags, List<string> Keywords, DateTimeOffset? Received) : AppendStep;

    /// <summary>A part of the message that the server has already (RFC 4469 3).</summary>
    public sealed record Url(string Text) : AppendStep;

    /// <summary>The message of CATENATE is complete.</summary>
    public sealed record Finish : AppendStep;
}

/// <summary>A piece of the command up to a literal that is content, or to the end of the command.</summary>
/// <param name="Literal">Null at the end.</param>
/// <param name="Then">Where the text behind the literal goes on.</param>
internal sealed record AppendFragment(List<AppendStep> Steps, PendingLiteral? Literal, AppendPhase Then)
{
    /// <summary>The literal is a whole message.</summary>
    public bool IsMessage => Then is AppendPhase.Message or AppendPhase.CloseMessage;
}

/// <summary>
/// The messages of APPEND and REPLACE (RFC 9051 9, append-message; many: RFC 3502; CATENATE: RFC 4469 5; UTF8: RFC 6855 4; literal8: RFC 3516 7).
/// Contents are no part of the command's text: they are streamed, and the text is parsed in the fragments between them.
/// </summary>
internal static class AppendGrammar
{
    /// <summary>Null where the text does not parse; the reader says why.</summary>
    public static AppendFragment? Parse(ref ImapReader text, AppendPhase phase)
    {
        var steps = new List<AppendStep>();
        if (phase is AppendPhase.CloseMessage or AppendPhase.ClosePart)
        {
            text.Close();
            phase = phase == AppendPhase.CloseMessage ? AppendPhase.Message : AppendPhase.Part;
        }
        while (!text.Failed)
        {
            if (phase == AppendPhase.Part && text.TakeClose())
            {
                steps.Add(new AppendStep.Finish());
                phase = AppendPhase.Message;
            }
            if (phase == AppendPhase.Message && IsOver(text)) return new(steps, null, phase);
            var literal = phase == AppendPhase.Part ? Part(ref text, steps) : Message(ref text, steps);
            if (text.Failed) return null;
            if (literal is not null) return literal;
            phase = AppendPhase.Part;
        }
        return null;
    }

    // some clients leave spaces behind
    static bool IsOver(ImapReader text)
    {
        while (text.Take((byte)' ')) { }
        return text.AtEnd;
    }

    /// <summary>A message up to its literal; null where it begins with a part that the server has.</summary>
    static AppendFragment? Message(ref ImapReader text, List<AppendStep> steps)
    {
        text.Space();
        var (flags, keywords) = (MessageFlags.None, new List<string>());
        if (text.Next == '(')
        {
            (flags, keywords) = text.Flags(recentIgnored: true);
            text.Space();
        }
        DateTimeOffset? received = null;
        if (text.Next == '"')
        {
            received = text.DateTime();
            text.Space();
        }
        steps.Add(new AppendStep.Begin(flags, keywords, received));
        if (text.Next is (byte)'{' or (byte)'~') return Content(ref text, steps, AppendPhase.Message);
        switch (text.Keyword())
        {
            case "CATENATE":
                text.Space();
                text.Open();
                return Part(ref text, steps, first: true);
            case "UTF8": return Utf8(ref text, steps, AppendPhase.CloseMessage);
            default:
                text.Fail("a literal");
                return null;
        }
    }

    // RFC 4469 5, cat-part
    static AppendFragment? Part(ref ImapReader text, List<AppendStep> steps, bool first = false)
    {
        if (!first) text.Space();
        switch (text.Keyword())
        {
            case "TEXT":
                text.Space();
                return Content(ref text, steps, AppendPhase.Part);
            case "UTF8": return Utf8(ref text, steps, AppendPhase.ClosePart);
            case "URL":
                text.Space();
                var url = text.Astring();
                if (url.Length == 0) text.Fail("a URL"); // RFC 4469 5, url-resp-text: BADURL could not repeat it
                steps.Add(new AppendStep.Url(url));
                return null;
            default:
                text.Fail("TEXT or URL");
                return null;
        }
    }

    // RFC 6855 4: a literal8 in parentheses
    static AppendFragment? Utf8(ref ImapReader text, List<AppendStep> steps, AppendPhase then)
    {
        text.Space();
        text.Open();
        if (text.Next != '~') text.Fail("a literal8");
        return Content(ref text, steps, then);
    }

    static AppendFragment? Content(ref ImapReader text, List<AppendStep> steps, AppendPhase then) =>
        text.LastLiteral() is { } literal ? new(steps, literal, then) : null;
}
