namespace CbaMail.Pop3.Commands;

/// <summary>DELE, RSET, NOOP (RFC 1939 5): marks in the session, nothing in the store.</summary>
internal static class DeleteCommand
{
    public static ValueTask<Answer> Run(Pop3Session session, string argument)
    {
        var words = Pop3Line.Words(argument);
        if (words.Length != 1) return new(Answer.Bad(Phrases.NumberNeeded));
        var number = session.Number(words[0], out var refusal);
        if (number == 0) return new(refusal);
        session.Maildrop.Delete(number);
        return new(Answer.Ok(Phrases.MarkedDeleted));
    }

    public static ValueTask<Answer> Reset(Pop3Session session, string argument)
    {
        if (argument.Trim(' ').Length > 0) return new(Answer.Bad(Phrases.NoArgument));
        session.Maildrop.Reset();
        return new(Answer.Ok(Phrases.Welcome(session.Maildrop.Left, session.Maildrop.Octets)));
    }

    public static ValueTask<Answer> Noop(Pop3Session session, string argument) =>
        new(argument.Trim(' ').Length > 0 ? Answer.Bad(Phrases.NoArgument) : Answer.Ok(Phrases.Understood));
}
