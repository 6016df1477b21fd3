using System.IO.Compression;
using System.Text;
using CbaMail.Net;
using Xunit;

namespace CbaMail.Tests.Server.Net;

/// <summary>RFC 1951, with the framework's zlib as the oracle.</summary>
public sealed class InflaterTests
{
    static readonly int seed = Environment.GetEnvironmentVariable("INFLATER_SEED") is { } given ? int.Parse(given, null) : Random.Shared.Next();

    static byte[] Deflate(byte[] plain, CompressionLevel level, int flushEvery = int.MaxValue)
    {
        using var to = new MemoryStream();
        using (var deflate = new DeflateStream(to, level, leaveOpen: true))
            for (var at = 0; at < plain.Length; at += flushEvery)
            {
                deflate.Write(plain.AsSpan(at, Math.Min(flushEvery, plain.Length - at)));
                if (flushEvery != int.MaxValue) deflate.Flush();
            }
        return to.ToArray();
    }

    /// <summary>In pieces of random sizes, on both sides.</summary>
    static (InflateStop Stop, byte[] Plain, int Taken) Inflate(byte[] compressed, Random random, int largest = 5000)
    {
        var inflater = new Inflater();
        var plain = new MemoryStream();
        int at = 0, offered = 0;
        while (true)
        {
            offered = Math.Max(offered, Math.Min(compressed.Length, at + random.Next(0, largest)));
            var room = new byte[random.Next(1, largest)];
            var stop = inflater.Inflate(compressed.AsSpan(at, offered - at), room, out var taken, out var given);
            at += taken;
            plain.Write(room.AsSpan(0, given));
            Assert.True(inflater.Kept <= 32 << 10);
            if (stop is InflateStop.Finished or InflateStop.Broken) return (stop, plain.ToArray(), at);
            if (stop != InflateStop.NeedsInput) continue;
            Assert.Equal(offered, at); // what needs input has taken all of it
            if (at == compressed.Length) return (stop, plain.ToArray(), at);
        }
    }

    static byte[] Sample(Random random, int kind, int length)
    {
        var bytes = new byte[length];
        switch (kind)
        {
            case 0: random.NextBytes(bytes); break;
            case 1: break; // zeros
            case 2:
                var words = new[] { "FETCH ", "FLAGS ", "(UID ", "\\Seen) ", "привет ", "\r\n", "BODY[] " }.Select(Encoding.UTF8.GetBytes).ToArray();
                for (var at = 0; at < length;)
                {
                    var word = words[random.Next(words.Length)];
                    var fits = Math.Min(word.Length, length - at);
                    word.AsSpan(0, fits).CopyTo(bytes.AsSpan(at));
                    at += fits;
                }
                break;
            default:
                for (var i = 0; i < length; i++) bytes[i] = (byte)(random.NextDouble() * random.NextDouble() * random.NextDouble() * 256);
                break;
        }
        return bytes;
    }

    [Fact]
    public void What_zlib_compresses_is_inflated_however_it_is_cut()
    {
        var random = new Random(seed);
        for (var round = 0; round < 300; round++)
        {
            var plain = Sample(random, round % 4, round < 40 ? round : random.Next(200_000));
            var level = (CompressionLevel)random.Next(4);
            var compressed = Deflate(plain, level, random.Next(2) == 0 ? int.MaxValue : random.Next(1, 20_000));
            if (plain.Length == 0) continue;
            var (stop, found, taken) = Inflate([.. compressed, 1, 2, 3], random);
            Assert.True(stop == InflateStop.Finished && taken == compressed.Length && plain.AsSpan().SequenceEqual(found), $"INFLATER_SEED={seed}, round {round}: {stop}, {found.Length} of {plain.Length}");
        }
    }

    [Fact]
    public void A_flush_is_seen_where_it_is_and_nothing_behind_it_is_taken()
    {
        var random = new Random(seed);
        for (var round = 0; round < 100; round++)
        {
            var plain = Sample(random, 2, random.Next(1, 3000));
            using var to = new MemoryStream();
            using var deflate = new DeflateStream(to, CompressionLevel.Optimal, leaveOpen: true);
            deflate.Write(plain);
            deflate.Flush();
            var compressed = to.ToArray();
            var inflater = new Inflater();
            var room = new byte[plain.Length + random.Next(1, 100)];
            var stop = inflater.Inflate([.. compressed, .. "c LOGIN anna secret\r\n"u8], room, out var taken, out var given);
            Assert.True(stop == InflateStop.Flushed && taken == compressed.Length && given == plain.Length, $"INFLATER_SEED={seed}, round {round}: {stop} {taken} {given}");
        }
    }

    // what is no stream is called so, or waits for more; what zlib reads to its end reads the same here
    [Fact]
    public void Noise_and_damage_never_throw_and_never_differ_from_zlib()
    {
        var random = new Random(seed);
        for (var round = 0; round < 3000; round++)
        {
            byte[] bytes;
            if (round % 3 == 0) random.NextBytes(bytes = new byte[random.Next(1, 400)]);
            else
            {
                bytes = Deflate(Sample(random, round % 4, random.Next(1, 3000)), (CompressionLevel)random.Next(4));
                for (var i = random.Next(1, 4); i > 0; i--) bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            }
            var (stop, plain, _) = Inflate(bytes, random, 700);
            if (stop != InflateStop.Finished) continue;
            using var oracle = new DeflateStream(new MemoryStream(bytes), CompressionMode.Decompress);
            using var expected = new MemoryStream();
            try { oracle.CopyTo(expected); }
            catch (InvalidDataException) { Assert.Fail($"INFLATER_SEED={seed}, round {round}: zlib reads no stream there"); }
            Assert.True(expected.ToArray().AsSpan().SequenceEqual(plain), $"INFLATER_SEED={seed}, round {round}");
        }
    }

    [Fact]
    public void A_bomb_gives_no_more_at_once_than_there_is_room()
    {
        var bomb = Deflate(new byte[50 << 20], CompressionLevel.Optimal);
        Assert.True(bomb.Length < 100 << 10);
        var inflater = new Inflater();
        var room = new byte[1000];
        Assert.Equal(InflateStop.OutputFull, inflater.Inflate(bomb, room, out var taken, out var given));
        Assert.Equal(1000, given);
        Assert.InRange(taken, 1, 200);
    }

    [Fact]
    public void Little_is_kept_of_somebody_who_has_said_little()
    {
        var inflater = new Inflater();
        Assert.Equal(0, inflater.Kept);
        inflater.Inflate(Deflate("a NOOP\r\n"u8.ToArray(), CompressionLevel.Optimal, 100), new byte[100], out _, out _);
        Assert.InRange(inflater.Kept, 1, 256);
    }

    [Theory]
    [InlineData("07")]                 // RFC 1951 3.2.3: BTYPE 11
    [InlineData("01 05 00 fb ff")]     // 3.2.4: NLEN is not the complement
    [InlineData("05 00 00 00 00 00 00 00 00 00 00 00")] // 3.2.7: no code lengths at all
    public void What_no_compressor_writes_is_broken(string hex)
    {
        var bytes = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        Assert.Equal(InflateStop.Broken, new Inflater().Inflate(bytes, new byte[100], out _, out _));
    }

    // RFC 1951 3.2.5: a distance to before the beginning; fixed codes: length 3, distance 1, at once
    [Fact]
    public void Nothing_is_repeated_from_before_the_beginning() =>
        Assert.Equal(InflateStop.Broken, new Inflater().Inflate([0x03, 0x02, 0, 0], new byte[100], out _, out _));
}
