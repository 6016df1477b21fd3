using System.Globalization;
using System.Text;
using CbaMail.Config;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Cli;

/// <summary><c>setup</c>: the guided first start. Asks, looks at the machine, writes the settings file, makes domain, administrator and keys, prints what to publish.</summary>
static class SetupVerb
{
    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("setup", "", "guided first start: asks, writes the configuration, prints every DNS record to publish",
        [
            new("--domain", "NAME", "the mail domain: what stands behind the @"),
            new("--hostname", "NAME", "the full name of this server (default: the machine's, else mail.DOMAIN)"),
            new("--admin", "ADDRESS", "the administrator's mail address (default admin@DOMAIN)"),
            new("--data", "DIR", "where everything is kept (default /var/lib/cbamail for root, else ./data)"),
            new("--config", "FILE", "settings file to write (default /etc/cbamail/cbamail.yaml for root, else ./cbamail.yaml)"),
            new("--certificates", "HOW", "\"acme\": from Let's Encrypt, whose terms you agree to with it; \"self\": self-signed for now (default)"),
            new("--port-offset", "N", "added to every well-known port"),
            new("--dns-server", "ADDRESS", "ask this DNS server in the checks (default: those of the machine)"),
            new("--probe", "HOST:PORT", "where to try whether mail can go out (default: a large provider, port 25)"),
            new("--no-checks", null, "do not look at ports, DNS, clock, disk and memory"),
            new("--yes", null, "ask nothing; take the defaults for what is not given"),
            new("--unit", null, "only print the unit for systemd"),
            new("--language", "ru|en", "of questions and explanations (default as LANG says)"),
            new("--json", null, "print JSON, and ask nothing"),
        ], RunAsync, """
            Without a terminal it asks nothing: give at least --domain. Nothing that is there already is ever overwritten.
            """),
    ];

    static async Task<int> RunAsync(Invocation invocation)
    {
        if (invocation.Has("--unit"))
        {
            invocation.Output.Write(SystemdUnit.Text(Path.GetFullPath(invocation.Value("--config") ?? DataPlace.SettingsFile), Path.GetFullPath(invocation.Value("--data") ?? DataPlace.Directory)));
            return 0;
        }
        var russian = DnsVerbs.LanguageOf(invocation) == "ru";
        var answers = new SetupQuestions(invocation, russian).Ask();
        if (File.Exists(answers.Config)) throw new Refused(russian
            ? $"Файл {answers.Config} уже есть, и setup ничего не перезаписывает: правьте его или назовите другой ключом --config. Ещё один домен на работающем сервере: cbamail domain add {answers.Domain}"
            : $"The settings file {answers.Config} is there already, and setup overwrites nothing: edit it, or name another with --config. One more domain for the server that runs: cbamail domain add {answers.Domain}");
        var text = ConfigText(answers, russian);
        var loaded = SettingsFile.Parse(text, answers.Config, new());
        if (loaded.Settings is not { } settings) throw new Refused(loaded.Problem ?? "The settings cannot be read");
        IReadOnlyList<SetupFinding> findings = invocation.Has("--no-checks") ? []
            : await new SetupChecks(settings, answers, russian, invocation.Value("--dns-server"), invocation.Value("--probe")).RunAsync(invocation.Json ? null : line => invocation.Output.WriteLine(line));
        SetupOutcome outcome;
        try
        {
            outcome = await SetupDeeds.RunAsync(settings, answers, russian, CancellationToken.None);
            WriteNew(answers.Config, text);
        }
        catch (Exception e) when (e is SqliteError or IOException or UnauthorizedAccessException or InvalidOperationException && StartProblem.Sentence(e, settings) is not null)
        {
            throw new Refused(StartProblem.Sentence(e, settings) ?? e.Message);
        }
        if (invocation.Json) PrintJson(invocation, answers, findings, outcome);
        else invocation.Print(Summary(answers, outcome, russian));
        return 0;
    }

    /// <summary>The settings file: what was asked, and nothing that is a default.</summary>
    internal static string ConfigText(SetupAnswers answers, bool russian)
    {
        var text = new StringBuilder();
        text.Append(russian ? "# Настройки CBA Mail. Всё остальное (домены, ящики, правила) хранится в базе и меняется командами cbamail.\n" : "# Settings of CBA Mail. All else (domains, accounts, policies) lives in the database and is changed by the verbs of cbamail.\n");
        text.Append(CultureInfo.InvariantCulture, $"hostname: {answers.Hostname}\ndata: {Quoted(answers.Data)}\n");
        if (answers.PortOffset != 0) text.Append(CultureInfo.InvariantCulture, $"port-offset: {answers.PortOffset}\n");
        if (answers.Acme) text.Append(CultureInfo.InvariantCulture, $"tls:\n  acme:\n    email: {answers.Administrator}\n    agree-terms: yes\n");
        return text.ToString();
    }

    static string Quoted(string text) => text.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '-' or '_' or '.') ? text : "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";

    static void WriteNew(string path, string text)
    {
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        file.Write(Encoding.UTF8.GetBytes(text));
        file.Flush(flushToDisk: true);
    }

    static string Summary(SetupAnswers answers, SetupOutcome outcome, bool russian)
    {
        var password = outcome.Password is null ? russian ? "как прежде" : "as before" : outcome.Password + (russian ? "   (показан один раз)" : "   (shown this once)");
        var (domain, administrator) = (Readable.Domain(answers.Domain), Readable.Address(answers.Administrator));
        var data = answers.Data == DataPlace.Directory && answers.Config == DataPlace.SettingsFile ? "" : $" --data {answers.Data}";
        return russian ? $"""

            Настройки      {answers.Config}
            Данные         {answers.Data}
            Администратор  {administrator}
            Пароль         {password}

            {outcome.Zone}
            Что дальше:
              1. Опубликуйте записи выше у того, кто ведёт DNS для {domain}; обратную запись (PTR) адреса ставит хостер.
              2. Запустите сервер:
                   {SystemdUnit.StartByHand(answers)}
                 службой systemd: {SystemdUnit.Install(answers, "см. docs/ru/production.md")}
              3. Проверьте опубликованное: cbamail check dns {domain}{data}
                 потом заводите людей:     cbamail account add anna@{domain} --generate{data}

            """ : $"""

            Settings       {answers.Config}
            Data           {answers.Data}
            Administrator  {administrator}
            Password       {password}

            {outcome.Zone}
            The next three things:
              1. Publish the records above with whoever runs DNS for {domain}; the reverse record (PTR) of the address is set by your hoster.
              2. Start the server:
                   {SystemdUnit.StartByHand(answers)}
                 as a service of systemd: {SystemdUnit.Install(answers, "see docs/en/production.md")}
              3. Look whether all is published: cbamail check dns {domain}{data}
                 then add people:               cbamail account add anna@{domain} --generate{data}

            """;
    }

    static void PrintJson(Invocation invocation, SetupAnswers answers, IReadOnlyList<SetupFinding> findings, SetupOutcome outcome) => invocation.Print(new JsonBody()
        .Add("config", answers.Config).Add("data", answers.Data).Add("hostname", answers.Hostname).Add("domain", answers.Domain).Add("administrator", answers.Administrator).Add("password", outcome.Password)
        .Add("checks", [.. findings.Select(one => new JsonBody().Add("name", one.Name).Add("ok", one.Ok).Add("sentence", one.Sentence))])
        .Add("records", [.. outcome.Records.Select(record => new JsonBody().Add("name", record.Name).Add("type", record.Type).Add("value", record.Rdata))])
        .ToString());
}
