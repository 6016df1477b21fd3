using System.Collections.Frozen;
using System.Globalization;
using CbaMail.Pop3.Commands;

namespace CbaMail.Pop3;

/// <summary>The states of a session (RFC 1939 3), as bits: a command names those it may be given in.</summary>
[Flags]
internal enum Pop3State
{
    Authorization = 1,
    Transaction = 2,
    /// <summary>The session is over; what was deleted has been removed where it ended by QUIT.</summary>
    Ended = 4,
    Any = Authorization | Transaction,
}

/// <summary>Runs with what stood behind the command's name.</summary>
internal delegate ValueTask<Answer> CommandRun(Pop3Session session, string argument);

/// <summary>A row: all that a stranger must know about a command.</summary>
/// <param name="Announces">Its lines in the answer to CAPA.</param>
internal sealed record Pop3Command(string Name, Pop3State States, CommandRun Run, Func<Pop3Session, IEnumerable<string>>? Announces = null)
{
    /// <summary>Its argument is the client's own, spaces and UTF-8 included; others are ASCII.</summary>
    public bool Verbatim { get; init; }

    /// <summary>Its argument is never logged.</summary>
    public bool Secret { get; init; }
}

/// <summary>The table of commands, in the order of RFC 1939 4-7, extensions behind. CAPA is made from it.</summary>
internal static class Pop3Commands
{
    public static readonly Pop3Command[] Rows =
    [
        new("USER", Pop3State.Authorization, PasswordCommands.User, s => s.MaySignIn ? ["USER"] : []) { Verbatim = true },
        new("PASS", Pop3State.Authorization, PasswordCommands.Pass) { Verbatim = true, Secret = true },
        new("APOP", Pop3State.Authorization, PasswordCommands.Apop) { Verbatim = true, Secret = true },
        new("QUIT", Pop3State.Any, QuitCommand.Run),
        new("STAT", Pop3State.Transaction, ListCommand.Stat),
        new("LIST", Pop3State.Transaction, ListCommand.Run),
        new("RETR", Pop3State.Transaction, RetrieveCommand.Run),
        new("DELE", Pop3State.Transaction, DeleteCommand.Run),
        new("NOOP", Pop3State.Transaction, DeleteCommand.Noop),
        new("RSET", Pop3State.Transaction, DeleteCommand.Reset),
        new("TOP", Pop3State.Transaction, RetrieveCommand.Top, _ => ["TOP"]),
        new("UIDL", Pop3State.Transaction, ListCommand.UniqueIds, _ => ["UIDL"]),
        new("CAPA", Pop3State.Any, CapabilityCommand.Run),
        new("STLS", Pop3State.Authorization, StartTlsCommand.Run, s => s.Connection.IsSecure || s.State != Pop3State.Authorization ? [] : ["STLS"]),
        new("AUTH", Pop3State.Authorization, AuthCommand.Run, AuthCommand.Announce) { Secret = true },
        new("UTF8", Pop3State.Authorization, LanguageCommands.Utf8, _ => ["UTF8 USER"]),
        new("LANG", Pop3State.Any, LanguageCommands.Lang, _ => ["LANG"]),
    ];

    static readonly FrozenDictionary<string, Pop3Command> ByName = Rows.ToFrozenDictionary(row => row.Name);

    /// <summary>The row, or null. Names are in capitals.</summary>
    public static Pop3Command? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>What the session can do in its state (RFC 2449 5, 6).</summary>
    public static IEnumerable<string> Capabilities(Pop3Session session)
    {
        foreach (var row in Rows)
            foreach (var line in row.Announces?.Invoke(session) ?? [])
                yield return line;
        yield return "RESP-CODES";      // RFC 2449 6.4
        yield return "AUTH-RESP-CODE";  // RFC 3206 5
        yield return "PIPELINING";      // RFC 2449 6.6
        // RFC 2449 6.5
        if (session.Settings.LoginDelay is var delay && delay > TimeSpan.Zero) yield return string.Create(CultureInfo.InvariantCulture, $"LOGIN-DELAY {Math.Ceiling(delay.TotalSeconds)}");
        yield return "EXPIRE NEVER";    // RFC 2449 6.7: mail stays until somebody deletes it
        yield return "IMPLEMENTATION CBA-Mail"; // RFC 2449 6.9; no version: attackers could use it
    }
}
