using System.Buffers;
using System.Text;
using CbaMail.Mime;
using Xunit;

namespace CbaMail.Tests.Formats.Mime;

public class ReportBuilderTests
{
    static readonly DateTimeOffset Noon = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    static (byte[] Message, MimePart Root) Write(ReportBuilder builder)
    {
        var output = new ArrayBufferWriter<byte>();
        builder.WriteTo(output);
        return (output.WrittenSpan.ToArray(), MimeTree.Parse(output.WrittenSpan));
    }

    static ReportBuilder Bounce(string recipient) => new()
    {
        From = ("Mail system", "postmaster@mail.example.test"),
        To = ("", "ivan@example.test"),
        Subject = "Не доставлено: Привет",
        Date = Noon,
        MessageId = "b1@mail.example.test",
        Text = "The message could not be delivered.",
        Status = new DeliveryStatus("mail.example.test",
        [
            new RecipientStatus(recipient, "failed", "5.1.1")
            {
                OriginalRecipient = "rfc822;" + "old@example.test", RemoteMta = "mx.far.test", LastAttempt = Noon, FinalLogId = "q1",
                DiagnosticCode = "550 5.1.1 no such user " + string.Join(" ", Enumerable.Repeat("really", 30)), WillRetryUntil = Noon.AddDays(1),
            },
            new RecipientStatus("second@far.test", "delayed", "4.4.1"),
        ])
        { OriginalEnvelopeId = "e+3D1", ReceivedFromMta = "client.test", ArrivalDate = Noon.AddHours(-1) },
        Original = "Subject: x\r\nMessage-ID: <o@x>\r\n\r\nbody"u8.ToArray(),
    };

    [Fact]
    public void A_bounce_has_three_parts_that_machines_read()
    {
        var builder = Bounce("nobody@far.test");
        var (message, root) = Write(builder);
        MessageBuilderTests.AssertLegal(message);
        Assert.Equal("multipart/report(text/plain message/delivery-status text/rfc822-headers)", MimeTreeTests.Shape(root));
        Assert.Equal("delivery-status", MimePart.Parameter(root.Parameters, "report-type"));
        Assert.Equal(builder.Status, DeliveryStatus.Parse(ContentDecoder.Bytes(message, root.Children[1])));
        Assert.Equal("Subject: x\r\nMessage-ID: <o@x>\r\n\r\n", Encoding.ASCII.GetString(ContentDecoder.Bytes(message, root.Children[2])));
        var header = HeaderList.Parse(message);
        Assert.Equal("auto-replied", header.Value("Auto-Submitted"));
        Assert.Equal("<o@x>", header.Value("In-Reply-To"));
        Assert.Equal(builder.Subject, header.Value("Subject"));
    }

    [Fact]
    public void The_whole_original_may_be_returned()
    {
        var builder = Bounce("nobody@far.test");
        builder.ReturnFull = true;
        var (_, root) = Write(builder);
        Assert.Equal("multipart/report(text/plain message/delivery-status message/rfc822(text/plain))", MimeTreeTests.Shape(root));
    }

    // RFC 6533 3
    [Fact]
    public void Addresses_that_are_not_ASCII_take_the_global_form()
    {
        var builder = Bounce("иван@пример.рф");
        var (message, root) = Write(builder);
        Assert.Equal("global-delivery-status", root.Children[1].Subtype);
        Assert.Equal(builder.Status, DeliveryStatus.Parse(ContentDecoder.Bytes(message, root.Children[1])));
    }
}
