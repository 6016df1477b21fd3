using System.Text;
using CbaMail.Envelope;
using CbaMail.Mime;
using Xunit;

namespace CbaMail.Tests.Formats.Mime;

public class BounceReaderTests
{
    static BounceReport Read(string message, bool fromNobody = true) => BounceReader.Read(Encoding.UTF8.GetBytes(message.ReplaceLineEndings("\r\n")), fromNobody);

    static (string, string, BounceCause) Only(BounceReport report)
    {
        var one = Assert.Single(report.Recipients);
        return (one.Address, one.Action, one.Verdict.Cause);
    }

    const string Postfix = """
        From: MAILER-DAEMON@mx.example.org (Mail Delivery System)
        To: bounce+abc@example.test
        Subject: Undelivered Mail Returned to Sender
        Auto-Submitted: auto-replied
        MIME-Version: 1.0
        Content-Type: multipart/report; report-type=delivery-status; boundary="b"

        --b
        Content-Type: text/plain; charset=us-ascii

        This is the mail system at host mx.example.org.

        <nobody@peer.test>: host mail.peer.test[192.0.2.1] said: 550 5.1.1 User unknown

        --b
        Content-Type: message/delivery-status

        Reporting-MTA: dns; mx.example.org
        X-Postfix-Queue-ID: 12345

        Final-Recipient: rfc822; nobody@peer.test
        Original-Recipient: rfc822;nobody@peer.test
        Action: ACTION
        Status: 5.1.1
        Remote-MTA: dns; mail.peer.test
        Diagnostic-Code: smtp; 550 5.1.1 User unknown

        --b
        Content-Type: message/rfc822

        Message-ID: <m1@example.test>
        Subject: hello

        text
        --b--
        """;

    [Fact]
    public void AReportOfPostfixIsRead()
    {
        var report = Read(Postfix.Replace("ACTION", "failed"));
        Assert.Equal(BounceForm.Report, report.Form);
        Assert.Equal("m1@example.test", report.OriginalMessageId);
        Assert.Equal(("nobody@peer.test", "failed", BounceCause.Dead), Only(report));
        Assert.Equal("550 5.1.1 User unknown", report.Recipients[0].Reply);
    }

    [Fact]
    public void ANoticeOfDelayIsNoFailure() => Assert.Equal("delayed", Only(Read(Postfix.Replace("ACTION", "delayed"))).Item2);

    [Fact]
    public void GmailSaysItInTheDiagnostic() => Assert.Equal(("someone@gmail.com", "failed", BounceCause.Full), Only(Read("""
        From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>
        Subject: Delivery Status Notification (Failure)
        MIME-Version: 1.0
        Content-Type: multipart/report; boundary="x"; report-type=delivery-status

        --x
        Content-Type: text/plain; charset="UTF-8"

        ** Message blocked **

        --x
        Content-Type: message/delivery-status

        Reporting-MTA: dns; googlemail.com

        Final-Recipient: rfc822; someone@gmail.com
        Action: failed
        Status: 5.0.0
        Diagnostic-Code: smtp; 552-5.2.2 The email account that you tried to reach is over quota. Please direct
         552-5.2.2 the recipient to
         552 5.2.2  https://support.google.com/mail/?p=OverQuotaPerm

        --x
        Content-Type: message/rfc822

        Subject: s

        --x--
        """)));

    [Fact]
    public void ExchangeSaysItInTheText() => Assert.Equal(("gone@corp.test", "failed", BounceCause.Dead), Only(Read("""
        From: postmaster@corp.test
        Subject: Undeliverable: news
        MIME-Version: 1.0
        Content-Type: multipart/report; boundary="x"; report-type=delivery-status

        --x
        Content-Type: text/html; charset="utf-8"

        <html><body><p>Delivery has failed to these recipients or groups:</p><p><a href="mailto:gone@corp.test">gone@corp.test</a><br>
        The email address you entered couldn't be found. The recipient address was not found: no such user</p></body></html>
        --x
        Content-Type: message/delivery-status

        Reporting-MTA: dns;mail.corp.test

        Final-Recipient: rfc822;gone@corp.test
        Action: failed
        Status: 5.0.0

        --x--
        """)));

    [Fact]
    public void QmailHasOnlyWords()
    {
        var report = Read("""
            From: MAILER-DAEMON@mail.peer.test
            To: anna@example.test
            Subject: failure notice

            Hi. This is the qmail-send program at mail.peer.test.
            I'm afraid I wasn't able to deliver your message to the following addresses.
            This is a permanent error; I've given up. Sorry it didn't work out.

            <nobody@peer.test>:
            Sorry, no mailbox here by that name. (#5.1.1)

            <full@peer.test>:
            The users mailfolder is over the allowed quota (size). (#5.2.2)

            --- Below this line is a copy of the message.

            Return-Path: <anna@example.test>
            Message-ID: <orig@example.test>
            Subject: spam, blocked, policy

            text
            """);
        Assert.Equal(BounceForm.Words, report.Form);
        Assert.Equal("orig@example.test", report.OriginalMessageId);
        Assert.Equal([("nobody@peer.test", BounceCause.Dead), ("full@peer.test", BounceCause.Full)], report.Recipients.Select(r => (r.Address, r.Verdict.Cause)));
    }

    [Fact]
    public void EximNamesTheFailedInAField() => Assert.Equal(("nobody@peer.test", "failed", BounceCause.Dead), Only(Read("""
        From: Mail Delivery System <Mailer-Daemon@peer.test>
        X-Failed-Recipients: nobody@peer.test
        Auto-Submitted: auto-replied
        Subject: Mail delivery failed: returning message to sender

        This message was created automatically by mail delivery software.

        A message that you sent could not be delivered to one or more of its
        recipients. This is a permanent error. The following address(es) failed:

          nobody@peer.test
            Unrouteable address

        ------ This is a copy of the message, including all the headers. ------

        Subject: x
        """)));

    [Fact]
    public void EximWarnsOfADelay() => Assert.Equal("delayed", Only(Read("""
        From: Mail Delivery System <Mailer-Daemon@peer.test>
        Subject: Warning: message 1abc-0001 delayed 24 hours

        A message that you sent has not yet been delivered to:

          slow@peer.test
            Delay reason: connection timed out
        """)).Item2);

    [Fact]
    public void MailRuWritesInRussian() => Assert.Equal(("ivan@mail.ru", "failed", BounceCause.Dead), Only(Read("""
        From: mailer-daemon@corp.mail.ru
        Subject: =?UTF-8?B?0J/QuNGB0YzQvNC+INC90LUg0LTQvtGB0YLQsNCy0LvQtdC90L4=?=
        MIME-Version: 1.0
        Content-Type: text/plain; charset=utf-8
        Content-Transfer-Encoding: 8bit

        Это письмо создано автоматически сервером Mail.Ru, отвечать на него не нужно.

        К сожалению, Ваше письмо не может быть доставлено одному или нескольким получателям:

        ivan@mail.ru
        Пользователь не найден

        """)));

    [Fact]
    public void YandexWritesInRussianToo() => Assert.Equal(("petr@yandex.ru", "failed", BounceCause.Full), Only(Read("""
        From: mailer-daemon@yandex.ru
        Subject: Недоставленное сообщение
        MIME-Version: 1.0
        Content-Type: multipart/report; boundary="x"; report-type=delivery-status

        --x
        Content-Type: text/plain; charset=utf-8

        Это письмо отправлено почтовым сервером yandex.ru.

        К сожалению, мы вынуждены сообщить Вам о том, что Ваше письмо не может быть отправлено: <petr@yandex.ru>: Mailbox size limit exceeded

        --x
        Content-Type: message/delivery-status

        Reporting-MTA: dns; forward.yandex.net

        Final-Recipient: rfc822; petr@yandex.ru
        Action: failed
        Status: 5.0.0
        Diagnostic-Code: X-Yandex; Mailbox size limit exceeded

        --x--
        """)));

    [Theory]
    [InlineData("From: anna@peer.test\nSubject: Out of office\nAuto-Submitted: auto-replied\n\nI am away. My mailbox is full of work, spam is blocked.\n")]
    [InlineData("From: anna@peer.test\nSubject: Автоответ: отпуск\n\nМеня нет.\n")]
    [InlineData("From: anna@peer.test\nSubject: Re: news\nAuto-Submitted: auto-generated\n\nWe have received your message.\n")]
    public void WhoIsAwayIsNoBounce(string message) => Assert.Equal(BounceForm.AutoReply, Read(message).Form);

    [Theory]
    [InlineData("From: anna@peer.test\nSubject: Re: news\n\nThank you! My colleague says: user unknown.\n", false)]
    [InlineData("From: anna@peer.test\nSubject: hello\n\nwords\n", true)]
    [InlineData("Subject: failure notice\n\nwe failed our exam\n", false)]
    [InlineData("", true)]
    public void APersonsLetterIsNone(string message, bool fromNobody) => Assert.Equal(BounceForm.None, Read(message, fromNobody).Form);

    [Fact]
    public void GarbageIsReadWithoutASurprise()
    {
        var random = new Random(20260302);
        var whole = Encoding.UTF8.GetBytes(Postfix.ReplaceLineEndings("\r\n"));
        for (var i = 0; i < 3000; i++)
        {
            var message = whole[random.Next(whole.Length)..];
            for (var change = random.Next(12); change > 0 && message.Length > 0; change--) message[random.Next(message.Length)] = (byte)random.Next(256);
            Assert.NotNull(BounceReader.Read(message, random.Next(2) == 0)); // seed 20260302
        }
    }
}
