using System.Text;
using System.Text.Json;
using CbaMail.Tests.Wire;

namespace CbaMail.Tests.EndToEnd;

/// <summary>A course with participants on a server, made by the command line as a person would.</summary>
internal static class CourseSetup
{
    public const string Html = """
        <html><body><h1>Здравствуйте, {{name}}!</h1>
        <p>Ваш курс начинается. Группа: {{group}}. Личный код: {{code}}.</p></body></html>
        """;

    /// <summary>Accounts u0001... of the domain, a sender, a course with all of them; gives the course's id.</summary>
    public static async Task<string> MakeAsync(TestServer server, int people, string domain = "course.test")
    {
        (await server.CliAsync("domain", "add", domain)).Succeeded();
        var (accounts, participants) = (new StringBuilder("address,name,password\n"), new StringBuilder("address,name,group,code\n"));
        accounts.Append($"teacher@{domain},Учитель,secret\n");
        for (var i = 1; i <= people; i++)
        {
            accounts.Append($"u{i:0000}@{domain},Участник {i},{(i <= 3 ? "secret" : "p" + i)}\n");
            participants.Append($"u{i:0000}@{domain},Участник {i},г-{i % 10},code-{i}-end\n");
        }
        (await server.CliAsync("", ["account", "import", await WriteAsync(server, "accounts.csv", accounts.ToString())], 400)).Succeeded();
        var id = (await server.CliAsync("course", "add", "Весенний курс", "--domain", domain, "--language", "ru")).Succeeded().Output.Trim();
        (await server.CliAsync("course", "import", id, await WriteAsync(server, "participants.csv", participants.ToString()))).Succeeded();
        return id;
    }

    public static async Task<string> WriteAsync(TestServer server, string name, string text)
    {
        var file = Path.Combine(server.Folder, name);
        await File.WriteAllTextAsync(file, text);
        return file;
    }

    public static async Task<string> MailingAsync(TestServer server, string course, string from = "teacher@course.test", string subject = "Курс для {{name}}", string html = Html, params string[] more)
    {
        var file = await WriteAsync(server, "letter.html", html);
        return (await server.CliAsync(["mailing", "create", course, "--from", from, "--subject", subject, "--html", file, .. more])).Succeeded().Output.Trim();
    }

    public static async Task<Dictionary<string, JsonElement>> StatusAsync(TestServer server, string mailing)
    {
        var text = (await server.CliAsync("mailing", "status", mailing, "--json")).Succeeded().Output;
        return JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(text)!;
    }

    public static async Task<List<JsonElement>> LedgerAsync(TestServer server, string mailing)
    {
        var text = (await server.CliAsync("mailing", "ledger", mailing, "--json")).Succeeded().Output;
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement)];
    }

    /// <summary>How many messages each participant's INBOX holds, asked over IMAP with the master list of the server's own verbs.</summary>
    public static async Task<Dictionary<string, int>> CopiesAsync(TestServer server)
    {
        var text = (await server.CliAsync("account", "list", "--json")).Succeeded().Output;
        var copies = new Dictionary<string, int>();
        using var http = server.Control();
        foreach (var address in JsonDocument.Parse(text).RootElement.EnumerateArray().Select(a => a.GetProperty("address").GetString()!).Where(a => a[0] == 'u'))
        {
            var show = JsonDocument.Parse(await http.GetStringAsync("/v1/accounts/" + Uri.EscapeDataString(address))).RootElement;
            copies[address] = show.GetProperty("messages").GetInt32();
        }
        return copies;
    }
}
