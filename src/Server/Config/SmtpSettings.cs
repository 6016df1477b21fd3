namespace CbaMail.Config;

/// <summary>The keys of SMTP, submission and LMTP.</summary>
public sealed record SmtpSettings
{
    /// <summary>The largest message that is taken, in bytes. Default 50 MiB.</summary>
    public long MessageSize { get; init; } = 50L << 20;

    /// <summary>Recipients of one message. Default 1000; in the evaluation profile 5000.</summary>
    public int? Recipients { get; init; }

    /// <summary>Messages on one connection. Default 1000; in the evaluation profile 100000.</summary>
    public int? MessagesPerConnection { get; init; }

    /// <summary>Wrong commands on one connection, after which it is closed. Default 50; in the evaluation profile 1000.</summary>
    public int? Errors { get; init; }

    /// <summary>Refused recipients on one connection, after which it is closed. Default 200; in the evaluation profile 1000000.</summary>
    public int? UnknownRecipients { get; init; }

    /// <summary>Failed sign-ins on one connection, after which it is closed. Default 10.</summary>
    public int FailedSignIns { get; init; } = 10;

    /// <summary>How long a command is waited for. Default 5 minutes, the least that RFC 5321 4.5.3.2.7 asks.</summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long the next piece of a message is waited for. Default 5 minutes.</summary>
    public TimeSpan DataTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How slowly a message may come, in bytes a second, after its first ten minutes. Default 1000.</summary>
    public int SlowestTransfer { get; init; } = 1000;

    /// <summary>How long a connection may last. Default 4 hours.</summary>
    public TimeSpan SessionTimeout { get; init; } = TimeSpan.FromHours(4);

    /// <summary>Received fields in a message, above which it is taken to go round in circles. Default 50.</summary>
    public int Hops { get; init; } = 50;

    /// <summary>
    /// Whether those who sign in may send only from addresses that are theirs, by name, alias or policy: MAIL FROM as well as the From field.
    /// Switched off, every address of the account's own domain will do; addresses of other domains are refused in either case. Default yes;
    /// in the evaluation profile MAIL FROM may be any of the domain, and From one of it that nobody has.
    /// </summary>
    public bool? SenderMustOwn { get; init; }

    /// <summary>
    /// Whether the mail of those who sign in leaves without the address of their machine and the name of their program: in the Received
    /// field, User-Agent, X-Mailer, X-Originating-IP. The log keeps both. Default yes.
    /// </summary>
    public bool HideClient { get; init; } = true;

    /// <summary>Messages that an account may send in 24 hours; 0 = no limit. Mailings do not count. Default 1000; in the evaluation profile 0.</summary>
    public int? MessagesPerDay { get; init; }

    /// <summary>Recipients that an account may write to in 24 hours, each message counted; 0 = no limit. Default 5000; in the evaluation profile 0.</summary>
    public int? RecipientsPerDay { get; init; }

    /// <summary>
    /// Recipients that an account may write to for the first time in 24 hours; 0 = no limit. A stolen password is used to write to strangers.
    /// Default 200; in the evaluation profile 0.
    /// </summary>
    public int? NewRecipientsPerDay { get; init; }

    /// <summary>How far ahead a client may have its message sent (RFC 4865, HOLDFOR and HOLDUNTIL); zero: not offered. Default 60 days.</summary>
    public TimeSpan FutureRelease { get; init; } = TimeSpan.FromDays(60);

    internal (int Messages, int Recipients, int New) PerDay(bool evaluation) =>
        (MessagesPerDay ?? (evaluation ? 0 : 1000), RecipientsPerDay ?? (evaluation ? 0 : 5000), NewRecipientsPerDay ?? (evaluation ? 0 : 200));
    internal bool MustOwn(bool evaluation) => SenderMustOwn ?? !evaluation;
    internal int MostRecipients(bool evaluation) => Recipients ?? (evaluation ? 5000 : 1000);
    internal int MostMessages(bool evaluation) => MessagesPerConnection ?? (evaluation ? 100_000 : 1000);
    internal int MostErrors(bool evaluation) => Errors ?? (evaluation ? 1000 : 50);
    internal int MostUnknown(bool evaluation) => UnknownRecipients ?? (evaluation ? 1_000_000 : 200);
}
