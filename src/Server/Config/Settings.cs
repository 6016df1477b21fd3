namespace CbaMail.Config;

/// <summary>
/// The machine's own matters (architecture.md, "Configuration"). Each room's keys stand in a record of their own beside this one.
/// Every key has its default and its documentation where it is declared.
/// </summary>
public sealed record Settings
{
    /// <summary>The directory that holds everything. Default <c>./data</c>.</summary>
    public string Data { get; init; } = "data";

    /// <summary>The settings file that these come from, or null; no key of it.</summary>
    internal string? File { get; init; }

    /// <summary>Keys that the settings file says, and those that <see cref="SettingsFile.Own"/> says; no key of them.</summary>
    internal IReadOnlySet<string> InFile { get; init; } = new HashSet<string>();
    internal IReadOnlySet<string> InOwn { get; init; } = new HashSet<string>();

    /// <summary>What the command line said; no key.</summary>
    internal SettingsFlags Flags { get; init; } = new();

    internal string GivenBy(string key) => InFile.Contains(key) ? "file" : InOwn.Contains(key) ? "here" : "default";

    /// <summary>The server's own fully qualified name: greetings, Received fields, Message-IDs. Default: the machine's.</summary>
    public string Hostname { get; init; } = "localhost";

    /// <summary>The evaluation profile of contract.md: loopback only, clear-text sign-in from loopback, generous limits. Default no.</summary>
    public bool Evaluation { get; init; }

    /// <summary>Added to every well-known port. Default 0.</summary>
    public int PortOffset { get; init; }

    /// <summary>The least important log lines that are written: trace, debug, information, warning, error. Default information.</summary>
    public LogLevel Log { get; init; } = LogLevel.Information;

    /// <summary>Where each protocol listens; in the file a protocol a line, as in <c>imap: off</c> or <c>smtp: 192.0.2.1:25</c>; <c>proxy</c> behind it means: behind the PROXY protocol. Default: the well-known port plus the offset at every address; LMTP at this machine alone.</summary>
    public IReadOnlyList<ListenerSettings> Listeners { get; init; } = [];
    public StorageSettings Storage { get; init; } = new();
    public SmtpSettings Smtp { get; init; } = new();
    public AuthenticationSettings Authentication { get; init; } = new();
    public ImapSettings Imap { get; init; } = new();
    public Pop3Settings Pop3 { get; init; } = new();
    public SearchSettings Search { get; init; } = new();
    public QueueSettings Queue { get; init; } = new();
    public SendingSettings Sending { get; init; } = new();
    public BounceSettings Bounces { get; init; } = new();
    public DnsSettings Dns { get; init; } = new();
    public MailingSettings Mailings { get; init; } = new();
    public LimitSettings Limits { get; init; } = new();
    public SignInSettings SignIn { get; init; } = new();
    public OidcSettings Oidc { get; init; } = new();
    public DirectorySettings Directory { get; init; } = new();
    public TlsSettings Tls { get; init; } = new();
    public DkimSettings Dkim { get; init; } = new();
    public PublishSettings Publish { get; init; } = new();
    /// <summary>Filter programs that are asked about mail, by the milter protocol; see <see cref="MilterSettings"/>. Default none.</summary>
    public IReadOnlyList<MilterSettings> Milters { get; init; } = [];
    /// <summary>Addresses of the web that are asked about mail, in JSON; see <see cref="HookSettings"/>. Default none.</summary>
    public IReadOnlyList<HookSettings> Hooks { get; init; } = [];
    public InboundSettings Inbound { get; init; } = new();
    public ReportSettings Reports { get; init; } = new();
    public ApiSettings Api { get; init; } = new();
    public WebhookSettings Webhooks { get; init; } = new();
    public ResourceSettings Resources { get; init; } = new();
    public AccountSettings Accounts { get; init; } = new();
    public AdmissionSettings Admission { get; init; } = new();
}

/// <summary>What a listener speaks.</summary>
public enum Protocol { Smtp, Submission, Submissions, Lmtp, Imap, Imaps, Pop3, Pop3s, Http, Https }

/// <summary>One address and port to listen at.</summary>
public sealed record ListenerSettings
{
    public Protocol Protocol { get; init; }
    /// <summary>An IP address; <c>::</c> is every address, both families.</summary>
    public string Address { get; init; } = "127.0.0.1";
    /// <summary>The real port, offset included.</summary>
    public int Port { get; init; }
    /// <summary>Only proxies connect here, and say first for whom (the PROXY protocol, versions 1 and 2).</summary>
    public bool Proxy { get; init; }
    /// <summary>TLS from the first byte (465, 993, 995, 443).</summary>
    public bool ImplicitTls => Protocol is Protocol.Submissions or Protocol.Imaps or Protocol.Pop3s or Protocol.Https;
}
