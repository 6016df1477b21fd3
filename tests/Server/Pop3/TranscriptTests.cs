using System.Globalization;
using CbaMail.Tests.House;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Pop3;

/// <summary>
/// Plays tests/Transcripts/pop3/*.session against a session over the real vault. The language is that of Wire/TranscriptFile, with {anna}, {password}
/// and {v}, the UIDVALIDITY of INBOX; each file has an account of its own. "mail: TEXT" puts a message into INBOX.
/// </summary>
[Collection("pop3")]
public sealed class TranscriptTests(Pop3Fixture fixture)
{
    public static TheoryData<string> Files() =>
        [.. System.IO.Directory.GetFiles(Path.Combine(Repository.Root, "tests/Transcripts/pop3"), "*.session").Select(f => Path.GetFileName(f)).Order()];

    [Theory, MemberData(nameof(Files))]
    public async Task Plays(string file)
    {
        var account = await fixture.AccountAsync();
        await TranscriptFile.RunAsync(Path.Combine(Repository.Root, "tests/Transcripts/pop3", file), _ => Task.FromResult<ITranscriptClient>(fixture.Connect()),
            () => new Dictionary<string, string>
            {
                ["anna"] = account.Address.ToString(),
                ["password"] = Pop3Fixture.Password,
                ["v"] = fixture.Inbox(account).UidValidity.ToString(CultureInfo.InvariantCulture),
            },
            async line =>
            {
                if (!line.StartsWith("mail: ", StringComparison.Ordinal)) return false;
                await fixture.DeliverAsync(account, TranscriptFile.Bytes(line[6..]));
                return true;
            });
    }
}
