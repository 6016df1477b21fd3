namespace CbaMail.Pop3;

/// <summary>How a command ends.</summary>
internal enum AnswerKind
{
    Ok,
    Refused,
    /// <summary>-ERR as well, but the client does not speak as it should: too many of these end the session.</summary>
    NotUnderstood,
    /// <summary>The command has said everything itself.</summary>
    Said,
}

/// <summary>What a command says: +OK or -ERR, a response code (RFC 2449 8) without brackets or null, a sentence.</summary>
internal readonly record struct Answer(AnswerKind Kind, string? Code, Phrase Text)
{
    public static readonly Answer Said = new(AnswerKind.Said, null, default);

    public static Answer Ok(Phrase text) => new(AnswerKind.Ok, null, text);
    public static Answer No(Phrase text, string? code = null) => new(AnswerKind.Refused, code, text);
    public static Answer Bad(Phrase text) => new(AnswerKind.NotUnderstood, null, text);
}
