using System.Text;
using System.Text.Json;

namespace CbaMail.Cli;

/// <summary><c>listmonk import</c>: takes a listmonk over. Its lists become courses, its subscribers people of them, its blocklist suppressions, its texts templates.</summary>
static class ListmonkVerbs
{
    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("listmonk import", "DOMAIN [FILE.csv]", "take a listmonk over: lists as courses, subscribers, blocklist, templates and campaigns", [
            new("--database", "NAME|URL", "listmonk's PostgreSQL, as psql names it; it is only read"),
            new("--course", "NAME", "of a file of subscribers: the course that they come into"),
            new("--dry-run", null, "say what would change, and change nothing"),
            .. Verb.Client,
        ], ImportAsync, """
            The database is read by psql in one read-only transaction; a password is taken from PGPASSWORD or .pgpass.
            Who has unsubscribed, or not confirmed where that is asked for, is left out. The same again changes nothing.
            """),
    ];

    static async Task<int> ImportAsync(Invocation invocation)
    {
        var domain = invocation.Arguments[0];
        var file = invocation.Arguments.ElementAtOrDefault(1);
        if ((file is null) == (invocation.Value("--database") is null)) throw new Refused("say what to read: --database NAME, or FILE.csv with --course NAME", 2);
        var source = file is null ? await ListmonkSource.OfDatabaseAsync(invocation.Value("--database")!) : ListmonkSource.OfFile(file, invocation.Value("--course") ?? throw new Refused("say which course they come into: --course NAME", 2));
        var courses = await AllAsync(invocation, "courses?limit=5000");
        foreach (var (number, name) in source.Lists) await CourseAsync(invocation, domain, name, courses, [.. source.People.Where(one => one.Lists.Contains(number))]);
        await SuppressAsync(invocation, [.. source.People.Where(one => one.Status == "blocklisted")]);
        if (source.Texts.Count > 0)
        {
            var templates = await AllAsync(invocation, "templates?limit=5000&domain=" + Uri.EscapeDataString(domain));
            foreach (var same in source.Texts.GroupBy(text => text.Name, StringComparer.Ordinal)) await TemplateAsync(invocation, domain, same.Last(), templates);
        }
        foreach (var (why, many) in source.Left) await invocation.Error.WriteLineAsync($"left out: {many} {why}");
        if (invocation.Has("--dry-run")) invocation.Print("Nothing was done.");
        return 0;
    }

    static async Task<List<JsonElement>> AllAsync(Invocation invocation, string path)
    {
        var answer = await invocation.Server.GetAsync(path);
        return [.. answer.ValueKind == JsonValueKind.Array ? answer.EnumerateArray() : answer.Items("items")];
    }

    static async Task CourseAsync(Invocation invocation, string domain, string name, List<JsonElement> courses, List<ListmonkPerson> people)
    {
        var dry = invocation.Has("--dry-run");
        var slug = courses.Find(one => one.Text("name") == name && one.Text("domain") == domain).Text("id");
        if (slug.Length == 0)
        {
            if (dry) { invocation.Print($"{name}: a course would be made, with {people.Count} people."); return; }
            slug = (await invocation.Server.PostAsync("courses", new JsonBody().Add("name", name).Add("domain", domain))).Text("id");
        }
        invocation.Print($"{name}: course {slug}");
        if (people.Count == 0) return;
        using var table = new MemoryStream(Encoding.UTF8.GetBytes(Table(people)));
        var report = await invocation.Server.PostAsync($"courses/{Uri.EscapeDataString(slug)}/import{(dry ? "?dry-run=true" : "")}", table, "text/csv");
        foreach (var error in report.Items("errors")) await invocation.Error.WriteLineAsync($"{name}: {Readable.Address(error.Text("address"))}: {error.Text("error")}");
        CourseVerbs.Print(invocation, report);
    }

    static string Table(List<ListmonkPerson> people)
    {
        var fields = people.SelectMany(one => one.Fields.Keys).Where(name => !name.Equals("address", StringComparison.OrdinalIgnoreCase) && !name.Equals("name", StringComparison.OrdinalIgnoreCase)).Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.Ordinal).ToList();
        var table = new StringBuilder();
        void Row(IEnumerable<string> values) => table.AppendJoin(',', values.Select(value => $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal).ReplaceLineEndings(" ")}\"")).Append('\n');
        Row(["address", "name", .. fields]);
        foreach (var one in people) Row([one.Address, one.Name, .. fields.Select(field => one.Fields.GetValueOrDefault(field, ""))]);
        return table.ToString();
    }

    static async Task SuppressAsync(Invocation invocation, List<ListmonkPerson> people)
    {
        if (people.Count == 0) return;
        var known = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        await foreach (var one in invocation.Server.StreamAsync(HttpMethod.Get, "suppressions")) known.Add(one.Text("address"));
        var news = people.Where(one => !known.Contains(one.Address)).ToList();
        if (invocation.Has("--dry-run"))
            foreach (var one in news) invocation.Print($"+ suppression of {Readable.Address(one.Address)}");
        else if (news.Count > 0)
        {
            using var lines = new MemoryStream(Encoding.UTF8.GetBytes(string.Concat(news.Select(one => $"{one.Address.ReplaceLineEndings(" ")},manual,blocklisted in listmonk\n"))));
            var report = await invocation.Server.PostAsync("suppressions/import", lines, "text/csv");
            foreach (var problem in report.Items("problems")) await invocation.Error.WriteLineAsync($"suppression, line {problem.Text("line")}: {problem.Text("error")}");
        }
        invocation.Print($"{news.Count} suppressions added, {people.Count - news.Count} known.");
    }

    static async Task TemplateAsync(Invocation invocation, string domain, ListmonkText text, List<JsonElement> templates)
    {
        var (problems, notes) = (new List<string>(), new List<string>());
        var (subject, body) = (GoTemplate.Turn(text.Subject.Length > 0 ? text.Subject : text.Name, problems, notes), GoTemplate.Turn(text.Body, problems, notes));
        foreach (var note in notes.Distinct()) await invocation.Error.WriteLineAsync($"{text.Name}: {note}");
        foreach (var problem in problems) await invocation.Error.WriteLineAsync($"{text.Name}: left out; {problem}");
        if (problems.Count > 0) return;
        var field = text.IsPlain ? "text" : "html";
        var old = templates.Find(one => one.Text("name") == text.Name);
        var there = old.ValueKind == JsonValueKind.Object;
        if (there && old.Text("subject") == subject && old.Text(field) == body) { invocation.Print($"template {text.Name}: unchanged"); return; }
        var query = invocation.Has("--dry-run") ? "?dry-run=true" : "";
        var wish = new JsonBody().Add("subject", subject).Add(field, body);
        try
        {
            if (there) await invocation.Server.PatchAsync("templates/" + old.Text("id") + query, wish);
            else await invocation.Server.PostAsync("templates" + query, wish.Add("domain", domain).Add("name", text.Name));
            invocation.Print($"template {text.Name}: {(there ? "changed" : "added")}");
        }
        catch (Refused refused) { await invocation.Error.WriteLineAsync($"{text.Name}: left out; {refused.Message}"); }
    }
}
