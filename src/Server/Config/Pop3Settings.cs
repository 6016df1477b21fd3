namespace CbaMail.Config;

/// <summary>What becomes of mail that a client of POP3 has deleted.</summary>
public enum DeletedMail
{
    /// <summary>It is removed.</summary>
    Expunge,
    /// <summary>It goes into the trash, where IMAP finds it.</summary>
    Trash,
}

/// <summary>The languages of what people read in the answers of IMAP and POP3.</summary>
public enum MailLanguage { En, Ru }

/// <summary>The keys of POP3.</summary>
public sealed record Pop3Settings : IChecked
{
    /// <summary>What becomes of mail that a client has deleted, when it says goodbye: <c>expunge</c> removes it, <c>trash</c> moves it into the trash. Many programs delete all that they have fetched unless they are told not to. Default expunge.</summary>
    public DeletedMail Deleted { get; init; } = DeletedMail.Expunge;

    /// <summary>Whether mail that was fetched by POP3 is marked as read for IMAP, when the client says goodbye. Default no.</summary>
    public bool MarkSeen { get; init; }

    /// <summary>How long after a sign-in the next one of the same account is refused ([LOGIN-DELAY], RFC 2449 6.5), for programs that look every few seconds; 0 = never. Default 0.</summary>
    public TimeSpan LoginDelay { get; init; }

    /// <summary>How long a sign-in waits for another session of the account to end before it hears [IN-USE]: a program that hangs up and comes back at once is not to suffer. Default 1 second.</summary>
    public TimeSpan LockWait { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a signed-in client may say nothing; then the session ends and nothing is deleted. RFC 1939 3 asks for at least 10 minutes. Default 10 minutes.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a client may say nothing before it has signed in. Default 60 seconds.</summary>
    public TimeSpan LoginTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a client may read nothing of an answer. Default 5 minutes.</summary>
    public TimeSpan WriteTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Bytes of the longest line of a command; RFC 2449 4 has 255, tokens of a sign-in need more. Default 4096.</summary>
    public int MaxLine { get; init; } = 4096;

    /// <summary>Commands in a row that cannot be understood, after which the connection is closed. Default 20.</summary>
    public int MaxBadCommands { get; init; } = 20;

    /// <summary>Failed sign-ins after which the connection is closed. Default 10.</summary>
    public int MaxFailedSignIns { get; init; } = 10;

    /// <summary>The language of answers to those who leave it to the server (<c>LANG *</c>, RFC 6856 3.2): <c>en</c> or <c>ru</c>. Who asks for none gets English. Default en.</summary>
    public MailLanguage Language { get; init; } = MailLanguage.En;

    public string? Problem() => MaxLine is < 255 or > 1 << 20 ? "\"pop3.max-line\" must be between 255 and 1M" : null;
}
