using System.Text;
using CbaMail.Mime;
using Xunit;

namespace CbaMail.Tests.Formats.Mime;

/// <summary>RFC 8474 5.2: what belongs together has one number, found in the header alone.</summary>
public sealed class ThreadRootTests
{
    static long Of(string header) => ThreadRoot.Of(Encoding.UTF8.GetBytes(header + "\r\nbody\r\n"));

    [Fact]
    public void A_conversation_is_known_by_its_first_message()
    {
        var first = Of("Message-ID: <a@x>\r\n");
        Assert.True(first > 0);
        Assert.Equal(first, Of("Message-ID: <b@x>\r\nIn-Reply-To: <a@x>\r\n"));
        Assert.Equal(first, Of("References: <a@x>\r\n <b@x>\r\n\t<c@x>\r\nMessage-ID: <d@x>\r\nIn-Reply-To: <c@x>\r\n"));
        Assert.Equal(first, Of("In-Reply-To: Your message of Monday <a@x>\r\n"));
        Assert.NotEqual(first, Of("Message-ID: <b@x>\r\n"));
        Assert.NotEqual(first, Of("Message-ID: <A@x>\r\n"));
    }

    [Theory]
    [InlineData("Subject: nothing\r\n")]
    [InlineData("Message-ID:\r\n")]
    [InlineData("References: <>\r\n")]
    public void A_header_that_names_none_has_no_number(string header) => Assert.Equal(0, Of(header));

    [Fact]
    public void A_long_list_is_not_read_to_its_end() =>
        Assert.Equal(Of("Message-ID: <a@x>\r\n"), Of("References: <a@x>" + string.Concat(Enumerable.Repeat("\r\n <b@x>", 10_000)) + "\r\n"));
}
