namespace CbaMail.Cli;

/// <summary><c>mailbox create | list | remove | rights | share</c>.</summary>
static class MailboxVerbs
{
    const string Owners = "OWNER is an address, or a domain: its mailboxes are the public folders that its people see below \"Public\".";

    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("mailbox create", "OWNER NAME", "make a mailbox of an account, or a public folder of a domain", Verb.Client, CreateAsync, Owners),
        new("mailbox list", "OWNER", "list the mailboxes of an account, or the public folders of a domain", Verb.Client, ListAsync, Owners),
        new("mailbox keep", "OWNER NAME HOW-LONG", "say how long a mailbox keeps its messages", Verb.Client, KeepAsync,
            "HOW-LONG is a number of days as in 30d, forever, or default: what accounts.keep-junk and accounts.keep-trash say of Junk and Trash, and forever of others.\n" +
            "Days count from when a message came into the mailbox. What is flagged stays. What goes can be brought back for accounts.keep-expunged: mailbox expunged.\n" + Owners),
        new("mailbox remove", "OWNER NAME", "remove a mailbox with its mail", Verb.Client, RemoveAsync, Owners),
        new("mailbox rights", "OWNER NAME", "show who may do what with a mailbox", Verb.Client, RightsAsync, Owners),
        new("mailbox share", "OWNER NAME WHO RIGHTS", "say what somebody may do with a mailbox", Verb.Client, ShareAsync,
            Owners + "\nWHO is an address, $GROUP, or anyone (in the owner's domain). RIGHTS are letters; \"+\" before them adds, \"-\" takes away, \"none\" ends it:\n" +
            "l see it in lists, r read, s mark as read, w other flags, i put messages into it, p send mail to it, k make mailboxes below, x remove, t mark as deleted, e expunge, a give rights."),
    ];

    static string Of(Invocation invocation, string path) => $"{path}?owner={Uri.EscapeDataString(invocation.Arguments[0])}" + (invocation.Arguments.Count > 1 ? "&name=" + Uri.EscapeDataString(invocation.Arguments[1]) : "");

    static JsonBody Body(Invocation invocation) => new JsonBody().Add("owner", invocation.Arguments[0]).Add("name", invocation.Arguments[1]);

    static async Task<int> CreateAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.PostAsync("mailboxes", Body(invocation)), mailbox => $"{invocation.Arguments[0]} has a mailbox {mailbox.Text("name")}.");

    static async Task<int> ListAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.GetAsync(Of(invocation, "mailboxes")), ["MAILBOX", "MESSAGES", "KEEPS", "SHARED"],
            mailbox => [mailbox.Text("name"), mailbox.GetProperty("messages").ToString(), Keeps(mailbox), mailbox.GetProperty("shared").GetBoolean() ? "yes" : ""]);

    static string Keeps(System.Text.Json.JsonElement mailbox) => mailbox.Text("keepDays") is { Length: > 0 } days ? days + "d" : "";

    static async Task<int> KeepAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.PatchAsync("mailboxes", Body(invocation).Add("keep", invocation.Arguments[2])), mailbox =>
            Keeps(mailbox) is { Length: > 0 } days ? $"{mailbox.Text("name")} of {invocation.Arguments[0]} keeps messages for {days.TrimEnd('d')} days." : $"{mailbox.Text("name")} of {invocation.Arguments[0]} keeps messages for ever.");

    static async Task<int> RemoveAsync(Invocation invocation) =>
        invocation.Print(await invocation.Server.DeleteAsync(Of(invocation, "mailboxes")), mailbox => $"The mailbox {mailbox.Text("name")} of {invocation.Arguments[0]} is removed.");

    static async Task<int> RightsAsync(Invocation invocation) => Print(invocation, await invocation.Server.GetAsync(Of(invocation, "mailboxes/rights")));

    static async Task<int> ShareAsync(Invocation invocation) =>
        Print(invocation, await invocation.Server.PostAsync("mailboxes/rights", Body(invocation).Add("identifier", invocation.Arguments[2]).Add("rights", invocation.Arguments[3])));

    static int Print(Invocation invocation, System.Text.Json.JsonElement entries) => invocation.Print(entries, ["WHO", "RIGHTS"], entry => [entry.Text("identifier"), entry.Text("rights")]);
}
