using System.Net;
using System.Text;
using CbaMail.Dns;
using Xunit;

namespace CbaMail.Tests.Formats.Dns;

public class DnsMessageTests
{
    static readonly string[] Names = [".", "test", "example.test", "mx.example.test", "Mx.Example.test", "a\\.b.example.test", "xn--e1afmkfd.xn--p1ai", "_25._tcp.mx.example.test"];

    static DnsRecord Record(Random random)
    {
        string Name() => Names[random.Next(Names.Length)];
        byte[] Data(int longest)
        {
            var data = new byte[random.Next(longest + 1)];
            random.NextBytes(data);
            return data;
        }
        IPAddress Address(int length)
        {
            var data = new byte[length];
            random.NextBytes(data);
            return new IPAddress(data);
        }
        var ttl = (uint)random.Next();
        return random.Next(9) switch
        {
            0 => new AddressRecord(Name(), ttl, Address(4)),
            1 => new AddressRecord(Name(), ttl, Address(16)),
            2 => new ExchangeRecord(Name(), ttl, (ushort)random.Next(65536), Name()),
            3 => new NameRecord(Name(), random.Next(3) switch { 0 => DnsType.Cname, 1 => DnsType.Ns, _ => DnsType.Ptr }, ttl, Name()),
            4 => new TextRecord(Name(), ttl, [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => Data(255))]),
            5 => new AuthorityRecord(Name(), ttl, Name(), Name(), (uint)random.Next(), 1, 2, uint.MaxValue, (uint)random.Next()),
            6 => new TlsaRecord(Name(), ttl, 3, 1, (byte)random.Next(3), new byte[] { 1 }.Concat(Data(63)).ToArray()),
            7 => new RawRecord(Name(), (DnsType)random.Next(256, 60000), ttl, 1, Data(80)),
            _ => new RawRecord(Name(), DnsType.A, ttl, 3, Data(80)), // another class is not decoded
        };
    }

    static DnsMessage Message(Random random)
    {
        DnsRecord[] Some() => [.. Enumerable.Range(0, random.Next(5)).Select(_ => Record(random))];
        bool Flag() => random.Next(2) == 0;
        var edns = Flag() ? new DnsEdns((ushort)random.Next(65536), Flag(), (byte)random.Next(2)) : null;
        return new DnsMessage
        {
            Id = (ushort)random.Next(65536),
            IsResponse = Flag(),
            Opcode = (byte)random.Next(16),
            Authoritative = Flag(),
            Truncated = Flag(),
            RecursionDesired = Flag(),
            RecursionAvailable = Flag(),
            AuthenticData = Flag(),
            CheckingDisabled = Flag(),
            Code = (DnsCode)random.Next(edns is null ? 16 : 4096),
            Edns = edns,
            Questions = [.. Enumerable.Range(0, random.Next(3)).Select(_ => new DnsQuestion(Names[random.Next(Names.Length)], (DnsType)random.Next(300)))],
            Answers = Some(),
            Authority = Some(),
            Additional = Some(),
        };
    }

    static void Same(DnsMessage expected, DnsMessage actual)
    {
        Assert.Equal(expected.Questions, actual.Questions);
        Assert.Equal(expected.Answers, actual.Answers);
        Assert.Equal(expected.Authority, actual.Authority);
        Assert.Equal(expected.Additional, actual.Additional);
        Assert.Equal(expected with { Questions = [], Answers = [], Authority = [], Additional = [] }, actual with { Questions = [], Answers = [], Authority = [], Additional = [] });
    }

    [Fact]
    public void What_is_written_reads_back()
    {
        for (var seed = 0; seed < 2000; seed++)
        {
            var message = Message(new Random(seed));
            Assert.True(DnsReader.TryRead(DnsWriter.Write(message), out var read), $"seed {seed}");
            Same(message, read);
        }
    }

    [Fact]
    public void Nothing_that_comes_makes_the_reader_throw_and_what_it_took_can_be_written()
    {
        for (var seed = 0; seed < 20_000; seed++)
        {
            var random = new Random(seed);
            var wire = DnsWriter.Write(Message(random));
            for (var i = random.Next(6); i >= 0; i--) wire[random.Next(wire.Length)] = (byte)random.Next(256);
            if (random.Next(4) == 0) wire = wire[..random.Next(wire.Length)];
            if (!DnsReader.TryRead(wire, out var read)) continue;
            Assert.True(DnsReader.TryRead(DnsWriter.Write(read), out var again), $"seed {seed}");
            Same(read, again);
        }
        var noise = new byte[600];
        for (var seed = 0; seed < 20_000; seed++)
        {
            new Random(seed).NextBytes(noise);
            DnsReader.TryRead(noise.AsSpan(0, seed % 600), out _);
        }
    }

    [Fact]
    public void Names_are_compressed()
    {
        var message = new DnsMessage
        {
            IsResponse = true,
            Questions = [new DnsQuestion("example.test", DnsType.Mx)],
            Answers = [new ExchangeRecord("example.test", 60, 10, "mx1.example.test"), new ExchangeRecord("example.test", 60, 20, "mx2.example.test")],
        };
        // header 12, question 14 + 4, each record 2 + 10 + 2 + 4 + 2
        Assert.Equal(12 + 18 + 2 * 20, DnsWriter.Write(message).Length);
    }

    [Fact]
    public void Reads_an_answer_of_another_hand()
    {
        var wire = Convert.FromHexString(
            "abcd8580000100010000000107" + Convert.ToHexString("example"u8) + "0474657374" + "00000f0001"
            + "c00c000f00010000012c0007" + "000a" + "026d78" + "c00c" + "0000290200000080000000");
        Assert.True(DnsReader.TryRead(wire, out var message));
        Assert.Equal(new ExchangeRecord("example.test", 300, 10, "mx.example.test"), Assert.Single(message.Answers));
        Assert.Equal(new DnsEdns(512, DnssecOk: true), message.Edns);
        Assert.True(message is { Id: 0xabcd, IsResponse: true, Authoritative: true, RecursionAvailable: true });
    }

    [Fact]
    public void Counts_that_promise_more_than_there_is_are_refused()
    {
        var wire = DnsWriter.Write(new DnsMessage { Questions = [new DnsQuestion("example.test", DnsType.A)] });
        wire[7] = 1;
        Assert.False(DnsReader.TryRead(wire, out _));
        (wire[4], wire[5]) = (255, 255);
        Assert.False(DnsReader.TryRead(wire, out _));
    }

    [Fact]
    public void Strings_of_TXT_are_joined_without_a_separator() =>
        Assert.Equal("v=spf1 -all", new TextRecord("a", 1, ["v=spf1"u8.ToArray(), " -all"u8.ToArray()]).Text);

    [Fact]
    public void A_name_in_data_may_not_run_on_beyond_it()
    {
        var good = DnsWriter.Write(new DnsMessage { Answers = [new NameRecord("a", DnsType.Ptr, 1, "b.c")] });
        Assert.True(DnsReader.TryRead(good, out _));
        good[12 + 3 + 9] -= 1; // the data's length
        Assert.False(DnsReader.TryRead(good, out _));
        Assert.NotEmpty(Encoding.ASCII.GetString(good));
    }
}
