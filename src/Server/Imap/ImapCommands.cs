using System.Collections.Frozen;
using CbaMail.Imap.Commands;

namespace CbaMail.Imap;

/// <summary>The states of a session (RFC 9051 3), as bits: a command names those it may be given in.</summary>
[Flags]
internal enum ImapState
{
    NotAuthenticated = 1,
    Authenticated = 2,
    Selected = 4,
    Logout = 8,
    SignedIn = Authenticated | Selected,
    Any = NotAuthenticated | Authenticated | Selected,
}

/// <summary>What else is to be known about a command.</summary>
[Flags]
internal enum CommandTraits
{
    None = 0,
    /// <summary>No EXPUNGE may be sent while it runs: its answer counts in sequence numbers (RFC 9051 7.5.1).</summary>
    HoldsExpunges = 1,
    /// <summary>Literals of it are content that it reads itself.</summary>
    Streams = 2,
    /// <summary>Untagged FETCH responses carry the UID (RFC 9051 6.4.9).</summary>
    Uid = 4,
    /// <summary>Its arguments are secret: never logged.</summary>
    Secret = 8,
    /// <summary>Its own answer is the news: no updates of the mailbox before the tagged response.</summary>
    NoUpdates = 16,
    /// <summary>It names messages by sequence number, which UIDONLY gives up (RFC 9586 3.1).</summary>
    Numbers = 32,
    /// <summary>Names a message before the mailbox that it appends to.</summary>
    Replaces = 64,
    /// <summary>It never computes or reads long, so that it may keep the thread that has received it.</summary>
    Brief = 128,
}

/// <summary>Parses at once, then runs: the reader cannot outlive the call.</summary>
internal delegate ValueTask<Outcome> CommandRun(ImapSession session, ref ImapReader arguments);

/// <summary>Whether the literal that the text ends with is content and not an argument.</summary>
internal delegate bool AtContent(ReadOnlySpan<byte> text);

/// <summary>A row: all that a stranger must know about a command.</summary>
/// <param name="Capability">The capabilities that announce it, separated by spaces, or null.</param>
internal sealed record ImapCommand(string Name, ImapState States, CommandRun Run, string? Capability = null, CommandTraits Traits = CommandTraits.None)
{
    public bool Has(CommandTraits trait) => (Traits & trait) != 0;
}

/// <summary>The table of commands, in the order of RFC 9051 section 6. CAPABILITY is made from it.</summary>
internal static class ImapCommands
{
    public static readonly ImapCommand[] Rows =
    [
        new("CAPABILITY", ImapState.Any, CapabilityCommand.Run, Traits: CommandTraits.Brief),
        new("NOOP", ImapState.Any, NoopCommand.Run, Traits: CommandTraits.Brief),
        new("LOGOUT", ImapState.Any, LogoutCommand.Run, Traits: CommandTraits.NoUpdates | CommandTraits.Brief),
        new("ID", ImapState.Any, IdCommand.Run, "ID", Traits: CommandTraits.Brief),
        new("LANGUAGE", ImapState.Any, LanguageCommand.Run, "LANGUAGE", Traits: CommandTraits.Brief),

        new("STARTTLS", ImapState.NotAuthenticated, StartTlsCommand.Run, Traits: CommandTraits.NoUpdates | CommandTraits.Brief),
        new("AUTHENTICATE", ImapState.NotAuthenticated, AuthenticateCommand.Run, Traits: CommandTraits.Secret | CommandTraits.Brief),
        new("LOGIN", ImapState.NotAuthenticated, LoginCommand.Run, Traits: CommandTraits.Secret | CommandTraits.Brief),

        new("UNAUTHENTICATE", ImapState.SignedIn, UnauthenticateCommand.Run, "UNAUTHENTICATE", CommandTraits.NoUpdates | CommandTraits.Brief),
        new("COMPRESS", ImapState.SignedIn, CompressCommand.Run, "COMPRESS=DEFLATE", CommandTraits.NoUpdates | CommandTraits.Brief),
        new("ENABLE", ImapState.SignedIn, EnableCommand.Run, "ENABLE QRESYNC UIDONLY UTF8=ACCEPT", Traits: CommandTraits.Brief),
        new("SELECT", ImapState.SignedIn, SelectCommand.Select, Traits: CommandTraits.NoUpdates),
        new("EXAMINE", ImapState.SignedIn, SelectCommand.Examine, Traits: CommandTraits.NoUpdates),
        new("CREATE", ImapState.SignedIn, CreateCommand.Run, "CREATE-SPECIAL-USE", Traits: CommandTraits.Brief),
        new("DELETE", ImapState.SignedIn, DeleteCommand.Run),
        new("RENAME", ImapState.SignedIn, RenameCommand.Run),
        new("SUBSCRIBE", ImapState.SignedIn, SubscribeCommand.Subscribe, Traits: CommandTraits.Brief),
        new("UNSUBSCRIBE", ImapState.SignedIn, SubscribeCommand.Unsubscribe, Traits: CommandTraits.Brief),
        new("LIST", ImapState.SignedIn, ListCommand.Run, "CHILDREN LIST-EXTENDED LIST-METADATA LIST-MYRIGHTS LIST-STATUS SPECIAL-USE"),
        new("LSUB", ImapState.SignedIn, LsubCommand.Run),
        new("NAMESPACE", ImapState.SignedIn, NamespaceCommand.Run, "NAMESPACE", Traits: CommandTraits.Brief),
        new("STATUS", ImapState.SignedIn, StatusCommand.Run, "STATUS=SIZE", Traits: CommandTraits.Brief),
        new("APPEND", ImapState.SignedIn, AppendCommand.Run, "LITERAL+ APPENDLIMIT MULTIAPPEND CATENATE URL-PARTIAL", CommandTraits.Streams | CommandTraits.Brief),
        new("SETACL", ImapState.SignedIn, AclCommands.Set, "ACL RIGHTS=" + Mailboxes.RightsText.Added),
        new("DELETEACL", ImapState.SignedIn, AclCommands.Delete),
        new("GETACL", ImapState.SignedIn, AclCommands.Get),
        new("LISTRIGHTS", ImapState.SignedIn, AclCommands.ListRights),
        new("MYRIGHTS", ImapState.SignedIn, AclCommands.MyRights),
        new("NOTIFY", ImapState.SignedIn, NotifyCommand.Run, "NOTIFY"),
        new("GETMETADATA", ImapState.SignedIn, MetadataCommands.Get, "METADATA"),
        new("SETMETADATA", ImapState.SignedIn, MetadataCommands.Set),
        new("IDLE", ImapState.SignedIn, IdleCommand.Run, "IDLE", Traits: CommandTraits.Brief),
        new("GETQUOTA", ImapState.SignedIn, QuotaCommand.Get, "QUOTA QUOTA=RES-STORAGE", Traits: CommandTraits.Brief),
        new("GETQUOTAROOT", ImapState.SignedIn, QuotaCommand.GetRoot, Traits: CommandTraits.Brief),
        new("SETQUOTA", ImapState.SignedIn, QuotaCommand.Set, "QUOTASET"),

        new("CHECK", ImapState.Selected, NoopCommand.Check, Traits: CommandTraits.Brief),
        new("CLOSE", ImapState.Selected, CloseCommand.Close, Traits: CommandTraits.NoUpdates),
        new("UNSELECT", ImapState.Selected, CloseCommand.Unselect, "UNSELECT", CommandTraits.NoUpdates | CommandTraits.Brief),
        new("EXPUNGE", ImapState.Selected, ExpungeCommand.Run),
        new("UID EXPUNGE", ImapState.Selected, ExpungeCommand.RunUid, "UIDPLUS", CommandTraits.Uid),
        new("SEARCH", ImapState.Selected, SearchCommand.Run, "ESEARCH WITHIN SEARCHRES CONTEXT=SEARCH PARTIAL FILTERS SEARCH=FUZZY I18NLEVEL=1", CommandTraits.HoldsExpunges),
        new("UID SEARCH", ImapState.Selected, SearchCommand.RunUid, null, CommandTraits.Uid),
        new("SORT", ImapState.Selected, SortCommand.Run, "SORT SORT=DISPLAY ESORT CONTEXT=SORT", CommandTraits.HoldsExpunges),
        new("UID SORT", ImapState.Selected, SortCommand.RunUid, null, CommandTraits.Uid),
        new("THREAD", ImapState.Selected, ThreadCommand.Run, "THREAD=ORDEREDSUBJECT THREAD=REFERENCES THREAD=REFS", CommandTraits.HoldsExpunges),
        new("UID THREAD", ImapState.Selected, ThreadCommand.RunUid, null, CommandTraits.Uid),
        new("ESEARCH", ImapState.SignedIn, MultiSearchCommand.Run, "MULTISEARCH", CommandTraits.Uid),
        new("UID ESEARCH", ImapState.SignedIn, MultiSearchCommand.Run, null, CommandTraits.Uid), // RFC 7377 2 shows it, its grammar does not have it
        new("CANCELUPDATE", ImapState.Selected, CancelUpdateCommand.Run),
        new("FETCH", ImapState.Selected, FetchCommand.Run, "CONDSTORE SAVEDATE PREVIEW BINARY OBJECTID", CommandTraits.HoldsExpunges),
        new("UID FETCH", ImapState.Selected, FetchCommand.RunUid, null, CommandTraits.Uid),
        new("REPLACE", ImapState.Selected, ReplaceCommand.Run, "REPLACE", CommandTraits.Streams | CommandTraits.Replaces | CommandTraits.Numbers | CommandTraits.Brief),
        new("UID REPLACE", ImapState.Selected, ReplaceCommand.RunUid, null, CommandTraits.Streams | CommandTraits.Replaces | CommandTraits.Uid | CommandTraits.Brief),
        new("STORE", ImapState.Selected, StoreCommand.Run, null, CommandTraits.HoldsExpunges | CommandTraits.Brief),
        new("UID STORE", ImapState.Selected, StoreCommand.RunUid, null, CommandTraits.Uid | CommandTraits.Brief),
        new("COPY", ImapState.Selected, CopyCommand.Run, Traits: CommandTraits.Numbers),
        new("UID COPY", ImapState.Selected, CopyCommand.RunUid, null, CommandTraits.Uid),
        new("MOVE", ImapState.Selected, MoveCommand.Run, "MOVE", CommandTraits.Numbers),
        new("UID MOVE", ImapState.Selected, MoveCommand.RunUid, null, CommandTraits.Uid),
    ];

    static readonly FrozenDictionary<string, ImapCommand> ByName = Rows.ToFrozenDictionary(r => r.Name);

    // those that belong to no single command
    public static readonly string[] General = ["IMAP4rev1", "INPROGRESS", .. IsRev2Whole ? ["IMAP4rev2"] : Array.Empty<string>()];

    // RFC 9051 appendix E 2: what it has folded in has to be there
    static bool IsRev2Whole => Rows.SelectMany(r => r.Capability?.Split(' ') ?? []).Intersect(["SEARCHRES", "BINARY"]).Count() == 2;

    /// <summary>The row, or null. Names are in capitals.</summary>
    public static ImapCommand? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>Those of the rows, each once, sorted.</summary>
    static readonly string Announced = string.Join(' ',
        General.Concat(Rows.SelectMany(r => r.Capability?.Split(' ') ?? []).Distinct().Where(c => c != "APPENDLIMIT").Order(StringComparer.Ordinal)));

    /// <summary>The capabilities as they are for this session now (RFC 9051 6.1.1, 7.2.2).</summary>
    public static string Capabilities(ImapSession session)
    {
        var text = All(session);
        var disabled = session.Disabled();
        return disabled.Count == 0 ? text : string.Join(' ', text.Split(' ').Where(one => !disabled.Contains(one.StartsWith("APPENDLIMIT=", StringComparison.Ordinal) ? "APPENDLIMIT" : one)));
    }

    /// <summary>What is left out for everybody, and for whoever has signed in.</summary>
    public static IReadOnlySet<string> Disabled(this ImapSession session)
    {
        var own = session.State == ImapState.NotAuthenticated ? [] : session.Context.Directory.DisabledCapabilities(session.Viewer());
        return session.Settings.DisabledCapabilities.Concat(own).ToHashSet(StringComparer.OrdinalIgnoreCase);
    }

    static string All(ImapSession session)
    {
        var text = $"{Announced} APPENDLIMIT={session.Settings.MaxMessage}"; // RFC 7889 2
        if (session.Settings.LiteralMinus) text = text.Replace(" LITERAL+", " LITERAL-", StringComparison.Ordinal); // RFC 7888 5: never both
        if (session.Connection.IsCompressed) text = text.Replace(" COMPRESS=DEFLATE", "", StringComparison.Ordinal);
        if (session.State != ImapState.NotAuthenticated) return text;
        text += " SASL-IR";
        if (!session.Connection.IsSecure) text += " STARTTLS";
        // RFC 9051 6.2.3, 11.1: where a password would go in clear, say so before it is sent
        if (!session.MaySignIn) return text + " LOGINDISABLED";
        return text + string.Concat(session.Context.SignIn.Mechanisms(session.Connection).Select(mechanism => " AUTH=" + mechanism));
    }
}
