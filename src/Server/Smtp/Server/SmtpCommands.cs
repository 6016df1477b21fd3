using System.Collections.Frozen;
using CbaMail.Config;
using CbaMail.Smtp.Server.Commands;

namespace CbaMail.Smtp.Server;

/// <summary>Where a command is known.</summary>
[Flags]
enum On
{
    Relay = 1,
    Submission = 2,
    Lmtp = 4,
    Smtp = Relay | Submission,
    All = Smtp | Lmtp,
}

/// <summary>What must have happened before.</summary>
enum Needs
{
    Nothing,
    /// <summary>EHLO, HELO or LHLO.</summary>
    Hello,
    /// <summary>And, on a submission port, AUTH.</summary>
    SignIn,
    /// <summary>And MAIL.</summary>
    Transaction,
}

/// <summary>Parses its arguments and runs.</summary>
delegate ValueTask Command(SmtpSession session, string arguments);

/// <summary>A row of the table: everything that a stranger must know of a command.</summary>
/// <param name="Syntax">For HELP and for syntax errors.</param>
/// <param name="Utf8">Arguments may hold UTF-8 (RFC 6531 3.2).</param>
/// <param name="Announces">Its lines in the answer to EHLO, without "250".</param>
sealed record CommandRow(string Verb, string Syntax, On On, Needs Needs, Command Run, bool Utf8 = false, Func<SmtpSession, IEnumerable<string>>? Announces = null)
{
    /// <summary>How many octets of the line may be logged; the rest is secret.</summary>
    public int Shown { get; init; } = int.MaxValue;
}

/// <summary>The table, in the order of RFC 5321 4.1.1, extensions behind.</summary>
static class SmtpCommands
{
    public static readonly IReadOnlyList<CommandRow> Rows =
    [
        new("EHLO", "EHLO domain", On.Smtp, Needs.Nothing, HelloCommand.Ehlo, Announces: _ => ["PIPELINING", "ENHANCEDSTATUSCODES"]),
        new("HELO", "HELO domain", On.Smtp, Needs.Nothing, HelloCommand.Helo),
        new("LHLO", "LHLO domain", On.Lmtp, Needs.Nothing, HelloCommand.Lhlo, Announces: _ => ["PIPELINING", "ENHANCEDSTATUSCODES"]),
        new("MAIL", "MAIL FROM:<address> [parameters]", On.All, Needs.SignIn, MailCommand.Run, Utf8: true, MailCommand.Announce),
        new("RCPT", "RCPT TO:<address> [parameters]", On.All, Needs.Transaction, RcptCommand.Run, Utf8: true, RcptCommand.Announce),
        new("DATA", "DATA", On.All, Needs.Transaction, DataCommand.Run),
        new("BDAT", "BDAT octets [LAST]", On.All, Needs.Nothing, BdatCommand.Run, Announces: _ => ["CHUNKING", "BINARYMIME"]),
        new("RSET", "RSET", On.All, Needs.Nothing, RsetCommand.Run),
        new("VRFY", "VRFY address", On.All, Needs.Nothing, VrfyCommand.Run, Utf8: true),
        new("EXPN", "EXPN list", On.All, Needs.Nothing, VrfyCommand.Expand, Utf8: true),
        new("HELP", "HELP [command]", On.All, Needs.Nothing, HelpCommand.Run, Announces: _ => ["HELP"]),
        new("NOOP", "NOOP", On.All, Needs.Nothing, NoopCommand.Run, Utf8: true),
        new("QUIT", "QUIT", On.All, Needs.Nothing, QuitCommand.Run),
        new("STARTTLS", "STARTTLS", On.Smtp, Needs.Hello, StartTlsCommand.Run, Announces: StartTlsCommand.Announce),
        new("AUTH", "AUTH mechanism [initial-response]", On.Submission, Needs.Hello, AuthCommand.Run, Announces: AuthCommand.Announce) { Shown = 10 },
    ];

    /// <summary>Known and not offered (RFC 5321 4.2.4: 502).</summary>
    public static readonly FrozenSet<string> NotOffered =
        FrozenSet.ToFrozenSet(["TURN", "ETRN", "ATRN", "SEND", "SOML", "SAML", "XCLIENT", "XFORWARD", "BURL"], StringComparer.OrdinalIgnoreCase);

    /// <summary>What a browser says that was tricked into coming here: no word more to it.</summary>
    public static readonly FrozenSet<string> OfBrowsers =
        FrozenSet.ToFrozenSet(["GET", "POST", "PUT", "CONNECT", "OPTIONS", "HEAD"], StringComparer.Ordinal);

    static readonly FrozenDictionary<string, CommandRow> ByVerb = Rows.ToFrozenDictionary(row => row.Verb, StringComparer.OrdinalIgnoreCase);
    static readonly FrozenDictionary<string, CommandRow>.AlternateLookup<ReadOnlySpan<char>> Lookup = ByVerb.GetAlternateLookup<ReadOnlySpan<char>>();

    public static CommandRow? Find(ReadOnlySpan<char> verb, Protocol protocol) =>
        Lookup.TryGetValue(verb, out var row) && row.On.HasFlag(Of(protocol)) ? row : null;

    public static bool IsKnown(ReadOnlySpan<char> verb) => Lookup.ContainsKey(verb);

    public static On Of(Protocol protocol) => protocol switch
    {
        Protocol.Lmtp => On.Lmtp,
        Protocol.Submission or Protocol.Submissions => On.Submission,
        _ => On.Relay,
    };
}
