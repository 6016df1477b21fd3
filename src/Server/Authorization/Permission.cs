using CbaMail.Directory;

namespace CbaMail.Authorization;

/// <summary>How far a permission reaches, in rising order: nowhere, to the caller's own account, to courses given to him, to his domains, everywhere.</summary>
public enum Reach { None, Own, Courses, Domains, Server }

/// <summary>One thing that somebody may or may not do by the API. The owner may do everything; the other roles as far as their columns say.</summary>
/// <param name="Name">Resource and deed, as in <c>accounts.write</c>: what keys, grants and the matrix in docs call it.</param>
/// <param name="DomainAdmin">Of a domain administrator.</param>
/// <param name="CourseManager">Of a course manager.</param>
/// <param name="User">Of everybody else.</param>
public sealed record Permission(string Name, Reach DomainAdmin, Reach CourseManager, Reach User, string English, string Russian)
{
    /// <summary>How far it reaches by a role alone.</summary>
    public Reach By(Role role) => role switch { Role.Admin => Reach.Server, Role.DomainAdmin => DomainAdmin, Role.CourseManager => CourseManager, _ => User };

    /// <summary>How far it may reach once it is granted to somebody of a role that has it not.</summary>
    public static Reach Widest(Role role) => role switch { Role.Admin => Reach.Server, Role.DomainAdmin => Reach.Domains, Role.CourseManager => Reach.Courses, _ => Reach.Own };

    /// <summary>Whether it only looks.</summary>
    public bool OnlyReads => Name.EndsWith(".read", StringComparison.Ordinal);
}

/// <summary>The matrix: every permission there is. docs/en/permissions.md is made of it.</summary>
public static class Permissions
{
    const Reach No = Reach.None, Own = Reach.Own, Courses = Reach.Courses, Domains = Reach.Domains;

    public static readonly Permission
        OwnAccount = new("self", Own, Own, Own, "see oneself; own sessions, own keys", "видеть свою учётную запись; свои сеансы и ключи"),
        OwnCredentials = new("self.credentials", Own, Own, Own, "see and change by what one signs in: password, application passwords, second factor; own sign-ins", "видеть и менять то, чем входишь: пароль, пароли приложений, второй фактор; свои входы"),
        OwnMail = new("self.mail", Own, Own, Own, "change what becomes of one's own mail: aliases, forwarding, vacation, expunged messages; decide on bookings of rooms and keep mailing lists whose owner one is", "менять судьбу своей почты: псевдонимы, пересылка, автоответ, удалённые письма; решать о бронях помещений и вести списки рассылки, которыми владеешь"),
        StatusRead = new("status.read", Domains, No, No, "see the server's health", "видеть состояние сервера"),
        DomainsRead = new("domains.read", Domains, Courses, No, "see domains", "видеть домены"),
        DomainsWrite = new("domains.write", Domains, No, No, "change domains (catch-all, quota of new accounts)", "менять домены (адрес для неизвестных имён, квота новых учётных записей)"),
        DomainsCreate = new("domains.create", No, No, No, "take in and remove domains", "добавлять и удалять домены"),
        DnsRead = new("dns.read", Domains, No, No, "see and check what a domain publishes", "видеть и проверять записи DNS домена"),
        DkimRead = new("dkim.read", Domains, No, No, "see signing keys", "видеть ключи подписи"),
        DkimWrite = new("dkim.write", Domains, No, No, "rotate and import signing keys", "менять и загружать ключи подписи"),
        DkimExport = new("dkim.export", No, No, No, "take private signing keys out", "выгружать закрытые ключи подписи"),
        AccountsRead = new("accounts.read", Domains, No, Own, "see accounts", "видеть учётные записи"),
        AccountsWrite = new("accounts.write", Domains, No, No, "make, change and remove accounts", "создавать, менять и удалять учётные записи"),
        RolesWrite = new("roles.write", No, No, No, "give roles, domains, courses and permissions", "назначать роли, домены, курсы и разрешения"),
        InvitationsRead = new("invitations.read", Domains, Courses, No, "see invitations", "видеть приглашения"),
        InvitationsWrite = new("invitations.write", Domains, Courses, No, "invite people, take invitations back", "приглашать людей, отзывать приглашения"),
        SignInAs = new("accounts.sign-in-as", No, No, No, "sign in as somebody else", "входить под чужим именем"),
        CredentialsRead = new("credentials.read", Domains, No, No, "see by what and when others sign in: application passwords, second factor, sign-ins", "видеть, чем и когда входят другие: пароли приложений, второй фактор, входы"),
        CredentialsWrite = new("credentials.write", Domains, No, No, "make application passwords for others, take off those and second factors", "создавать другим пароли приложений, снимать их и второй фактор"),
        DirectoriesRead = new("directories.read", No, No, No, "see directories elsewhere (LDAP) and what the last sync did", "видеть внешние каталоги (LDAP) и итоги последней сверки"),
        DirectoriesWrite = new("directories.write", No, No, No, "sync with directories elsewhere and test them", "сверяться с внешними каталогами и проверять их"),
        AliasesRead = new("aliases.read", Domains, No, No, "see aliases", "видеть псевдонимы"),
        AliasesWrite = new("aliases.write", Domains, No, No, "make and remove aliases", "создавать и удалять псевдонимы"),
        GroupsRead = new("groups.read", Domains, No, No, "see groups and their members", "видеть группы и их участников"),
        GroupsWrite = new("groups.write", Domains, No, No, "make, change and remove groups", "создавать, менять и удалять группы"),
        ResourcesRead = new("resources.read", Domains, No, No, "see resources (rooms, equipment) and their bookings", "видеть ресурсы (комнаты, оборудование) и их брони"),
        ResourcesWrite = new("resources.write", Domains, No, No, "make, change and remove resources; approve and take back bookings", "создавать, менять и удалять ресурсы; подтверждать и отменять брони"),
        ListsRead = new("lists.read", Domains, No, No, "see mailing lists, their members and held posts", "видеть списки рассылки, их подписчиков и задержанные письма"),
        ListsWrite = new("lists.write", Domains, No, No, "make, change and remove mailing lists, change who is on them, decide on held posts", "создавать, менять и удалять списки рассылки, менять подписчиков, решать о задержанных письмах"),
        PoliciesRead = new("policies.read", Domains, No, Own, "see policies", "видеть правила"),
        PoliciesWrite = new("policies.write", Domains, No, No, "change policies", "менять правила"),
        MappingsRead = new("recipient-map.read", No, No, No, "see the recipient map", "видеть замены адресов получателей"),
        MappingsWrite = new("recipient-map.write", No, No, No, "change the recipient map", "менять замены адресов получателей"),
        MailboxesRead = new("mailboxes.read", Domains, No, Own, "see mailboxes and who may use them", "видеть ящики и права на них"),
        MailboxesWrite = new("mailboxes.write", Domains, No, No, "make, share and remove mailboxes", "создавать и удалять ящики, давать к ним доступ"),
        CoursesRead = new("courses.read", Domains, Courses, No, "see courses and their people", "видеть курсы и участников"),
        CoursesWrite = new("courses.write", Domains, Courses, No, "import and change people of courses", "загружать и менять участников курсов"),
        CoursesCreate = new("courses.create", Domains, No, No, "make and remove courses", "создавать и удалять курсы"),
        MailingsRead = new("mailings.read", Domains, Courses, No, "see mailings and their ledgers", "видеть рассылки и их журналы"),
        MailingsWrite = new("mailings.write", Domains, Courses, No, "write, send and stop mailings", "составлять, отправлять и останавливать рассылки"),
        SuppressionsRead = new("suppressions.read", No, No, No, "see who is left out of mailings", "видеть, кто исключён из рассылок"),
        SuppressionsWrite = new("suppressions.write", No, No, No, "change who is left out of mailings", "менять список исключений из рассылок"),
        QueueRead = new("queue.read", No, No, No, "see the queue", "видеть очередь"),
        QueueWrite = new("queue.write", No, No, No, "retry, hold and drop what is in the queue", "повторять отправку, задерживать и удалять письма в очереди"),
        TraceRead = new("trace.read", No, No, No, "see where mail is and what became of it", "видеть, где письмо и что с ним стало"),
        MessagesWrite = new("messages.write", No, No, No, "put messages into mailboxes", "помещать письма в ящики"),
        ReportsRead = new("reports.read", Domains, No, No, "see DMARC and TLS reports and complaints", "видеть отчёты DMARC и TLS и жалобы"),
        ReportsWrite = new("reports.write", No, No, No, "send reports", "отправлять отчёты"),
        BansRead = new("bans.read", No, No, No, "see bans, the allow list and the greylist", "видеть блокировки, белый и серый списки"),
        BansWrite = new("bans.write", No, No, No, "change bans, the allow list and the greylist", "менять блокировки, белый и серый списки"),
        TlsRead = new("certificates.read", No, No, No, "see certificates", "видеть сертификаты"),
        TlsWrite = new("certificates.write", No, No, No, "reload and renew certificates", "перечитывать и обновлять сертификаты"),
        SearchRead = new("search.read", No, No, No, "see full-text indexes", "видеть поисковые индексы"),
        SearchWrite = new("search.write", No, No, No, "rebuild full-text indexes", "перестраивать поисковые индексы"),
        SettingsRead = new("settings.read", No, No, No, "see the settings", "видеть настройки"),
        SettingsWrite = new("settings.write", No, No, No, "change the settings", "менять настройки"),
        StatisticsRead = new("statistics.read", Domains, No, No, "see how much mail comes and goes, and what it takes", "видеть, сколько писем приходит и уходит и сколько они занимают"),
        TemplatesRead = new("templates.read", Domains, Courses, No, "see templates of mailings", "видеть шаблоны рассылок"),
        TemplatesWrite = new("templates.write", Domains, Courses, No, "make, change and remove templates of mailings", "создавать, менять и удалять шаблоны рассылок"),
        Maintenance = new("maintenance", No, No, No, "back up, restore, verify, collect; keys of secrets; the public suffix list", "резервное копирование, восстановление, проверка, очистка; ключи, которыми зашифрованы секреты; список публичных суффиксов"),
        WebhooksRead = new("webhooks.read", No, No, No, "see webhooks and what became of their events", "видеть вебхуки и судьбу их событий"),
        WebhooksWrite = new("webhooks.write", No, No, No, "make, change, test and remove webhooks", "создавать, менять, проверять и удалять вебхуки"),
        AuditRead = new("audit.read", No, No, No, "read the audit log", "читать журнал изменений");

    public static readonly IReadOnlyList<Permission> All =
    [
        OwnAccount, OwnCredentials, OwnMail, StatusRead, DomainsRead, DomainsWrite, DomainsCreate, DnsRead, DkimRead, DkimWrite, DkimExport, AccountsRead, AccountsWrite, RolesWrite, InvitationsRead, InvitationsWrite, SignInAs, CredentialsRead, CredentialsWrite,
        DirectoriesRead, DirectoriesWrite, AliasesRead, AliasesWrite, GroupsRead, GroupsWrite, ResourcesRead, ResourcesWrite, ListsRead, ListsWrite, PoliciesRead, PoliciesWrite, MappingsRead, MappingsWrite, MailboxesRead, MailboxesWrite, CoursesRead, CoursesWrite, CoursesCreate,
        MailingsRead, MailingsWrite, SuppressionsRead, SuppressionsWrite, QueueRead, QueueWrite, TraceRead, MessagesWrite, ReportsRead, ReportsWrite, BansRead, BansWrite,
        TlsRead, TlsWrite, SearchRead, SearchWrite, SettingsRead, SettingsWrite, StatisticsRead, TemplatesRead, TemplatesWrite, Maintenance, WebhooksRead, WebhooksWrite, AuditRead,
    ];

    public static Permission? Find(string name) => All.FirstOrDefault(permission => permission.Name == name);
}
