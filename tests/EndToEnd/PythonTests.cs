using System.Text.RegularExpressions;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>The dialogues of python/dialogues.py, a test each.</summary>
public partial class PythonTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private const string Script = "tests/EndToEnd/python/dialogues.py";

    [GeneratedRegex(@"^def ((?:imap|smtp|lmtp)_\w+)\(", RegexOptions.Multiline)]
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
                ["SMTP"] = Port(server.Smtp), ["SUBMISSION"] = Port(server.Submission), ["SUBMISSIONS"] = Port(server.Submissions),
                ["LMTP"] = Port(server.Lmtp), ["IMAP"] = Port(server.Imap), ["IMAPS"] = Port(server.Imaps),
            },
        };
        (await tool.StartAsync("python3", Path.Combine(House.Repository.Root, Script), name)).Succeeded();
    }
}
