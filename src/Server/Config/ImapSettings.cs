namespace CbaMail.Config;

/// <summary>The keys of IMAP.</summary>
public sealed record ImapSettings
{
    /// <summary>How long a signed-in client may say nothing. RFC 9051 5.4 asks for at least 30 minutes. Default 30 minutes.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>How long a client may say nothing before it has signed in. Default 60 seconds.</summary>
    public TimeSpan LoginTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How often a client in IDLE gets a sign of life, so that routers on the way do not forget it; 0 = never. Default 4 minutes.</summary>
    public TimeSpan IdleKeepAlive { get; init; } = TimeSpan.FromMinutes(4);

    /// <summary>How often a client hears that a long command is still being worked on; 0 = never. Default 10 seconds.</summary>
    public TimeSpan ProgressEvery { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a client may read nothing of an answer. Default 5 minutes.</summary>
    public TimeSpan WriteTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Bytes of the longest line of a command. Default 65536.</summary>
    public int MaxLine { get; init; } = 64 * 1024;

    /// <summary>Bytes of all literals of one command together, messages of APPEND apart; 4096 at most before the sign-in. Default 65536.</summary>
    public int MaxLiteral { get; init; } = 64 * 1024;

    /// <summary>Bytes of the largest message that APPEND takes. Default 50 MiB.</summary>
    public long MaxMessage { get; init; } = 50 * 1024 * 1024;

    /// <summary>Whether literals of more than 4096 bytes have to wait until they are asked for (LITERAL-, RFC 7888 5), so that a client with a message that is too large hears so before it sends it; no = all may come unasked (LITERAL+), which is quicker. Default no.</summary>
    public bool LiteralMinus { get; init; }

    /// <summary>Messages that one APPEND takes, all or none. Default 5000.</summary>
    public int MaxAppended { get; init; } = 5000;

    /// <summary>Bytes of all messages together that one APPEND takes; a single one may have MaxMessage. Default 256 MiB.</summary>
    public long MaxAppendedBytes { get; init; } = 256 * 1024 * 1024;

    /// <summary>Whether APPEND refuses a message with raw UTF-8 in its header from a client that has not said ENABLE UTF8=ACCEPT, as RFC 6855 has it. Set it to no while old mail is moved by programs that do not know of it. Default yes.</summary>
    public bool RefuseUtf8Headers { get; init; } = true;

    /// <summary>Search keys in one SEARCH. Default 1000.</summary>
    public int MaxSearchKeys { get; init; } = 1000;

    /// <summary>Commands in a row that cannot be understood, after which the connection is closed. Default 20.</summary>
    public int MaxBadCommands { get; init; } = 20;

    /// <summary>The level below which the mailboxes that other users share are seen, as "Other Users/anna@example.org/Projects"; empty = they are not seen. Default "Other Users".</summary>
    public string OtherUsers { get; init; } = "Other Users";

    /// <summary>The level below which the public folders of one's domain are seen; empty = they are not seen. Default "Public".</summary>
    public string PublicFolders { get; init; } = "Public";

    /// <summary>The language of answers to those who leave it to the server (<c>LANGUAGE default</c>, RFC 5255 3.2): <c>en</c> or <c>ru</c>. Who asks for none gets English. Default en.</summary>
    public MailLanguage Language { get; init; } = MailLanguage.En;

    /// <summary>Failed sign-ins after which the connection is closed. Default 10.</summary>
    public int MaxFailedSignIns { get; init; } = 10;

    /// <summary>
    /// Capabilities that are not announced, for the sake of clients that get them wrong: such as <c>[CONDSTORE, IDLE]</c>. Their commands go on working;
    /// what only ENABLE turns on stays off. Default none.
    /// </summary>
    public IReadOnlyList<string> DisabledCapabilities { get; init; } = [];
}
