using System.Text.Json;

namespace CbaMail.Cli;

/// <summary><c>domain branding</c>: how pages and letters show themselves to people of a domain.</summary>
static class BrandingVerbs
{
    static readonly (string Option, string Field)[] texts = [("--name", "name"), ("--color", "color"), ("--accent", "accent"), ("--support", "support"), ("--support-text", "supportText")];

    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("domain branding", "NAME", "show or set how pages and letters show themselves to people of a domain",
            [
                new("--name", "TEXT", "what people read in place of the server's name; \"\" takes it away, as with all of these"),
                new("--color", "COLOR", "of buttons, as in #0b5cad: white must be readable on it"), new("--accent", "COLOR", "of links and lines, likewise"),
                new("--logo", "FILE", "a PNG, JPEG or WebP of at most 64 KB"), new("--support", "WHERE", "where help is to be had: a mail address, or a URL with https"),
                new("--support-text", "TEXT", "what people read in its place"), new("--clear", null, "take all of it away first"), .. Verb.Client,
            ], RunAsync),
    ];

    static async Task<int> RunAsync(Invocation invocation)
    {
        var path = $"domains/{Uri.EscapeDataString(invocation.Arguments[0])}/branding";
        var (body, changes) = (new JsonBody(), false);
        foreach (var (option, field) in texts)
            if (invocation.Value(option) is { } text) (changes, body) = (true, body.Set(field, text.Length == 0 ? null : text));
        if (invocation.Value("--logo") is { } file)
        {
            if (file.Length > 0 && !File.Exists(file)) throw new Refused($"There is no file {file}");
            (changes, body) = (true, body.Set("logo", file.Length == 0 ? null : Convert.ToBase64String(await File.ReadAllBytesAsync(file))));
        }
        var answer = invocation.Has("--clear") ? await invocation.Server.DeleteAsync(path) : default;
        if (changes) answer = await invocation.Server.PatchAsync(path, body);
        else if (!invocation.Has("--clear")) answer = await invocation.Server.GetAsync(path);
        return invocation.Print(answer, Shown);
    }

    static string Shown(JsonElement branding) => $"""
        Name       {Or(branding, "name")}
        Color      {Or(branding, "color")}
        Accent     {Or(branding, "accent")}
        Support    {Or(branding, "support")}{(branding.Text("supportText") is { Length: > 0 } text ? $" ({text})" : "")}
        Logo       {(branding.Text("logo").Length > 0 ? "there is one" : "none")}
        """;

    static string Or(JsonElement branding, string field) => branding.Text(field) is { Length: > 0 } text ? text : "as usual";
}
