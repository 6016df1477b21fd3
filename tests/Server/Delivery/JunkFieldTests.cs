using CbaMail.Delivery;
using CbaMail.Mime;
using CbaMail.Text;
using Xunit;

namespace CbaMail.Tests.Server.Delivery;

/// <summary>The reason that stands on mail in Junk.</summary>
public class JunkFieldTests
{
    [Theory]
    [InlineData("junk by AuthenticationCheck: shop.test disowns it by DMARC")]
    [InlineData("quarantine by Hook школа: не по правилам; junk by Milter: a \u0001 b")]
    [InlineData("")]
    public void It_is_one_field_that_reads_as_it_was_said(string verdict)
    {
        var field = JunkField.Write(verdict);
        var one = Assert.Single(HeaderList.Parse(System.Text.Encoding.ASCII.GetBytes(field + "\r\n")).All(JunkField.Name));
        Assert.Equal(verdict.Length == 0 ? "not said" : LineFolding.Squeeze(verdict), EncodedWord.Decode(LineFolding.Unfold(one.Raw.Span)).Trim());
        Assert.All(field.Split("\r\n"), line => Assert.InRange(line.Length, 0, 98));
    }

    [Fact]
    public void A_stranger_cannot_write_fields_by_it()
    {
        var field = JunkField.Write("x\r\nBcc: y\r\n\r\nbody " + new string('z', 5000));
        Assert.InRange(field.Length, 1, 700);
        Assert.DoesNotContain("\nBcc", field, StringComparison.Ordinal);
        Assert.DoesNotContain("\r\n\r\n", field, StringComparison.Ordinal);
    }
}
