using CbaMail.Envelope;

namespace CbaMail.Imap;

/// <summary>The three ways a command can end (RFC 9051 7.1), and two for commands that have answered or ended the connection themselves.</summary>
internal enum OutcomeKind { Ok, No, Bad, Answered, Silent }

/// <summary>What the tagged response of a command says.</summary>
/// <param name="Code">Response code without brackets (RFC 9051 7.1, RFC 5530), or null.</param>
/// <param name="Text">For people; null stands for "NAME completed".</param>
internal readonly record struct Outcome(OutcomeKind Kind, string? Code, string? Text)
{
    /// <summary>"NAME completed".</summary>
    public static readonly Outcome Done = new(OutcomeKind.Ok, null, null);
    /// <summary>The command has sent its own tagged response.</summary>
    public static readonly Outcome Answered = new(OutcomeKind.Answered, null, null);
    /// <summary>Nothing more is to be said: the connection ends.</summary>
    public static readonly Outcome Silent = new(OutcomeKind.Silent, null, null);

    public static Outcome Ok(string? code, string? text = null) => new(OutcomeKind.Ok, code, text);
    public static Outcome No(string text, string? code = null) => new(OutcomeKind.No, code, text);
    public static Outcome Bad(string text, string? code = null) => new(OutcomeKind.Bad, code, text);

    /// <summary>What the reader of the arguments has found wrong.</summary>
    public static Outcome Bad(in ImapReader arguments) => new(OutcomeKind.Bad, arguments.Code, arguments.Error);

    /// <summary>An ordinary refusal, with its IMAP form.</summary>
    public static Outcome No(Refusal refusal) => new(OutcomeKind.No, refusal.ImapCode.Length == 0 ? null : refusal.ImapCode, refusal.Sentence);

    /// <summary>The same, but a missing target mailbox is TRYCREATE (RFC 9051 6.3.12, 6.4.7).</summary>
    public static Outcome NoTarget(Refusal refusal) =>
        refusal.ImapCode == "NONEXISTENT" ? No("No such mailbox; create it first", "TRYCREATE") : No(refusal);
}
