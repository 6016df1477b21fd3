using System.Globalization;
using System.Text;
using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Queue;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/suppressions: who is left out of mailings.</summary>
static class SuppressionsApi
{
    const int Page = 1000;
    const int MostImported = 100_000;

    sealed record SuppressionView(string Address, string Reason, string Detail, string Source, DateTimeOffset Since, DateTimeOffset? Expires);
    sealed record LineProblem(int Line, string Error);
    sealed record Imported(int Lines, int Added, IReadOnlyList<LineProblem> Problems);
    sealed record Wanted(string Address, string? Reason = null, string? Detail = null, string? For = null);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/suppressions", Permissions.SuppressionsRead, About.Server, "Who is left out of mailings: a JSON line each", ListAsync) { Query = ["reason"], Streams = true, Gives = typeof(SuppressionView) },
        new("POST", "/suppressions", Permissions.SuppressionsWrite, About.Server, "Leave somebody out", AddAsync) { Takes = typeof(Wanted), Gives = typeof(SuppressionView) },
        new("POST", "/suppressions/import", Permissions.SuppressionsWrite, About.Server, "Leave many out: lines address[,reason[,detail[,expires]]]", ImportAsync) { TakesType = "text/csv", Streams = true, Gives = typeof(Imported), GivesType = "application/json" },
        new("DELETE", "/suppressions/{address}", Permissions.SuppressionsWrite, About.Server, "Take somebody in again", RemoveAsync) { Gives = typeof(AddressDone) },
    ];

    static Suppressions Room(HttpContext context) => context.Room<MailQueue>().Suppressions;

    /// <summary>All of them, a JSON line each.</summary>
    static async Task ListAsync(HttpContext context)
    {
        var reason = context.Request.Query["reason"] is [{ Length: > 0 } text] ? text : null;
        context.StartLines();
        for (string? after = null; ;)
        {
            var page = Room(context).List(after, Page, reason);
            foreach (var entry in page) await context.LineAsync(Show(entry));
            if (page.Count < Page) return;
            after = page[^1].Address;
        }
    }

    static SuppressionView Show(Suppression entry) => new(entry.Address, entry.Reason, entry.Detail, entry.Source, entry.Since, entry.Expires);

    static async Task AddAsync(HttpContext context)
    {
        if (await context.ReadAsync<Wanted>() is not { } wanted) return;
        if (Expires(context, wanted.For) is not (true, var expires)) { await context.RefuseAsync(Refusal.Invalid.Because($"\"{wanted.For}\" is no span of time with its unit; write it as in 90d, 12h or 30m").At("for")); return; }
        await context.ResultAsync(await Room(context).AddAsync(wanted.Address, wanted.Reason ?? "manual", wanted.Detail ?? "", expires, context.RequestAborted), Show, 201);
    }

    static (bool Ok, DateTimeOffset? At) Expires(HttpContext context, string? span) =>
        string.IsNullOrEmpty(span) ? (true, null) : Times.TryWithUnit(span, out var time) ? (true, context.Room<MailQueue>().Time.GetUtcNow() + time) : (false, null);

    /// <summary>Lines "address[,reason[,detail[,expires]]]", the detail in quotes where it has a comma; a first line with the word "address" is a heading.</summary>
    static async Task ImportAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var (number, added) = (0, 0);
        var problems = new List<LineProblem>();
        while (await reader.ReadLineAsync(context.RequestAborted) is { } line && number < MostImported)
        {
            number++;
            if (line.Length is 0 or > 2000 || line[0] == '#' || (number == 1 && line.TrimStart('\uFEFF').StartsWith("address", StringComparison.OrdinalIgnoreCase))) continue;
            var fields = Fields(line.TrimStart('\uFEFF'));
            string Field(int i) => i < fields.Count ? fields[i] : "";
            var (reason, until) = (Field(1).Length > 0 ? Field(1) : "manual", Field(3));
            DateTimeOffset expires = default;
            var result = !Suppressions.Reasons.Contains(reason) ? Refusal.Invalid.Because($"\"{reason}\" is no reason; there are {string.Join(", ", Suppressions.Reasons)}")
                : until.Length > 0 && !DateTimeOffset.TryParse(until, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out expires) ? Refusal.Invalid.Because($"\"{until}\" is no time; write it as in 2026-03-02T09:00Z")
                : until.Length > 0 && expires <= context.Room<MailQueue>().Time.GetUtcNow() ? Refusal.Invalid.Because($"it has ended already, at {until}")
                : await Room(context).AddAsync(Field(0), reason, Field(2), until.Length > 0 ? expires : null, context.RequestAborted);
            if (result.Ok) added++;
            else if (problems.Count < 100) problems.Add(new LineProblem(number, context.Say(result.Refusal)));
        }
        await context.JsonAsync(new Imported(number, added, problems));
    }

    /// <summary>Separated by "," ";" or a tab; a field in quotes may hold them.</summary>
    static List<string> Fields(string line)
    {
        var fields = new List<string>();
        var (field, quoted) = (new StringBuilder(), false);
        foreach (var c in line)
        {
            if (c == '"') quoted = !quoted;
            else if (!quoted && c is ',' or ';' or '\t') { fields.Add(field.ToString().Trim()); field.Clear(); }
            else field.Append(c);
        }
        fields.Add(field.ToString().Trim());
        return fields;
    }

    static async Task RemoveAsync(HttpContext context)
    {
        var address = context.Part("address");
        if (await Room(context).RemoveAsync(address, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(new AddressDone(address));
    }
}
