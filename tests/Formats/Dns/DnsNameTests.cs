using System.Net;
using System.Text;
using CbaMail.Dns;
using Xunit;

namespace CbaMail.Tests.Formats.Dns;

public class DnsNameTests
{
    static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);

    [Theory]
    [InlineData(".")]
    [InlineData("example.test")]
    [InlineData("_25._tcp.mx.example.test")]
    [InlineData("a\\.b.test")]
    [InlineData("\\000\\255\\032.test")]
    public void Text_survives_the_wire(string name)
    {
        Assert.True(DnsName.TryEncode(name, out var wire));
        var at = 0;
        Assert.True(DnsName.TryRead(wire, ref at, out var read));
        Assert.Equal((name, wire.Length), (read, at));
    }

    [Fact]
    public void A_final_dot_is_allowed()
    {
        Assert.True(DnsName.TryEncode("example.test.", out var wire));
        Assert.Equal(Bytes("\u0007example\u0004test\0"), wire);
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData(".a")]
    [InlineData("a..b")]
    [InlineData("a\\")]
    [InlineData("a\\25")]
    [InlineData("a\\999")]
    [InlineData("пример.рф")]
    public void Refuses_what_is_no_name(string name) => Assert.False(DnsName.TryEncode(name, out _));

    [Fact]
    public void Labels_have_63_octets_and_names_255()
    {
        Assert.True(DnsName.TryEncode(new string('a', 63), out _));
        Assert.False(DnsName.TryEncode(new string('a', 64), out _));
        var label = new string('a', 63);
        Assert.True(DnsName.TryEncode($"{label}.{label}.{label}.{label[..61]}", out var longest));
        Assert.Equal(255, longest.Length);
        Assert.False(DnsName.TryEncode($"{label}.{label}.{label}.{label[..62]}", out _));
    }

    [Fact]
    public void Follows_pointers_backwards()
    {
        var wire = Bytes("\u0004test\0\u0001a\u00c0\0\u0001b\u00c0\u0006");
        var at = 10;
        Assert.True(DnsName.TryRead(wire, ref at, out var name));
        Assert.Equal(("b.a.test", wire.Length), (name, at));
    }

    [Theory]
    [InlineData("\u00c0\0", 0)] // to itself
    [InlineData("\u0001a\u00c0\0", 0)] // a loop
    [InlineData("\u00c0\u0002\u0001a\0", 0)] // forward
    [InlineData("\u00c0\u0002\u00c0\0", 2)] // two that point at each other
    [InlineData("\u0005ab", 0)] // ends early
    [InlineData("\u00c0", 0)]
    [InlineData("\u0040a\0", 0)] // a label type that is out of use
    [InlineData("", 0)]
    public void Refuses_broken_names(string wire, int at) => Assert.False(DnsName.TryRead(Bytes(wire), ref at, out _));

    [Fact]
    public void A_chain_of_pointers_ends()
    {
        var wire = new byte[2 + 2 * 5000];
        for (var i = 1; i <= 5000; i++) (wire[2 * i], wire[2 * i + 1]) = ((byte)(0xc0 | (2 * i - 2) >> 8), (byte)(2 * i - 2));
        var at = wire.Length - 2;
        Assert.False(DnsName.TryRead(wire, ref at, out _));
    }

    [Fact]
    public void Case_and_the_final_dot_do_not_count() => Assert.True(DnsName.Same("Example.TEST.", "example.test"));

    [Theory]
    [InlineData("192.0.2.1", "1.2.0.192.in-addr.arpa")]
    [InlineData("::ffff:192.0.2.1", "1.2.0.192.in-addr.arpa")]
    [InlineData("2001:db8::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa")]
    public void Addresses_have_names(string address, string name) => Assert.Equal(name, DnsName.Reverse(IPAddress.Parse(address)));
}
