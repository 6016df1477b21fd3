using System.Text;
using CbaMail.Config;
using CbaMail.Tests.Server.Net;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Pop3;

/// <summary>Random commands in each state: there is always an answer, and never a surprise.</summary>
[Collection("pop3")]
public sealed class FuzzTests(Pop3Fixture fixture)
{
    static readonly string[] Seeds =
        ["USER anna", "PASS secret", "APOP a 0123456789abcdef0123456789abcdef", "STAT", "LIST", "LIST 1", "RETR 1", "DELE 2", "NOOP", "RSET", "TOP 1 3", "UIDL", "UIDL 2", "CAPA", "AUTH", "AUTH PLAIN AGEAYg==", "UTF8", "LANG", "LANG ru", "LANG *"];

    static readonly byte[] Spice = " 0123456789-\0\t.*="u8.ToArray();

    [Theory]
    [InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public async Task Every_command_is_answered(int seed)
    {
        var random = new Random(seed);
        var account = await fixture.AccountAsync();
        await fixture.DeliverAsync(account, "Subject: 1\r\n\r\n.x\r\n", "Subject: Два\r\n\r\ny");
        var patient = new Pop3Settings { MaxBadCommands = int.MaxValue, MaxFailedSignIns = int.MaxValue };
        await using var client = fixture.Connect(patient);
        await client.LineAsync();
        if (seed % 2 == 0)
        {
            await client.OkAsync($"USER {account.Address}");
            await client.OkAsync($"PASS {Pop3Fixture.Password}");
        }
        for (var i = 0; i < 500; i++)
        {
            var command = Mutation.Of(random, Encoding.UTF8.GetBytes(Seeds[random.Next(Seeds.Length)]), Spice);
            // a challenge waits for a response: the star is that. The last word is one that nothing else answers so
            await client.SendAsync([.. command, .. "\r\n*\r\n"u8, .. "XSYNC\r\nLANG MUL\r\n"u8]);
            for (var synced = false; ;)
            {
                var line = await client.LineAsync();
                Assert.False(line.Contains("on our side", StringComparison.Ordinal), $"seed {seed}: {Encoding.Latin1.GetString(command)}");
                if (line is "-ERR There is no such language here" or "-ERR Такого языка здесь нет" && synced) break;
                synced |= line is "-ERR There is no such command" or "-ERR Такой команды нет";
            }
        }
    }

    [Fact]
    public Task Noise_ends_or_is_answered() => SessionClient.NoiseAsync(() => fixture.Connect());
}
