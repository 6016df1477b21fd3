using System.Buffers.Binary;
using System.Text;
using CbaMail.Proxy;
using Xunit;

namespace CbaMail.Tests.Formats.Proxy;

/// <summary>The PROXY protocol, versions 1 and 2, byte by byte.</summary>
public class ProxyHeaderTests
{
    static byte[] Text(string line) => Encoding.Latin1.GetBytes(line.Replace("~", "\r\n", StringComparison.Ordinal));

    /// <summary>Version 2: command and family as given, addresses and TLVs in hexadecimal.</summary>
    static byte[] Binary(int command, int family, string block)
    {
        var bytes = Convert.FromHexString(block.Replace(" ", "", StringComparison.Ordinal));
        byte[] whole = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a, (byte)command, (byte)family, 0, 0, .. bytes];
        BinaryPrimitives.WriteUInt16BigEndian(whole.AsSpan(14), (ushort)bytes.Length);
        return whole;
    }

    const string Four = "c0000201 c6336407 dc04 0019"; // 192.0.2.1:56324 -> 198.51.100.7:25
    const string Six = "20010db8000000000000000000000001 20010db8000000000000000000000002 dc04 0019";

    static ProxyHeader Whole(byte[] bytes)
    {
        var read = ProxyHeader.TryRead([.. bytes, .. "EHLO x\r\n"u8], out var header, out var problem);
        Assert.True(read == ProxyRead.Complete, problem);
        Assert.Equal(bytes.Length, header!.Length);
        return header;
    }

    static void Refused(byte[] bytes)
    {
        Assert.Equal(ProxyRead.Invalid, ProxyHeader.TryRead(bytes, out var header, out var problem));
        Assert.Null(header);
        Assert.NotEmpty(problem);
    }

    [Theory]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 56324 25~", "192.0.2.1:56324", "198.51.100.7:25")]
    [InlineData("PROXY TCP6 2001:db8::1 2001:db8::2 1 65535~", "[2001:db8::1]:1", "[2001:db8::2]:65535")]
    [InlineData("PROXY TCP6 ffff:f:f:f:f:f:f:f ffff:f:f:f:f:f:f:f 65535 65535~", "[ffff:f:f:f:f:f:f:f]:65535", "[ffff:f:f:f:f:f:f:f]:65535")]
    [InlineData("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.7 0 25~", "192.0.2.1:0", "198.51.100.7:25")]
    public void A_line_of_version_1_names_both_ends(string line, string source, string destination)
    {
        var header = Whole(Text(line));
        Assert.Equal((source, destination), (header.Source!.ToString(), header.Destination!.ToString()));
    }

    [Theory]
    [InlineData("PROXY UNKNOWN~")]
    [InlineData("PROXY UNKNOWN ffff:f:f:f:f:f:f:f ffff:f:f:f:f:f:f:f 65535 65535~")]
    [InlineData("PROXY UNKNOWN whatever else~")]
    public void An_unknown_client_leaves_the_connection_as_it_is(string line)
    {
        var header = Whole(Text(line));
        Assert.Null(header.Source);
        Assert.Null(header.Destination);
    }

    [Theory]
    [InlineData("EHLO client.example.org~")]
    [InlineData("PROXYTCP4~")]
    [InlineData("proxy TCP4 192.0.2.1 198.51.100.7 56324 25~")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 56324~")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 56324 25 ~")]
    [InlineData("PROXY  TCP4 192.0.2.1 198.51.100.7 56324 25~")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 56324 65536~")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 056 25~")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 -1 25~")]
    [InlineData("PROXY TCP4 192.0.2.01 198.51.100.7 1 25~")]
    [InlineData("PROXY TCP4 192.0.2 198.51.100.7 1 25~")]
    [InlineData("PROXY TCP4 0x7f000001 198.51.100.7 1 25~")]
    [InlineData("PROXY TCP4 2001:db8::1 2001:db8::2 1 25~")]
    [InlineData("PROXY TCP6 192.0.2.1 198.51.100.7 1 25~")]
    [InlineData("PROXY TCP6 fe80::1%eth0 2001:db8::2 1 25~")]
    [InlineData("PROXY TCP6 [2001:db8::1] 2001:db8::2 1 25~")]
    [InlineData("PROXY UDP4 192.0.2.1 198.51.100.7 1 25~")]
    [InlineData("PROXY ~")]
    public void Anything_else_is_no_header_of_version_1(string line) => Refused(Text(line));

    [Fact]
    public void A_line_of_version_1_has_107_octets_at_most()
    {
        Whole(Text("PROXY UNKNOWN " + new string('x', 91) + "~"));
        Refused(Text("PROXY UNKNOWN " + new string('x', 92) + "~"));
        Assert.Equal(ProxyRead.NeedsMore, ProxyHeader.TryRead(Text("PROXY UNKNOWN " + new string('x', 92)), out _, out _));
        Refused(Text("PROXY UNKNOWN " + new string('x', 93)));
    }

    [Theory]
    [InlineData(0x11, Four, "192.0.2.1:56324", "198.51.100.7:25")]
    [InlineData(0x12, Four, "192.0.2.1:56324", "198.51.100.7:25")]
    [InlineData(0x21, Six, "[2001:db8::1]:56324", "[2001:db8::2]:25")]
    [InlineData(0x21, "00000000000000000000ffffc0000201 00000000000000000000ffffc6336407 dc04 0019", "192.0.2.1:56324", "198.51.100.7:25")]
    [InlineData(0x11, Four + "04 0003 000000", "192.0.2.1:56324", "198.51.100.7:25")]                // NOOP
    [InlineData(0x11, Four + "02 0003 612e62 05 0002 0102 ea 0000", "192.0.2.1:56324", "198.51.100.7:25")] // authority, unique id, one of an owner's own
    public void A_block_of_version_2_names_both_ends(int family, string block, string source, string destination)
    {
        var header = Whole(Binary(0x21, family, block));
        Assert.Equal((source, destination), (header.Source!.ToString(), header.Destination!.ToString()));
    }

    [Theory]
    [InlineData(0x20, 0x00, "")]
    [InlineData(0x20, 0x11, Four)]
    [InlineData(0x20, 0xff, "ff")]       // LOCAL: whatever stands there is thrown away
    [InlineData(0x20, 0x00, "03 00")]
    [InlineData(0x21, 0x00, "")]
    [InlineData(0x21, 0x00, "04 0001 00")]
    public void Local_and_unspecified_leave_the_connection_as_it_is(int command, int family, string block)
    {
        var header = Whole(Binary(command, family, block));
        Assert.Null(header.Source);
        Assert.Null(header.Destination);
    }

    [Theory]
    [InlineData(0x31)]
    [InlineData(0x32)]
    public void A_proxy_that_was_reached_by_a_unix_socket_has_no_address_to_tell(int family) =>
        Assert.Null(Whole(Binary(0x21, family, Convert.ToHexString(new byte[216]))).Source);

    [Theory]
    [InlineData(0x11, 0x11, Four)]          // version 1 in the form of 2
    [InlineData(0x31, 0x11, Four)]
    [InlineData(0x22, 0x11, Four)]          // a command nobody knows
    [InlineData(0x21, 0x13, Four)]          // a transport nobody knows
    [InlineData(0x21, 0x41, Six)]
    [InlineData(0x21, 0x11, "c0000201 c6336407 dc04 00")]
    [InlineData(0x21, 0x21, Four)]
    [InlineData(0x21, 0x31, Six)]
    [InlineData(0x21, 0x11, Four + "04")]
    [InlineData(0x21, 0x11, Four + "04 0002 00")]
    [InlineData(0x21, 0x11, Four + "03 0003 000000")]
    [InlineData(0x21, 0x11, Four + "03 0004 00000000")]
    public void What_is_not_right_in_version_2_is_refused(int command, int family, string block) => Refused(Binary(command, family, block));

    [Fact]
    public void More_than_anybody_needs_is_refused_before_it_is_read()
    {
        Whole(Binary(0x21, 0x11, Four + "04 0fe1" + new string('0', 2 * 0xfe1)));
        Refused(Binary(0x21, 0x11, Four + "04 0fe2" + new string('0', 2 * 0xfe2))[..16]);
    }

    [Fact]
    public void A_checksum_is_looked_at()
    {
        var bytes = Binary(0x21, 0x11, Four + "04 0001 00 03 0004 00000000 04 0001 00");
        var at = 16 + 12 + 4 + 3;
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(at), SlowCrc(bytes));
        Whole(bytes);
        for (var i = 13; i < bytes.Length; i++)
        {
            if (i is 14 or 15 || i == at - 3) continue; // the length, the type: then it is another header
            var wrong = (byte[])bytes.Clone();
            wrong[i] ^= 0x40;
            Assert.NotEqual(ProxyRead.Complete, ProxyHeader.TryRead(wrong, out _, out _));
        }
    }

    // the polynomial of Castagnoli, bit by bit
    static uint SlowCrc(byte[] bytes)
    {
        var crc = 0xffffffffu;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var i = 0; i < 8; i++) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82f63b78u : crc >> 1;
        }
        return ~crc;
    }

    [Theory]
    [InlineData("20 0005 01 00000000", "TLS", "unknown")]
    [InlineData("20 001a 01 00000000 21 0007 544c5376312e33 23 0008 41455332 35362d58", "TLSv1.3", "AES256-X")]
    [InlineData("20 000c 05 00000001 21 0004 610d0a62", "a??b", "unknown")]
    public void The_tls_between_client_and_proxy_is_told(string tlv, string version, string cipher) =>
        Assert.Equal((version, cipher), Whole(Binary(0x21, 0x11, Four + tlv)).Tls);

    [Theory]
    [InlineData("20 0005 00 00000000")]
    [InlineData("20 0001 01")]
    [InlineData("04 0000")]
    public void Without_it_there_is_none(string tlv) => Assert.Null(Whole(Binary(0x21, 0x11, Four + tlv)).Tls);

    [Fact]
    public void A_header_may_come_octet_by_octet()
    {
        foreach (var whole in new[] { Text("PROXY TCP4 192.0.2.1 198.51.100.7 56324 25~"), Text("PROXY UNKNOWN~"), Binary(0x21, 0x21, Six + "04 0003 000000"), Binary(0x20, 0, "") })
        {
            for (var cut = 0; cut < whole.Length; cut++) Assert.Equal(ProxyRead.NeedsMore, ProxyHeader.TryRead(whole.AsSpan(0, cut), out _, out _));
            Assert.Equal(ProxyRead.Complete, ProxyHeader.TryRead(whole, out _, out _));
        }
    }

    [Fact]
    public void Whatever_comes_the_reader_neither_throws_nor_reads_beyond_nor_changes_its_mind()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        byte[][] seeds = [Text("PROXY TCP4 192.0.2.1 198.51.100.7 56324 25~"), Text("PROXY TCP6 2001:db8::1 ::1 1 2~"), Binary(0x21, 0x11, Four + "04 0001 00 20 0005 01 00000000"), Binary(0x21, 0x21, Six), Binary(0x21, 0x31, new string('0', 432))];
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = (byte[])seeds[random.Next(seeds.Length)].Clone();
            for (var changes = random.Next(4); changes > 0; changes--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (random.Next(3) == 0) bytes = [.. bytes, .. Enumerable.Range(0, random.Next(200)).Select(_ => (byte)random.Next(256))];
            var because = $"seed {seed}, round {round}: {Convert.ToHexString(bytes)}";
            var read = ProxyHeader.TryRead(bytes, out var header, out _);
            Assert.True((read == ProxyRead.Complete) == header is not null, because);
            if (header is not null)
            {
                Assert.True(header.Length <= bytes.Length && header.Length >= 15, because);
                Assert.True(ProxyHeader.TryRead(bytes.AsSpan(0, header.Length), out var again, out _) == ProxyRead.Complete && again == header, because);
            }
            // a beginning that is refused stays refused, whatever follows
            var cut = random.Next(bytes.Length);
            if (ProxyHeader.TryRead(bytes.AsSpan(0, cut), out _, out _) == ProxyRead.Invalid) Assert.True(read == ProxyRead.Invalid, because);
        }
    }
}
