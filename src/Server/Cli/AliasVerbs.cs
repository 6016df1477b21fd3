namespace CbaMail.Cli;

/// <summary><c>alias add | list | remove</c>.</summary>
static class AliasVerbs
{
    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("alias add", "ADDRESS TARGET...", "send mail for an address to other addresses", Verb.Client, AddAsync, "Targets are added to those that the alias has."),
        new("alias list", "", "list the aliases", [new("--domain", "NAME", "only of this domain"), .. Verb.Client], ListAsync),
        new("alias remove", "ADDRESS [TARGET]", "remove an alias, or one of its targets", Verb.Client, RemoveAsync),
    ];

    static async Task<int> AddAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.PostAsync("aliases", new JsonBody().Add("address", invocation.Arguments[0]).Add("targets", invocation.Arguments.Skip(1))),
            alias => $"Mail for {Readable.Address(alias.Text("address"))} goes to {string.Join(", ", alias.Items("targets").Select(target => Readable.Address(target.GetString()!)))}.");

    static async Task<int> ListAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.GetAsync("aliases" + (invocation.Value("--domain") is { } domain ? "?domain=" + Uri.EscapeDataString(domain) : "")),
            ["ALIAS", "TARGETS"], alias => [Readable.Address(alias.Text("address")), string.Join(", ", alias.Items("targets").Select(target => Readable.Address(target.GetString()!)))]);

    static async Task<int> RemoveAsync(Invocation invocation)
    {
        var target = invocation.Arguments.Count > 1 ? "?target=" + Uri.EscapeDataString(invocation.Arguments[1]) : "";
        return invocation.Print(await invocation.Server.DeleteAsync("aliases/" + Uri.EscapeDataString(invocation.Arguments[0]) + target),
            alias => target.Length > 0 ? $"The target {invocation.Arguments[1]} of {Readable.Address(alias.Text("address"))} is removed." : $"The alias {Readable.Address(alias.Text("address"))} is removed.");
    }
}
