namespace CbaMail.Cli;

/// <summary><c>message deliver</c>: one message from standard input through the delivery of local mail.</summary>
static class MessageVerbs
{
    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("message deliver", "ADDRESS", "deliver the message on standard input",
            [new("--from", "ADDRESS", "sender of the envelope; default the null sender"), .. Verb.Client], DeliverAsync),
    ];

    static async Task<int> DeliverAsync(Invocation invocation)
    {
        var path = "messages?to=" + Uri.EscapeDataString(invocation.Arguments[0])
            + (invocation.Value("--from") is { } from ? "&from=" + Uri.EscapeDataString(from) : "");
        var answer = await invocation.Server.PostAsync(path, Console.OpenStandardInput(), "message/rfc822");
        return invocation.Print(answer, _ => $"Delivered to {invocation.Arguments[0]}.");
    }
}
