using System.Text;
using CbaMail.Config;
using Xunit;

namespace CbaMail.Tests.Server.Pop3;

/// <summary>Random commands in each state: there is always an answer, and never a surprise.</summary>
[Collection("pop3")]
public sealed class FuzzTests(Pop3Fixture fixture)
{
    static readonly string[] Seeds =
        ["USER anna", "PASS secret", "APOP a 0123456789abcdef0123456789abcdef", "STAT", "LIST", "LIST 1", "RETR 1", "DELE 2", "NOOP", "RSET", "TOP 1 3", "UIDL", "UIDL 2", "CAPA", "AUTH", "AUTH PLAIN AGEAYg==", "UTF8", "LANG", "LANG ru", "LANG *"];

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
            var command = Mutate(random, Seeds[random.Next(Seeds.Length)]);
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

    static byte[] Mutate(Random random, string seed)
    {
        var bytes = Encoding.UTF8.GetBytes(seed).ToList();
        for (var n = random.Next(4); n > 0; n--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes.Insert(at, " 0123456789-\0\t.*="u8[random.Next(17)]); break;
                case 2: bytes.RemoveAt(at); break;
                case 3: bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(20), bytes.Count - at))); break;
                default: bytes = bytes.GetRange(0, Math.Max(1, at)); break;
            }
            if (bytes.Count == 0) bytes.Add((byte)'x');
        }
        return [.. bytes];
    }

    [Fact]
    public async Task Noise_ends_or_is_answered()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            await using var client = fixture.Connect();
            await client.LineAsync();
            var noise = new byte[random.Next(1, 5000)];
            random.NextBytes(noise);
            await client.SendAsync(noise);
            client.HalfClose();
            while (await client.TryLineAsync() is not null) { }
        }
    }
}
