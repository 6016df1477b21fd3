using System.Text.RegularExpressions;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>The dialogues of clients/dialogues.mjs with npm's imapflow and nodemailer, a test each.</summary>
public partial class NodeTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private const string Script = "tests/EndToEnd/clients/dialogues.mjs";

    [GeneratedRegex(@"^  async ((?:imapflow|nodemailer)_\w+)\(", RegexOptions.Multiline)]
    private static partial Regex Dialogue { get; }

    public static TheoryData<string> Dialogues => [.. Dialogue.Matches(House.Repository.Read(Script)).Select(m => m.Groups[1].Value)];

    [Theory]
    [MemberData(nameof(Dialogues))]
    public async Task Holds_the_dialogue(string name)
    {
        var server = fixture.Server;
        string Port(int port) => port.ToString(null as IFormatProvider);
        var tool = new Tool
        {
            Environment =
            {
                ["ANNA"] = ServerFixture.Anna, ["BORIS"] = ServerFixture.Boris, ["PASSWORD"] = ServerFixture.Password,
                ["SUBMISSION"] = Port(server.Submission), ["SUBMISSIONS"] = Port(server.Submissions),
                ["IMAP"] = Port(server.Imap), ["IMAPS"] = Port(server.Imaps),
            },
        };
        (await tool.StartAsync("node", Path.Combine(House.Repository.Root, Script), name)).Succeeded();
    }
}
