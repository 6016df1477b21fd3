using System.Globalization;
using CbaMail.Directory;

namespace CbaMail.Cli;

/// <summary>What setup was told.</summary>
sealed record SetupAnswers(string Domain, string Hostname, string Administrator, string Data, string Config, bool Acme, int PortOffset);

/// <summary>Gets the answers: from the options, from a person at the terminal, or by the defaults.</summary>
sealed class SetupQuestions(Invocation invocation, bool russian)
{
    // a person: a terminal on both sides, and nothing that says not to ask
    readonly bool asks = !invocation.Has("--yes") && !invocation.Json && ReferenceEquals(invocation.Input, Console.In) && !Console.IsInputRedirected && !Console.IsOutputRedirected;

    static bool IsRoot => !OperatingSystem.IsWindows() && Environment.UserName == "root";

    public SetupAnswers Ask()
    {
        if (asks) invocation.Print(russian ? "Настройка почтового сервера. Ввод без текста принимает то, что в скобках.\n" : "Setting up a mail server. Enter alone takes what stands in brackets.\n");
        var domain = Get("--domain", russian ? "Почтовый домен (то, что после @)" : "Mail domain (what stands behind the @)", null, Domain);
        var host = Get("--hostname", russian ? "Полное имя этого сервера" : "Full name of this server", DefaultHost(domain), Host);
        var admin = Get("--admin", russian ? "Адрес администратора" : "The administrator's address", "admin@" + domain, text => Administrator(text, domain));
        var acme = Certificates(host);
        var data = Get("--data", russian ? "Каталог для всех данных" : "Directory for all data", IsRoot ? DataPlace.Directory : Path.GetFullPath("data"), Place);
        var config = Get("--config", russian ? "Файл настроек" : "Settings file", IsRoot ? DataPlace.SettingsFile : Path.GetFullPath("cbamail.yaml"), Place);
        var offset = 0;
        if (invocation.Value("--port-offset") is { } text && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out offset) || offset > 60000))
            throw new Refused($"--port-offset takes a number from 0 to 60000, not \"{text}\"", 2);
        return new(domain, host, admin, data, config, acme, offset);
    }

    bool Certificates(string host)
    {
        const string option = "--certificates";
        var word = invocation.Value(option) is not null || !asks ? invocation.Value(option) ?? "self" : null;
        return (word ?? Get(option, russian ? $"Сертификат для {host}: acme — от Let's Encrypt (вы соглашаетесь с его условиями, https://letsencrypt.org/repository/), self — пока самоподписанный"
            : $"Certificate for {host}: acme, from Let's Encrypt (you agree to its terms, https://letsencrypt.org/repository/), or self, self-signed for now", "acme", How)) switch
        {
            "acme" => true,
            "self" => false,
            var other => throw new Refused($"{option} takes \"acme\" or \"self\", not \"{other}\"", 2),
        };
    }

    static string DefaultHost(string domain)
    {
        var machine = Environment.MachineName.ToLowerInvariant();
        return machine.EndsWith("." + domain, StringComparison.Ordinal) ? machine : "mail." + domain;
    }

    /// <summary>One answer. At the terminal a wrong one is asked again; elsewhere it is refused.</summary>
    string Get(string option, string question, string? standard, Func<string, (string? Value, string? Problem)> read)
    {
        if (invocation.Value(option) is { } given)
            return read(given) is { Value: { } value } ? value : throw new Refused($"{option}: {read(given).Problem}", 2);
        if (!asks) return standard ?? throw new Refused(russian ? $"Спросить некого: укажите {option}" : $"There is nobody to ask: give {option}", 2);
        while (true)
        {
            invocation.Output.Write($"{question}{(standard is null ? "" : $" [{standard}]")}: ");
            invocation.Output.Flush();
            var line = invocation.Input.ReadLine() ?? throw new Refused(russian ? "Ввод окончен: ничего не сделано" : "The input has ended: nothing was done");
            var (value, problem) = read(line.Trim() is { Length: > 0 } typed ? typed : standard ?? "");
            if (value is not null) return value;
            invocation.Print("  " + problem);
        }
    }

    (string?, string?) Domain(string text) => Names.TryDomain(text, out var key) && key.Contains('.') ? (key, null)
        : (null, russian ? $"\"{text}\" — не имя домена; пишите, например, school.example" : $"\"{text}\" is not a domain name; write it as in school.example");

    (string?, string?) Host(string text) => Names.TryDomain(text, out var key) && key.Contains('.') && !key.Contains('_') ? (key, null)
        : (null, russian ? $"\"{text}\" — не полное имя сервера; пишите, например, mail.school.example" : $"\"{text}\" is not the full name of a server; write it as in mail.school.example");

    (string?, string?) Administrator(string text, string domain) => Names.TryAddress(text.Contains('@') ? text : $"{text}@{domain}", out var address) && address.Domain == domain ? (address.ToString(), null)
        : (null, russian ? $"\"{text}\" — не адрес в домене {domain}" : $"\"{text}\" is not an address in {domain}");

    (string?, string?) Place(string text) => text.Length > 0 && !text.Any(char.IsControl) ? (Path.GetFullPath(text), null) : (null, russian ? "Нужен путь" : "A path is needed");

    (string?, string?) How(string text) => text is "acme" or "self" ? (text, null) : (null, russian ? "Напишите acme или self" : "Write acme or self");
}
