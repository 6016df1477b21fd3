using CbaMail.Tests.House;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Imap;

/// <summary>
/// Plays tests/Transcripts/imap/*.session against a session over the real vault. The language is that of Wire/TranscriptFile,
/// with {anna}, {boris} and {password}; each file has accounts of its own. Z+ and Z-: from here on both sides compress, or no more.
/// </summary>
[Collection("imap")]
public sealed class TranscriptTests(ImapFixture fixture)
{
    public static TheoryData<string> Files() =>
        [.. System.IO.Directory.GetFiles(Path.Combine(Repository.Root, "tests/Transcripts/imap"), "*.session").Select(f => Path.GetFileName(f)).Order()];

    [Theory, MemberData(nameof(Files))]
    public async Task Plays(string file)
    {
        var path = Path.Combine(Repository.Root, "tests/Transcripts/imap", file);
        var anna = await fixture.AccountAsync();
        // a second one where the file speaks of him
        var boris = (await File.ReadAllTextAsync(path)).Contains("{boris}", StringComparison.Ordinal) ? await fixture.AccountAsync() : anna;
        var words = new Dictionary<string, string> { ["anna"] = anna.Address.ToString(), ["boris"] = boris.Address.ToString(), ["password"] = ImapFixture.Password };
        ImapClient? client = null;
        await TranscriptFile.RunAsync(path, _ => Task.FromResult<ITranscriptClient>(client = fixture.Connect()), () => words, async line =>
        {
            if (line == "Z+") client!.StartCompression();
            else if (line == "Z-") await client!.EndCompressionAsync();
            else return false;
            return true;
        });
    }
}
