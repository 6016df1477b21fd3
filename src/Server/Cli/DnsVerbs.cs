using System.Text.Json;

namespace CbaMail.Cli;

/// <summary><c>domain dns</c>, <c>check dns</c>, <c>dkim list | rotate | import | export</c>.</summary>
static class DnsVerbs
{
    static readonly Option Language = new("--language", "ru|en", "of the explanations (default as LANG says)");

    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("domain dns", "NAME", "print the DNS records to publish, as a zone file", [Language, .. Verb.Client], ZoneAsync, """
            Each kind of record stands below a line that says what it is for. --json prints the records as rows.
            """),
        new("check dns", "DOMAIN", "compare what a domain should publish with what it does",
            [new("--server", "ADDRESS", "ask this DNS server instead of the one of the settings", Many: true), new("--blocklists", null, "look the server and the domain up in well-known block lists"), Language, .. Verb.Client], CheckAsync, """
            A sentence for each difference, with the record that mends it. Exit code 0 only when there is none; notes count for nothing.
            Certificate, policy of MTA-STS, port 25 and reverse names are looked at too. In JSON each has a code that stays the same in all languages.
            """),
        new("dkim list", "DOMAIN", "list the keys that mail of a domain is signed with", Verb.Client, ListAsync, """
            next: made, signs when DNS has its record; active: signs; retiring: its record stays for mail that is on its way.
            """),
        new("dkim rotate", "DOMAIN", "make the next keys now", Verb.Client, RotateAsync, "They sign as soon as their records are seen in DNS; keys are also changed by themselves, twice a year."),
        new("dkim import", "DOMAIN FILE", "take a private key from another server", [new("--selector", "NAME", "what stands before ._domainkey in DNS"), .. Verb.Client], ImportAsync),
        new("dkim export", "DOMAIN SELECTOR", "print a private key (PEM)", Verb.Client, ExportAsync),
    ];

    static string Path(Invocation invocation) => "domains/" + Uri.EscapeDataString(invocation.Arguments[0]);

    /// <summary>"ru" or "en": the option, else LC_ALL, LC_MESSAGES, LANG.</summary>
    internal static string LanguageOf(Invocation invocation)
    {
        if (invocation.Value("--language") is { } chosen) return chosen is "ru" or "en" ? chosen : throw new Refused("--language takes \"ru\" or \"en\"", 2);
        string?[] variables = [Environment.GetEnvironmentVariable("LC_ALL"), Environment.GetEnvironmentVariable("LC_MESSAGES"), Environment.GetEnvironmentVariable("LANG")];
        return variables.FirstOrDefault(value => !string.IsNullOrEmpty(value))?.StartsWith("ru", StringComparison.OrdinalIgnoreCase) == true ? "ru" : "en";
    }

    static async Task<int> ZoneAsync(Invocation invocation)
    {
        if (invocation.Json) invocation.Print((await invocation.Server.GetAsync(Path(invocation) + "/dns")).GetRawText());
        else await invocation.Server.CopyAsync($"{Path(invocation)}/zone?language={LanguageOf(invocation)}", invocation.Output);
        return 0;
    }

    static async Task<int> CheckAsync(Invocation invocation)
    {
        var russian = LanguageOf(invocation) == "ru";
        var servers = string.Concat(invocation.Values("--server").Select(server => "&server=" + Uri.EscapeDataString(server)));
        var report = await invocation.Server.GetAsync($"{Path(invocation)}/dns/check?language={(russian ? "ru" : "en")}{(invocation.Has("--blocklists") ? "&blocklists=true" : "")}{servers}");
        if (invocation.Json) invocation.Print(report.GetRawText());
        else
        {
            foreach (var one in report.Items("differences"))
            {
                invocation.Print((one.True("note") ? russian ? "замечание: " : "note: " : "") + one.Text("sentence") + ".");
                if (one.Text("publish") is { Length: > 0 } record) invocation.Print("    " + record);
            }
            if (report.True("ok")) invocation.Print(russian ? $"Всё опубликовано верно, записей: {report.Text("records")}, домен {report.Text("domain")}." : $"All is published as it should be: {report.Text("records")} records of {report.Text("domain")}.");
        }
        return report.True("ok") ? 0 : 1;
    }

    static int PrintKeys(Invocation invocation, JsonElement keys) =>
        invocation.Print(keys, ["SELECTOR", "ALGORITHM", "STATE", "SINCE", "PUBLISHED", "PROBLEM"], key =>
            [key.Text("selector"), key.Text("algorithm"), key.Text("state"), key.Time("since"), key.Text("published") is { Length: > 0 } known ? known : "unknown", key.Text("problem")]);

    static async Task<int> ListAsync(Invocation invocation) => PrintKeys(invocation, await invocation.Server.GetAsync(Path(invocation) + "/dkim"));

    static async Task<int> RotateAsync(Invocation invocation)
    {
        PrintKeys(invocation, await invocation.Server.PostAsync(Path(invocation) + "/dkim/rotate"));
        if (!invocation.Json) invocation.Print($"Publish the records of the next keys (cbamail domain dns {invocation.Arguments[0]}); they sign as soon as DNS has them.");
        return 0;
    }

    static async Task<int> ImportAsync(Invocation invocation)
    {
        if (invocation.Value("--selector") is not { } selector) throw new Refused("Name the selector of the key with --selector: what stands before ._domainkey in DNS", 2);
        string pem;
        try { pem = await File.ReadAllTextAsync(invocation.Arguments[1]); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { throw new Refused($"{invocation.Arguments[1]} cannot be read: {e.Message}"); }
        return invocation.Print(await invocation.Server.PostAsync(Path(invocation) + "/dkim", new JsonBody().Add("selector", selector).Add("pem", pem)), key => key.Text("state") == "active"
            ? $"The key {key.Text("selector")} is taken over and signs." : $"The key {key.Text("selector")} is taken over; it signs as soon as DNS has its record:\n    {key.Text("selector")}._domainkey.{key.Text("domain")}. IN TXT \"{key.Text("record")}\"");
    }

    static async Task<int> ExportAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.GetAsync($"{Path(invocation)}/dkim/{Uri.EscapeDataString(invocation.Arguments[1])}"), key => key.Text("pem").TrimEnd('\n'));
}
