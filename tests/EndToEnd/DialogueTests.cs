using System.Text.RegularExpressions;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>The dialogues of independent clients, a test each: Python's smtplib, imaplib and poplib, npm's nodemailer and imapflow.</summary>
public sealed partial class DialogueTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private static readonly (string Program, string Script)[] scripts =
    [
        ("python3", "tests/EndToEnd/python/dialogues.py"),
        ("node", "tests/EndToEnd/clients/dialogues.mjs"),
        ("node", "tests/EndToEnd/clients/sasl.mjs"),
    ];

    // a function of either language that is named after a protocol or a client
    [GeneratedRegex(@"^(?:def|  async) ((?:imap|pop3|smtp|lmtp|imapflow|nodemailer)_\w+)\(", RegexOptions.Multiline)]
    private static partial Regex Dialogue { get; }

    public static TheoryData<string, string, string> Dialogues =>
        [.. scripts.SelectMany(s => Dialogue.Matches(House.Repository.Read(s.Script)).Select(m => (s.Program, s.Script, m.Groups[1].Value)))];

    [Theory]
    [MemberData(nameof(Dialogues))]
    public async Task Holds_the_dialogue(string program, string script, string name)
    {
        var server = fixture.Server;
        var tool = new Tool { Environment = { ["ANNA"] = ServerFixture.Anna, ["BORIS"] = ServerFixture.Boris, ["PASSWORD"] = ServerFixture.Password } };
        foreach (var (door, port) in new[] { ("SMTP", server.Smtp), ("SUBMISSION", server.Submission), ("SUBMISSIONS", server.Submissions), ("LMTP", server.Lmtp), ("IMAP", server.Imap), ("IMAPS", server.Imaps), ("POP3", server.Pop3), ("POP3S", server.Pop3s) })
            tool.Environment[door] = port.ToString(null as IFormatProvider);
        (await tool.StartAsync(program, Path.Combine(House.Repository.Root, script), name)).Succeeded();
    }
}
