using System.Formats.Asn1;
using System.Text;
using CbaMail.Ldap;
using Xunit;

namespace CbaMail.Tests.Formats.Ldap;

/// <summary>Filters as people write them, and as they go over the wire.</summary>
public class LdapFilterTests
{
    private static string Bytes(string text)
    {
        Assert.True(LdapFilter.TryParse(text, out var filter, out var problem), problem);
        var writer = new AsnWriter(AsnEncodingRules.BER);
        filter.Write(writer);
        return Convert.ToHexString(writer.Encode());
    }

    private static string Hex(string ascii) => Convert.ToHexString(Encoding.UTF8.GetBytes(ascii));

    [Fact]
    public void Each_kind_has_its_form()
    {
        Assert.Equal("A308" + "0402" + Hex("cn") + "0402" + Hex("ab"), Bytes("(cn=ab)"));
        Assert.Equal("8702" + Hex("cn"), Bytes("(cn=*)"));
        Assert.Equal("A508" + "0402" + Hex("cn") + "0402" + Hex("ab"), Bytes("(cn>=ab)"));
        Assert.Equal("A608" + "0402" + Hex("cn") + "0402" + Hex("ab"), Bytes("(cn<=ab)"));
        Assert.Equal("A808" + "0402" + Hex("cn") + "0402" + Hex("ab"), Bytes("(cn~=ab)"));
        Assert.Equal("A40F" + "0402" + Hex("cn") + "3009" + "8001" + Hex("a") + "8101" + Hex("b") + "8201" + Hex("c"), Bytes("(cn=a*b*c)"));
        Assert.Equal("A207" + "A305" + "0401" + Hex("a") + "0400", Bytes("(!(a=))"));
        Assert.Equal("A008" + "8702" + Hex("cn") + "8702" + Hex("sn"), Bytes("(&(cn=*)(sn=*))"));
        Assert.Equal("A10A" + "A008" + "8702" + Hex("cn") + "8702" + Hex("sn"), Bytes("(|(&(cn=*)(sn=*)))"));
    }

    [Fact]
    public void A_matching_rule_stands_before_its_attribute() =>
        Assert.Equal("A90C" + "8103" + Hex("1.2") + "8202" + Hex("ab") + "8301" + Hex("2"), Bytes("(ab:1.2:=2)"));

    [Fact]
    public void Escaped_bytes_are_values() // RFC 4515 4
    {
        Assert.Equal("A308" + "0401" + Hex("o") + "0403" + Hex("a(b"), Bytes("(o=a\\28b)"));
        Assert.Equal("A30C" + "0403" + Hex("bin") + "0405" + "0001FF2A5C", Bytes("(bin=\\00\\01\\ff\\2a\\5c)"));
        Assert.Equal("A30A" + "0402" + Hex("sn") + "0404" + Hex("Лё"), Bytes("(sn=Лё)"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("cn=a")]
    [InlineData("(cn=a")]
    [InlineData("(cn=a))")]
    [InlineData("(cn)")]
    [InlineData("()")]
    [InlineData("(&)")]
    [InlineData("(!(a=b)(c=d))")]
    [InlineData("(cn=a(b)")]
    [InlineData("(cn=\\2)")]
    [InlineData("(cn=\\zz)")]
    [InlineData("(c n=a)")]
    [InlineData("(cn=a**b)")]
    [InlineData("(:=a)")]
    public void What_is_no_filter_is_refused_with_its_place(string text)
    {
        Assert.False(LdapFilter.TryParse(text, out _, out var problem));
        Assert.Matches(" at character [0-9]+$", problem);
    }

    [Fact]
    public void Depth_and_length_are_bounded()
    {
        Assert.False(LdapFilter.TryParse(string.Concat(Enumerable.Repeat("(!", 1000)) + "(a=b)" + new string(')', 1000), out _, out _));
        Assert.False(LdapFilter.TryParse("(a=" + new string('b', LdapFilter.Longest) + ")", out _, out _));
    }

    public static TheoryData<string> Hostile => ["*", ")(uid=*", "a*b", "\\2a", "a\0b", "(|(objectClass=*))", "Müller (IT)", "\ud83d\ude00", "a\\", "x)(|(cn=*)"];

    [Theory]
    [MemberData(nameof(Hostile))]
    public void Whatever_a_name_holds_stays_one_value(string value)
    {
        Assert.True(LdapFilter.TryParse($"(uid={LdapFilter.Escape(value)})", out var filter, out var problem), problem);
        var writer = new AsnWriter(AsnEncodingRules.BER);
        filter.Write(writer);
        var item = new AsnReader(writer.Encode(), AsnEncodingRules.BER).ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 3, true));
        Assert.Equal("uid", Encoding.UTF8.GetString(item.ReadOctetString()));
        Assert.Equal(value, Encoding.UTF8.GetString(item.ReadOctetString()));
        Assert.False(item.HasData);
    }

    [Theory]
    [MemberData(nameof(Hostile))]
    [InlineData(" Anna, the first; \"=+<>#")]
    [InlineData("#1 ")]
    public void Whatever_a_part_of_a_name_holds_stays_one_part(string value)
    {
        var name = $"cn={LdapName.Escape(value)},dc=example";
        Assert.Equal(value.Trim(), LdapName.FirstValue(name));
        Assert.True(LdapName.IsBelow(name, "DC=Example"));
    }

    [Fact]
    public void Names_are_compared_without_case_and_spaces()
    {
        Assert.Equal("Staff, all", LdapName.FirstValue("CN=Staff\\, all,OU=Groups,DC=x"));
        Assert.Equal("Лё", LdapName.FirstValue("cn=\\d0\\9b\\d1\\91,dc=x"));
        Assert.Null(LdapName.FirstValue("nonsense"));
        Assert.True(LdapName.IsBelow("cn=a, OU=People , dc=X", "ou=people,DC=x"));
        Assert.False(LdapName.IsBelow("cn=a,ou=otherpeople,dc=x", "people,dc=x"));
        Assert.False(LdapName.IsBelow("cn=a,dc=y", "dc=x"));
    }
}
