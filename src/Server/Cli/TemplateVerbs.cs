namespace CbaMail.Cli;

/// <summary>Verbs about the templates of mailings.</summary>
static class TemplateVerbs
{
    static readonly IReadOnlyList<Option> Fields =
    [
        new("--language", "LANGUAGE", "ru or en"), new("--subject", "TEXT", "with fields, as in {{name}}"),
        new("--html", "FILE", "the text in HTML"), new("--mjml", "FILE", "the text in MJML: the HTML is compiled from it"), new("--text", "FILE", "the plain text"), .. Verb.Client,
    ];

    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("template list", "", "templates of mailings", [new("--domain", "NAME", "only those of one domain"), .. Verb.Client], async invocation =>
            invocation.Print(await invocation.Server.GetAsync("templates?limit=5000&domain=" + Uri.EscapeDataString(invocation.Value("--domain") ?? "")), ["ID", "DOMAIN", "LANGUAGE", "NAME", "SUBJECT"],
                one => [one.Text("id"), one.Text("domain"), one.Text("language"), one.Text("name"), one.Text("subject")])),
        new("template add", "DOMAIN NAME", "keep a text that mailings can be begun with", Fields, async invocation =>
            invocation.Print(await invocation.Server.PostAsync("templates", Body(invocation).Add("domain", invocation.Arguments[0]).Add("name", invocation.Arguments[1])), one => $"The template {one.Text("id")} is kept: {one.Text("name")}")),
        new("template show", "ID", "print a template", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.GetAsync("templates/" + Uri.EscapeDataString(invocation.Arguments[0])), one => $"{one.Text("name")} ({one.Text("language")}, {one.Text("domain")})\nSubject: {one.Text("subject")}\n\n{(one.Text("text") is { Length: > 0 } plain ? plain : one.Text("html"))}")),
        new("template set", "ID", "change a template", [new("--name", "TEXT", "another name"), .. Fields], async invocation =>
            invocation.Print(await invocation.Server.PatchAsync("templates/" + Uri.EscapeDataString(invocation.Arguments[0]), Body(invocation).Add("name", invocation.Value("--name"))), one => $"The template {one.Text("id")} is changed.")),
        new("template remove", "ID", "remove a template; mailings that were begun with it stay", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.DeleteAsync("templates/" + Uri.EscapeDataString(invocation.Arguments[0])), _ => $"The template {invocation.Arguments[0]} is removed.")),
    ];

    static JsonBody Body(Invocation invocation) => new JsonBody().Add("language", invocation.Value("--language")).Add("subject", invocation.Value("--subject"))
        .Add("html", File(invocation, "--html")).Add("mjml", File(invocation, "--mjml")).Add("text", File(invocation, "--text"));

    static string? File(Invocation invocation, string option)
    {
        if (invocation.Value(option) is not { } file) return null;
        try { return System.IO.File.ReadAllText(file); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { throw new Refused($"{file} cannot be read: {e.Message}"); }
    }
}
