using System.Text.Json;
using CbaMail.Config;

namespace CbaMail.Cli;

/// <summary><c>domain add | list | show | set | remove</c>.</summary>
static class DomainVerbs
{
    static readonly Option Quota = new("--quota", "SIZE", "quota of new accounts, as in 500M or 2G; 0 is none");
    static readonly Option AliasOf = new("--alias-of", "DOMAIN", "every address of it means the same one there");
    static readonly Option CatchAll = new("--catch-all", "ADDRESS", "gets mail for unknown names of the domain; \"\" ends that");

    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("domain add", "NAME", "take in a domain", [Quota, CatchAll, AliasOf, .. Verb.Client], AddAsync),
        new("domain list", "", "list the domains", Verb.Client, ListAsync),
        new("domain show", "NAME", "show a domain", Verb.Client, ShowAsync),
        new("domain set", "NAME", "change a domain", [Quota, CatchAll,
            new("--description", "TEXT", "for people"), new("--tags", "WORDS", "words to find it by; \"\" is none"),
            new("--template", "NAME", "template of accounts that its new users are made by; \"\" is none"),
            new("--max-accounts", "NUMBER", "accounts that it may have; none takes the limit away"), new("--max-aliases", "NUMBER", "likewise"),
            new("--max-quota", "SIZE", "the largest quota of one account"), new("--total-quota", "SIZE", "what all quotas may come to"),
            new("--own-aliases", "WORD", "whether people may make aliases for themselves: none, approval (names that they choose wait for you) or free"), new("--forward-to", "WORDS", "where people may forward to by themselves: here, @domain, @*.domain, anywhere; \"\" is nowhere"), new("--max-own-aliases", "NUMBER", "how many of them each, 20 unless set"),
            new("--sign-up", "WORD", "closed: nobody comes in by himself; invited: by invitation; approval: also without, once somebody says yes"),
            new("--course-invitations", "YES", "yes: managers of courses may invite people"), new("--password-reset", "YES", "no: nobody takes a new password by his recovery address"), .. Verb.Client], SetAsync),
        new("domain remove", "NAME", "remove a domain that has no accounts and aliases", Verb.Client, RemoveAsync),
    ];

    static JsonBody Body(Invocation invocation) =>
        new JsonBody().Add("quota", SizeOf(invocation)).Add("catchAll", invocation.Value("--catch-all"));

    internal static long? SizeOf(Invocation invocation) =>
        invocation.Value("--quota") is not { } text ? null
        : Sizes.TryParse(text, out var bytes) ? bytes
        : throw new Refused($"\"{text}\" is not a size; write it as in 500M or 2G, or 0 for none");

    static string Path(Invocation invocation) => "domains/" + Uri.EscapeDataString(invocation.Arguments[0]);

    static async Task<int> AddAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.PostAsync("domains", Body(invocation).Add("name", invocation.Arguments[0]).Add("aliasOf", invocation.Value("--alias-of"))),
            domain => $"The domain {domain.Text("display")} is added. What to publish for it: cbamail domain dns {domain.Text("display")}");

    static async Task<int> ListAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.GetAsync("domains"), ["DOMAIN", "ACCOUNTS", "ALIASES", "QUOTA", "CATCH-ALL", "ALIAS OF"],
            domain => [Readable.Domain(domain.Text("name")), domain.Text("accounts"), domain.Text("aliases"), domain.Size("quota"), domain.Text("catchAll"), domain.Text("aliasOf")]);

    static async Task<int> ShowAsync(Invocation invocation) => invocation.Print(await invocation.Server.GetAsync(Path(invocation)), Details);

    static async Task<int> SetAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.PatchAsync(Path(invocation), Profile(invocation, Body(invocation))), Details);

    static JsonBody Profile(Invocation invocation, JsonBody body)
    {
        body.Add("description", invocation.Value("--description")).Add("ownAliases", invocation.Value("--own-aliases")).Add("signUp", invocation.Value("--sign-up"));
        body.Add("template", invocation.Value("--template"));
        foreach (var (option, field) in new[] { ("--course-invitations", "courseInvitations"), ("--password-reset", "passwordReset") })
            if (invocation.Value(option) is { } yes) body.Add(field, yes switch { "yes" => true, "no" => (bool?)false, _ => throw new Refused($"\"{yes}\" is neither yes nor no", 2) });
        if (invocation.Value("--forward-to") is { } words) body.Add("forwardTo", words.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries));
        if (invocation.Value("--tags") is { } tags) body.Add("tags", tags.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries));
        foreach (var (option, field) in new[] { ("--max-accounts", "maxAccounts"), ("--max-aliases", "maxAliases"), ("--max-quota", "maxQuota"), ("--total-quota", "totalQuota"), ("--max-own-aliases", "maxOwnAliases") })
            if (invocation.Value(option) is { } text)
                body.Add(field, text == "none" ? -1 : Sizes.TryParse(text, out var number) ? number : throw new Refused($"\"{text}\" is neither a number nor \"none\""));
        return body;
    }

    static string Details(JsonElement domain) => $"""
        Domain     {domain.Text("display")}{(domain.Text("display") == domain.Text("name") ? "" : $" ({domain.Text("name")} in DNS)")}
        Accounts   {domain.Text("accounts")}
        Aliases    {domain.Text("aliases")}
        Quota      {domain.Size("quota")} for new accounts
        Catch-all  {(domain.Text("catchAll") is { Length: > 0 } address ? address : "none")}
        Alias of   {(domain.Text("aliasOf") is { Length: > 0 } real ? real : "none")}
        Created    {domain.Time("created")}
        Sign-up    {domain.Text("signUp") switch { "closed" => "closed: nobody comes in by himself", "approval" => "approval: anybody may ask, and waits for somebody's yes", _ => "invited: by invitation" }}{(domain.True("courseInvitations") ? "; managers of courses invite too" : "")}
        Reset      {(domain.True("passwordReset") ? "by the recovery address" : "no: nobody takes a new password by his recovery address")}
        Own alias  {domain.Text("ownAliases")}{(domain.Text("ownAliases") is not "none" && domain.Text("maxOwnAliases") is { Length: > 0 } own ? $", at most {own} each" : "")}
        Forward to {(domain.GetProperty("forwardTo").GetArrayLength() == 0 ? "nowhere" : string.Join(' ', domain.GetProperty("forwardTo").EnumerateArray().Select(word => word.GetString())))}
        """ + string.Concat(Limits(domain)) + Warned.By(domain);

    static IEnumerable<string> Limits(JsonElement domain)
    {
        if (domain.Text("description") is { Length: > 0 } description) yield return $"\nAbout      {description}";
        if (domain.GetProperty("tags").GetArrayLength() > 0) yield return "\nTags       " + string.Join(' ', domain.GetProperty("tags").EnumerateArray().Select(tag => tag.GetString()));
        if (domain.Text("template") is { Length: > 0 } template) yield return $"\nTemplate   {template}";
        if (domain.Text("maxAccounts") is { Length: > 0 } accounts) yield return $"\nAt most    {accounts} accounts";
        if (domain.Text("maxAliases") is { Length: > 0 } aliases) yield return $"\nAt most    {aliases} aliases";
        if (domain.Text("maxQuota").Length > 0) yield return $"\nAt most    {domain.Size("maxQuota")} for an account";
        if (domain.Text("totalQuota").Length > 0) yield return $"\nAt most    {domain.Size("totalQuota")} in all";
    }

    static async Task<int> RemoveAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.DeleteAsync(Path(invocation)), domain => $"The domain {Readable.Domain(domain.Text("name"))} is removed.");
}
