using System.Net;
using CbaMail.Inbound;
using Xunit;

namespace CbaMail.Tests.Server.Inbound;

/// <summary>Which addresses are one client: those of an organisation's servers, never those of a provider's lines.</summary>
public class PoolNameTests
{
    [Theory]
    [InlineData("209.85.128.45", "mail-wm1-f45.google.com", "google.com")]
    [InlineData("40.107.22.81", "mail-am6eur05on2081.outbound.protection.outlook.com", "outlook.com")]
    [InlineData("192.0.2.5", "mx.school.example", "school.example")]
    [InlineData("192.0.2.5", "smtp3.mail.company.co.uk", "company.co.uk")]
    [InlineData("77.88.28.100", "forward100.mail.yandex.net", "yandex.net")]
    [InlineData("2a00:1450:4864:20::32c", "mail-wm1-x32c.google.com", "google.com")]
    public void A_server_is_its_organisations(string address, string name, string pool) => Assert.Equal(pool, PoolName.Of(IPAddress.Parse(address), name));

    [Theory]
    [InlineData("203.0.113.77", null, "203.0.113.0/24")]
    [InlineData("203.0.113.77", "77-113-0-203.dsl.provider.example", "203.0.113.0/24")]
    [InlineData("203.0.113.77", "ip203-0-113-77.provider.example", "203.0.113.0/24")]
    [InlineData("203.0.113.77", "host77.113.provider.example", "203.0.113.0/24")]
    [InlineData("203.0.113.77", "cb00714d.provider.example", "203.0.113.0/24")]
    [InlineData("203.0.113.77", "dyn-1.provider.example", "203.0.113.0/24")]
    [InlineData("203.0.113.77", "abc.pool3.provider.example", "203.0.113.0/24")]
    [InlineData("203.0.113.77", "localhost", "203.0.113.0/24")]
    [InlineData("2001:db8:1:2::3", null, "2001:db8:1::/48")]
    [InlineData("2001:db8:1:2:a:b:c:d", "2001-0db8-0001-0002-000a-000b-000c-000d.v6.provider.example", "2001:db8:1::/48")]
    public void A_line_is_its_network(string address, string? name, string pool) => Assert.Equal(pool, PoolName.Of(IPAddress.Parse(address), name));

    [Theory]
    [InlineData("mail.example.org", "Name")]
    [InlineData("mail.example.org.", "Name")]
    [InlineData("xn--e1afmkfd.xn--p1ai", "Name")]
    [InlineData("[192.0.2.1]", "Literal")]
    [InlineData("[IPv6:2001:db8::1]", "Literal")]
    [InlineData("[2001:db8::1]", "NoName")]
    [InlineData("[x]", "NoName")]
    [InlineData("192.0.2.1", "NoName")]
    [InlineData("2001:db8::1", "NoName")]
    [InlineData("localhost", "NoName")]
    [InlineData("WIN-ABC123", "NoName")]
    [InlineData("a..b", "NoName")]
    [InlineData("-a.example", "NoName")]
    [InlineData("host.1", "NoName")]
    public void A_greeting_is_a_name_a_literal_or_neither(string hello, string kind) => Assert.Equal(kind, HelloName.Of(hello).ToString());

    [Theory]
    [InlineData("mail.ours.example", true)]
    [InlineData("MAIL.ours.example.", true)]
    [InlineData("[198.51.100.25]", true)]
    [InlineData("198.51.100.25", true)]
    [InlineData("[203.0.113.77]", false)]
    [InlineData("other.ours.example", false)]
    public void Our_own_name_and_address_are_known(string hello, bool ours) =>
        Assert.Equal(ours, HelloName.IsOurs(hello, "mail.ours.example", IPAddress.Parse("198.51.100.25"), IPAddress.Parse("203.0.113.77")));
}
