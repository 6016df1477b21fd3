using System.Text;
using CbaMail.Delivery;
using CbaMail.Envelope;
using CbaMail.Mime;
using CbaMail.Queue;
using Xunit;

namespace CbaMail.Tests.Server.Delivery;

public class BounceTests
{
    static readonly DateTimeOffset Now = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    static MailAddress Address(string text) => MailAddress.TryParse(text, out var address) ? address : throw new ArgumentException(text);

    static QueuedMessage Message(string? envelopeId = null, string from = "anna@example.test") =>
        new(17, Address(from), 1, 100, null, envelopeId, false, false, MailClass.Interactive, Now.AddHours(-5), Now.AddDays(5));

    static RecipientOutcome Outcome(string to, string reply = "550 5.1.1 no such person", string status = "5.1.1", string host = "mx.peer.test[192.0.2.1]:25", string? original = null) =>
        new(new QueuedRecipient(17, 0, Address(to), "peer.test", null, original, null, 0, false), OutcomeState.Bounced, reply, status, host, null, Now);

    static string Write(NoticeKind kind, string original, bool whole, QueuedMessage? message = null, params RecipientOutcome[] outcomes) =>
        Encoding.UTF8.GetString(Bounce.Write(new Notice(kind, message ?? Message(), outcomes.Length > 0 ? outcomes : [Outcome("ivan@peer.test")], "mail.example.test", "abc123", Now, Encoding.UTF8.GetBytes(original), whole)));

    const string Header = "Subject: hi\r\nMessage-ID: <1@example.test>\r\n";

    [Fact]
    public void A_bounce_is_a_report_of_three_parts()
    {
        var text = Write(NoticeKind.Failed, Header + "\r\nbody\r\n", whole: true);
        var root = MimeTree.Parse(Encoding.UTF8.GetBytes(text));
        Assert.Equal(("multipart", "report", "delivery-status"), (root.Type, root.Subtype, MimePart.Parameter(root.Parameters, "report-type")));
        Assert.Equal(["text/plain", "message/delivery-status", "message/rfc822"], root.Children.Select(part => $"{part.Type}/{part.Subtype}"));
        var status = text.Substring((int)root.Children[1].BodyOffset, (int)root.Children[1].BodyLength);
        Assert.Equal("""
            Reporting-MTA: dns; mail.example.test
            Arrival-Date: Mon, 2 Mar 2026 04:00:00 +0000

            Final-Recipient: rfc822; ivan@peer.test
            Action: failed
            Status: 5.1.1
            Remote-MTA: dns; mx.peer.test
            Diagnostic-Code: smtp; 550 5.1.1 no such person
            Last-Attempt-Date: Mon, 2 Mar 2026 09:00:00 +0000
            Final-Log-ID: 17

            """.ReplaceLineEndings("\r\n"), status);
        Assert.Contains("\r\nAuto-Submitted: auto-replied\r\n", text);
        Assert.Contains("\r\nIn-Reply-To: <1@example.test>\r\n", text);
        Assert.All(text.Split("\r\n"), line => Assert.True(line.Length <= 998));
        Assert.DoesNotContain('\n', text.Replace("\r\n", ""));
    }

    [Theory]
    [InlineData("Message-ID:\r\n <1@example.test>\r\n", "<1@example.test>")]
    [InlineData("message-id : <2@example.test>\r\n", "<2@example.test>")]
    [InlineData("Message-ID: no id\r\n", null)]
    [InlineData("Message-ID: <3@x>\r\n <4@x>\r\n", "<3@x>")]
    [InlineData("Subject: x\r\n\r\nMessage-ID: <5@x>\r\n", null)]
    public void It_answers_the_message_that_it_speaks_of(string header, string? id)
    {
        var text = Write(NoticeKind.Failed, header, whole: true);
        if (id is null) Assert.DoesNotContain("In-Reply-To:", text);
        else Assert.Contains($"\r\nIn-Reply-To: {id}\r\nReferences: {id}\r\n", text);
    }

    [Fact]
    public void It_speaks_Russian_and_English()
    {
        var text = Write(NoticeKind.Failed, Header, whole: false);
        var bytes = Encoding.UTF8.GetBytes(text);
        var words = ContentDecoder.Text(bytes, MimeTree.Parse(bytes).Children[0]);
        Assert.Contains("не удалось доставить", words);
        Assert.Contains("could not be delivered", words);
        Assert.Contains("550 5.1.1 no such person", words);
        Assert.Contains("Такого адреса нет", words);
        Assert.Contains("There is no such address", words);
    }

    [Theory]
    [InlineData("552 5.2.2 mailbox full", "The recipient's mailbox is full")]
    [InlineData("550 5.7.1 blocked", "Show this notice to your mail administrator")]
    [InlineData("552 5.3.4 message too large", "Send it shorter")]
    [InlineData("Given up after 5 days; last: 451 4.3.0 busy", "Send the message again later")]
    [InlineData("554 no", "The server's reply names the reason")]
    [InlineData("556 5.1.10 nullMX", "There is no such domain")]
    public void It_says_what_to_do(string reply, string advice)
    {
        var bytes = Encoding.UTF8.GetBytes(Write(NoticeKind.Failed, Header, whole: false, null, Outcome("ivan@peer.test", reply, "5.0.0")));
        Assert.Contains(advice, ContentDecoder.Text(bytes, MimeTree.Parse(bytes).Children[0]));
    }

    [Fact]
    public void What_we_write_we_read()
    {
        var report = BounceReader.Read(Encoding.UTF8.GetBytes(Write(NoticeKind.Failed, Header, whole: true)), fromNobody: true);
        Assert.Equal((BounceForm.Report, "1@example.test", BounceCause.Dead), (report.Form, report.OriginalMessageId, Assert.Single(report.Recipients).Verdict.Cause));
    }

    [Fact]
    public void Header_fields_alone_are_returned_as_such()
    {
        var text = Write(NoticeKind.Delayed, Header, whole: false);
        Assert.Contains("Content-Type: text/rfc822-headers\r\n\r\n" + Header, text);
        Assert.Contains("\r\nAction: delayed\r\n", text);
        Assert.Contains("\r\nWill-Retry-Until: Sat, 7 Mar 2026 09:00:00 +0000\r\n", text);
    }

    [Fact]
    public void What_the_sender_gave_comes_back_decoded()
    {
        var text = Write(NoticeKind.Relayed, Header, false, Message("QQ+2B1"), Outcome("ivan@peer.test", "250 ok", "2.0.0", original: "rfc822;i+2Bx@old.test"));
        Assert.Contains("\r\nOriginal-Envelope-Id: QQ+1\r\n", text);
        Assert.Contains("\r\nOriginal-Recipient: rfc822; i+x@old.test\r\nFinal-Recipient: rfc822; ivan@peer.test\r\nAction: relayed\r\n", text);
    }

    [Fact]
    public void Nothing_given_can_add_a_field()
    {
        var text = Write(NoticeKind.Failed, Header, false, Message("a+0D+0AAction:+20x"), Outcome("ivan@peer.test", "550 " + new string('x', 5000), original: "rfc822;a+0D+0AEvil:+20x"));
        Assert.DoesNotContain("\nEvil:", text);
        Assert.Single(text.Split("\r\n"), line => line.StartsWith("Action:", StringComparison.Ordinal));
        Assert.All(text.Split("\r\n"), line => Assert.True(line.Length <= 998));
    }

    [Fact]
    public void Our_own_findings_are_not_put_into_the_peers_mouth() =>
        Assert.Contains("\r\nDiagnostic-Code: x-cbamail; The domain peer.test does not exist\r\n",
            Write(NoticeKind.Failed, Header, false, null, Outcome("ivan@peer.test", "The domain peer.test does not exist", "5.1.2", "")));

    [Fact]
    public void International_addresses_make_an_international_report()
    {
        var text = Write(NoticeKind.Failed, "Subject: привет\r\n\r\nтекст\r\n", true, null, Outcome("иван@пример.рф"));
        Assert.Contains("Content-Type: message/global-delivery-status\r\n", text);
        Assert.Contains("Final-Recipient: utf-8; иван@пример.рф", text);
        Assert.Contains("Content-Type: message/global\r\nContent-Transfer-Encoding: 8bit\r\n", text);
    }
}
