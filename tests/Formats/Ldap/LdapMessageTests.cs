using System.Text;
using CbaMail.Ldap;
using Xunit;

namespace CbaMail.Tests.Formats.Ldap;

/// <summary>Messages of LDAP as bytes.</summary>
public class LdapMessageTests
{
    [Fact]
    public void A_bind_is_written_as_others_write_it() =>
        Assert.Equal("300C020101600702010304008000", Convert.ToHexString(LdapMessage.Bind(1, "", "")));

    [Fact]
    public void Start_TLS_is_written_as_others_write_it() =>
        Assert.Equal("301D02010177188016312E332E362E312E342E312E313436362E3230303337", Convert.ToHexString(LdapMessage.StartTls(1)));

    [Fact]
    public void Lengths_of_more_bytes_than_needed_are_read() // Active Directory writes them so
    {
        var bytes = Convert.FromHexString("308400000010020101618400000007" + "0A010004000400");
        Assert.True(LdapMessage.TryMeasure(bytes, out var length));
        Assert.Equal(bytes.Length, length);
        Assert.True(LdapMessage.TryRead(bytes, out var answer));
        Assert.Equal((1, LdapAnswerKind.Bind, 0), (answer.Id, answer.Kind, answer.Result!.Code));
    }

    [Fact]
    public void The_cookie_of_a_page_is_found()
    {
        // SearchResultDone with the control of RFC 2696: size 0, cookie 0102
        var value = "30060201000401" + "07"; // 30 06 02 01 00 04 01 07
        var control = "3022" + "0416" + Convert.ToHexString("1.2.840.113556.1.4.319"u8) + "0408" + value;
        var body = "020105" + "65070A010004000400" + "A024" + control;
        var bytes = Convert.FromHexString("30" + (body.Length / 2).ToString("X2", null) + body);
        Assert.True(LdapMessage.TryRead(bytes, out var answer));
        Assert.Equal([7], answer.Cookie);
    }

    [Fact]
    public void What_is_no_message_is_refused()
    {
        Assert.False(LdapMessage.TryMeasure([0x16, 0x03], out _));
        Assert.False(LdapMessage.TryMeasure([0x30, 0x80], out _)); // indefinite
        Assert.Null(LdapMessage.TryMeasure([0x30, 0x82, 1], out _));
        Assert.False(LdapMessage.TryRead(Convert.FromHexString("3003020101"), out _));
        Assert.False(LdapMessage.TryRead(Convert.FromHexString("30050201FF6100"), out _));
    }

    [Fact]
    public void No_bytes_make_it_throw()
    {
        var whole = Convert.FromHexString("301B02010264160402636E3010300E0402636E3108040261620402636400".Replace("1B", "1A", StringComparison.Ordinal)[..56]);
        var random = new Random(1);
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = (byte[])whole.Clone();
            for (var n = random.Next(1, 5); n > 0; n--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            LdapMessage.TryRead(bytes.AsMemory(0, random.Next(bytes.Length + 1)), out _);
            LdapMessage.TryMeasure(bytes, out _);
        }
    }

    [Fact]
    public void An_attribute_that_is_given_in_parts_is_put_together()
    {
        static LdapEntry Entry(string attribute, params string[] values) => new("cn=g", new Dictionary<string, IReadOnlyList<byte[]>> { ["member"] = [], [attribute] = [.. values.Select(Encoding.UTF8.GetBytes)] });
        var entry = Entry("member;range=0-1", "a", "b");
        Assert.Equal(("member", 2), entry.Ranged);
        Assert.False(entry.TryAppend("member", Entry("member;range=3-4", "x", "y"))); // a hole
        Assert.True(entry.TryAppend("member", Entry("member;Range=2-3", "c", "d")));
        Assert.Equal(("member", 4), entry.Ranged);
        Assert.True(entry.TryAppend("member", Entry("member;range=4-*", "e")));
        Assert.Null(entry.Ranged);
        Assert.Equal(["a", "b", "c", "d", "e"], entry.Texts("Member"));
    }
}
