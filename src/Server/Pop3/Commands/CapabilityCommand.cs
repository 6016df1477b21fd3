namespace CbaMail.Pop3.Commands;

/// <summary>CAPA (RFC 2449 5).</summary>
internal static class CapabilityCommand
{
    public static ValueTask<Answer> Run(Pop3Session session, string argument)
    {
        if (argument.Trim(' ').Length > 0) return new(Answer.Bad(Phrases.NoArgument));
        session.Say(Answer.Ok(Phrases.Capabilities));
        foreach (var line in Pop3Commands.Capabilities(session)) session.Writer.Write(line).EndLine();
        session.Writer.Write(".\r\n"u8);
        return new(Answer.Said);
    }
}
