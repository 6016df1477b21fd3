namespace CbaMail.Cli;

/// <summary><c>course address | addresses | address-remove | posts | accept | reject</c>.</summary>
static class CourseAddressVerbs
{
    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("course address", "COURSE ADDRESS", "give a run an address: what a teacher writes to it goes to everybody in the run as a mailing", [
            new("--run", "RUN", "the run; default unless set"),
            new("--approval", "WORD", "whose mail waits for an approver: none, assistants or all; assistants unless set"),
            new("--approvers", "ADDRESSES", "who approves; the teachers of the run unless set"),
            .. Verb.Client], async invocation =>
        {
            var body = new JsonBody().Add("run", invocation.Value("--run")).Add("approval", invocation.Value("--approval"));
            if (invocation.Value("--approvers") is { } words) body.Add("approvers", words.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries));
            return invocation.Print(await invocation.Server.PutAsync($"{Path(invocation)}/addresses/{Uri.EscapeDataString(invocation.Arguments[1])}", body),
                one => $"What teachers write to {Readable.Address(one.Text("address"))} goes to the run {one.Text("run")}.");
        }),
        new("course addresses", "COURSE", "list the addresses that teachers of a course write to", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.GetAsync(Path(invocation) + "/addresses"), ["ADDRESS", "RUN", "APPROVAL", "APPROVERS"],
                one => [Readable.Address(one.Text("address")), one.Text("run"), one.Text("approval"), string.Join(' ', one.Items("approvers").Select(word => word.GetString()))])),
        new("course address-remove", "COURSE ADDRESS", "take the address away from a run", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.DeleteAsync($"{Path(invocation)}/addresses/{Uri.EscapeDataString(invocation.Arguments[1])}"), one => $"{Readable.Address(one.Text("address"))} is no address of the course any more.")),
        new("course posts", "COURSE", "list what was written to the addresses of a course", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.GetAsync(Path(invocation) + "/letters"), ["NUMBER", "MAILING", "STATE", "AUTHOR", "TAKEN", "SUBJECT"],
                one => [one.Text("id"), one.Text("mailing"), one.Text("state"), Readable.Address(one.Text("author")), one.Text("taken"), one.Text("subject")])),
        new("course accept", "COURSE NUMBER", "send what waits for an approver", Verb.Client, invocation => DecideAsync(invocation, "accept")),
        new("course reject", "COURSE NUMBER", "drop what waits for an approver; its author is told", Verb.Client, invocation => DecideAsync(invocation, "reject")),
    ];

    static string Path(Invocation invocation) => "courses/" + Uri.EscapeDataString(invocation.Arguments[0]);

    static async Task<int> DecideAsync(Invocation invocation, string deed) =>
        invocation.Print(await invocation.Server.PostAsync($"{Path(invocation)}/letters/{Uri.EscapeDataString(invocation.Arguments[1])}/{deed}", new JsonBody()), one => $"It is {one.Text("decision")}.");
}
