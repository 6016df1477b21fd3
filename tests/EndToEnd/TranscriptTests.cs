using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>Every file of tests/Transcripts against the real server.</summary>
public class TranscriptTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    public static TheoryData<string> Transcripts =>
        [.. House.Repository.Files.Where(f => f.StartsWith("tests/Transcripts/", StringComparison.Ordinal) && f.EndsWith(".txt", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Transcripts))]
    public async Task Goes_as_written(string file)
    {
        var server = fixture.Server;
        int Port(string name) => name switch
        {
            "smtp" => server.Smtp,
            "submission" => server.Submission,
            "submissions" => server.Submissions,
            "lmtp" => server.Lmtp,
            "imap" => server.Imap,
            "imaps" => server.Imaps,
            "pop3" => server.Pop3,
            "pop3s" => server.Pop3s,
            _ => throw new FormatException($"there is no port {name}"),
        };
        var words = new Dictionary<string, string> { ["anna"] = ServerFixture.Anna, ["boris"] = ServerFixture.Boris, ["password"] = ServerFixture.Password };
        await TranscriptFile.RunAsync(Path.Combine(House.Repository.Root, file),
            async name => await WireClient.ConnectAsync(Port(name), tls: name is "imaps" or "submissions" or "pop3s"), () => words);
    }
}
