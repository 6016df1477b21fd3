using System.Text;
using CbaMail.Config;
using CbaMail.Tests.Server.Net;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Imap;

/// <summary>Random commands in each state: there is always an answer, and never a surprise (SERVERBUG, exception, hang).</summary>
[Collection("imap")]
public sealed class FuzzTests(ImapFixture fixture)
{
    static readonly string[] Seeds =
    [
        "SELECT INBOX", "EXAMINE \"INBOX\" (CONDSTORE)", "FETCH 1:* (FLAGS UID BODY.PEEK[1.2.HEADER.FIELDS (Subject)]<0.10>)", "UID FETCH 1,3:* (ENVELOPE BODYSTRUCTURE) (CHANGEDSINCE 1)",
        "SEARCH RETURN (MIN MAX) CHARSET UTF-8 OR (NOT SEEN SUBJECT \"x\") UID 1:5 BEFORE 1-Jan-2020", "STORE 1 (UNCHANGEDSINCE 3) +FLAGS.SILENT (\\Seen $x)", "COPY 1 box", "UID MOVE 1:2 box",
        "APPEND INBOX (\\Seen) \"17-Jul-1996 02:44:25 -0700\" {5+}\r\nhello", "LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (\"%\" *) RETURN (STATUS (MESSAGES) CHILDREN)", "LSUB \"\" %", "STATUS INBOX (MESSAGES RECENT)",
        "CREATE x/y/z (USE (\\Sent))", "RENAME x w", "DELETE w", "SUBSCRIBE {3+}\r\nabc", "ID (\"a\" NIL)", "ENABLE CONDSTORE", "NAMESPACE", "IDLE\r\nDONE", "EXPUNGE", "UID EXPUNGE 1:*", "CLOSE", "UNSELECT",
        "GETQUOTAROOT INBOX", "LOGIN a {1+}\r\nb", "AUTHENTICATE PLAIN AGEAYg==", "NOOP", "CHECK",
    ];

    [Theory]
    [InlineData(1), InlineData(2), InlineData(3), InlineData(4), InlineData(5), InlineData(6)]
    public async Task Every_command_is_answered(int seed)
    {
        var random = new Random(seed);
        var patient = fixture.Settings with { Imap = new ImapSettings { MaxBadCommands = int.MaxValue, MaxFailedSignIns = int.MaxValue, MaxMessage = 100_000 } };
        var account = await fixture.AccountAsync();
        await using var client = fixture.Connect(patient);
        await client.LineAsync();
        if (seed % 3 > 0) await client.OkAsync($"LOGIN {account.Address} \"{ImapFixture.Password}\"");
        if (seed % 3 > 1)
        {
            await client.AppendAsync("INBOX", ImapClient.Message(1));
            await client.OkAsync("SELECT INBOX");
        }
        for (var i = 0; i < 400; i++)
        {
            var command = Mutate(random, Seeds[random.Next(Seeds.Length)]);
            // an unfinished literal or a challenge would wait for more: the NOOPs and empty lines behind it are that
            await client.SendAsync([.. Encoding.Latin1.GetBytes($"f{i} "), .. command, .. "\r\n"u8]);
            await client.SendAsync(Encoding.ASCII.GetBytes("*\r\nDONE\r\n"));
            var lines = new List<string>();
            for (var tries = 0; ; tries++)
            {
                await client.SendAsync($"sync{i}-{tries} NOOP\r\n");
                var answered = false;
                while (await client.TryLineAsync() is { } line)
                {
                    lines.Add(line);
                    answered = line.StartsWith($"sync{i}-", StringComparison.Ordinal);
                    if (answered || line.StartsWith("+ ", StringComparison.Ordinal)) break;
                    if (line.StartsWith("* BYE", StringComparison.Ordinal)) return;
                }
                if (answered) break;
                Assert.True(tries < 3000, "no answer to: " + Encoding.Latin1.GetString(command));
            }
            Assert.DoesNotContain(lines, l => l.Contains("SERVERBUG", StringComparison.Ordinal));
        }
    }

    static readonly byte[] Spice = "(){}[]<>\"\\*%~+,:\0 \r\n0123456789"u8.ToArray();

    static byte[] Mutate(Random random, string seed)
    {
        var text = Encoding.Latin1.GetString(Mutation.Of(random, Encoding.Latin1.GetBytes(seed), Spice));
        // literals that ask for a lot would only make the test wait
        return Encoding.Latin1.GetBytes(System.Text.RegularExpressions.Regex.Replace(text, @"\{(\d{4,})", "{999"));
    }

    [Fact]
    public Task Noise_ends_or_is_answered() => SessionClient.NoiseAsync(() => fixture.Connect());
}
