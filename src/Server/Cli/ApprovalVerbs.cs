using System.Text.Json;

namespace CbaMail.Cli;

/// <summary><c>course approval | domain approval | mailing approval | ask | approve | refuse | withdraw</c>.</summary>
static class ApprovalVerbs
{
    static readonly Option[] Policy =
    [
        new("--class", "CLASS", "only mailings of this class: mandatory, course, optional or marketing", Many: true),
        new("--above", "N", "only mailings to more readers than N"),
        new("--approver", "ADDRESS", "who may approve", Many: true),
        new("--none", null, "mailings go out without approval again"),
    ];

    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("course approval", "COURSE", "show or say which mailings of a course a second person must approve", [.. Policy, .. Verb.Client], invocation => PolicyAsync(invocation, "courses")),
        new("domain approval", "DOMAIN", "show or say which mailings of a domain's courses a second person must approve", [.. Policy, .. Verb.Client], invocation => PolicyAsync(invocation, "domains")),
        new("mailing approval", "ID", "how the approval of a mailing stands", Verb.Client, async invocation => invocation.Print(await invocation.Server.GetAsync(Path(invocation)), Shown)),
        new("mailing ask", "ID", "ask a second person to approve a mailing", [new("--note", "TEXT", "what the approver should know"), .. Verb.Client], async invocation =>
            invocation.Print(await invocation.Server.PostAsync(Path(invocation), new JsonBody().Add("note", invocation.Value("--note"))), one => $"Asked: {string.Join(", ", one.Items("approvers").Select(word => Readable.Address(word.GetString()!)))}.")),
        new("mailing approve", "ID", "approve a mailing of another person", Verb.Client, invocation => DecideAsync(invocation, true, null)),
        new("mailing refuse", "ID", "refuse a mailing of another person", [new("--because", "TEXT", "why"), .. Verb.Client], invocation => DecideAsync(invocation, false, invocation.Value("--because"))),
        new("mailing withdraw", "ID", "take back the question whether a mailing is approved", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.DeleteAsync(Path(invocation)), _ => $"Nobody is asked about mailing {invocation.Arguments[0]} any more.")),
    ];

    static string Path(Invocation invocation) => $"mailings/{MailingVerbs.Id(invocation)}/approval";

    static async Task<int> PolicyAsync(Invocation invocation, string of)
    {
        var path = $"{of}/{Uri.EscapeDataString(invocation.Arguments[0])}/approval";
        if (invocation.Has("--none")) return invocation.Print(await invocation.Server.DeleteAsync(path), _ => "Mailings go out without approval.");
        var approvers = invocation.Values("--approver").ToList();
        if (approvers.Count == 0 && invocation.Value("--above") is null && !invocation.Values("--class").Any()) return invocation.Print(await invocation.Server.GetAsync(path), Rule);
        var body = new JsonBody().Add("classes", invocation.Values("--class").ToList()).Add("approvers", approvers);
        if (invocation.Value("--above") is { } above) body.Add("above", int.TryParse(above, out var number) ? number : throw new Refused("--above needs a number of readers", 2));
        return invocation.Print(await invocation.Server.PutAsync(path, body), Rule);
    }

    static string Rule(JsonElement one)
    {
        var classes = string.Join(", ", one.Items("classes").Select(word => word.GetString()));
        return $"Mailings{(classes.Length > 0 ? $" of the class {classes}" : "")}{(one.Number("above") > 0 ? $" to more than {one.Number("above")} readers" : "")} need the approval of one of: {string.Join(", ", one.Items("approvers").Select(word => Readable.Address(word.GetString()!)))}.";
    }

    static async Task<int> DecideAsync(Invocation invocation, bool approve, string? reason) =>
        invocation.Print(await invocation.Server.PostAsync(Path(invocation) + "/decision", new JsonBody().Add("approve", approve).Add("reason", reason)), Shown);

    static string Shown(JsonElement one) => one.Text("state") switch
    {
        "none" => one.True("needed") ? "Needed, and nobody has been asked." : "Not needed.",
        "asked" => $"Asked by {one.Text("askedBy")} on {one.Text("asked")}; nobody has decided.",
        "changed" => $"Changed since it was {(one.Text("decidedBy").Length > 0 ? "approved" : "asked for")}: {string.Join(", ", one.Items("changed").Select(word => word.GetString()))}. Ask again.",
        var state => $"{(state == "approved" ? "Approved" : "Refused")} by {one.Text("decidedBy")} on {one.Text("decided")}{(one.Text("reason") is { Length: > 0 } reason ? ": " + reason : "")}.",
    };
}
