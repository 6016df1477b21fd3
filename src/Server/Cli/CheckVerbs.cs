namespace CbaMail.Cli;

/// <summary><c>check ...</c>: the server's own libraries, driven by hand; no server need run.</summary>
static class CheckVerbs
{
    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("check mime", "[FILE]...", "print what the reader makes of messages, a JSON line each",
            [new("--lines", null, "read {\"id\":…,\"message\":\"base64\"} lines from standard input"), new("--json", null, "as it is anyway")],
            invocation =>
            {
                using var input = Console.OpenStandardInput();
                return Task.FromResult(CheckMime.Run([.. invocation.Arguments], invocation.Has("--lines"), input, invocation.Output));
            },
            "Without FILE one message is read from standard input."),
        new("check mailauth", "", "answer questions about SPF, DKIM, ARC and DMARC, a JSON line each, with DNS out of the question", [new("--json", null, "as it is anyway")],
            async _ =>
            {
                using var input = Console.OpenStandardInput();
                using var output = Console.OpenStandardOutput();
                return await CheckMailauth.RunAsync(input, output, CancellationToken.None);
            },
            "Standard input: {\"id\":…,\"op\":\"spf|dkim|dkim-sign|arc|arc-seal|dmarc\",\"zone\":{…},…} a line."),
    ];
}
