using System.Text;
using CbaMail.Directory;
using CbaMail.Reports;
using Xunit;

namespace CbaMail.Tests.Server.Reports;

public sealed class ComplaintTests : IAsyncDisposable
{
    static readonly ProvenSender provider = new("provider.test", Signed: true);
    readonly List<string> suppressed = [], marked = [];
    ReportOffice office = null!;

    async Task OpenAsync()
    {
        office = await ReportOffice.OpenAsync();
        office.Complaints.ReadReturnAddress = address => address.LocalPart == "bounce+whole" ? 7 : null;
        office.Complaints.FindCopy = (_, ledger, id) => ledger == 7 || id == "m1.2.abc@example.test" ? new ComplainedCopy(7, 1, "student@provider.test", "teacher@example.test") : null;
        office.Complaints.MarkCopy = (_, copy, told) => marked.Add($"{copy.LedgerId} {told}");
        office.Complaints.Suppress = (_, address, told, source) => suppressed.Add($"{address} {source}");
    }

    public ValueTask DisposeAsync() => office.DisposeAsync();

    internal static string Text(string mailFrom, string messageId = "other@example.test", string type = "abuse", string more = "") => $"""
        From: feedback@provider.test
        To: fbl@example.test
        Subject: complaint
        MIME-Version: 1.0
        Content-Type: multipart/report; report-type=feedback-report; boundary="b"

        --b
        Content-Type: text/plain

        This is an abuse report.
        --b
        Content-Type: message/feedback-report

        Feedback-Type: {type}
        User-Agent: Provider/1
        Version: 1
        Original-Mail-From: <{mailFrom}>
        Original-Rcpt-To: <redacted@provider.test>
        {more}
        --b
        Content-Type: message/rfc822

        From: teacher@example.test
        Message-ID: <{messageId}>
        Subject: lesson

        text
        --b--

        """.ReplaceLineEndings("\r\n");

    async Task<ReceivedComplaint> ReadAsync(string text, ProvenSender? proven, string to = "fbl@example.test")
    {
        Assert.Null(await office.ArriveAsync(to, Encoding.ASCII.GetBytes(text), proven));
        await office.Reader.ReadAsync(default);
        return office.Complaints.List(null, DateTimeOffset.UnixEpoch, 10)[0];
    }

    [Theory]
    [InlineData("bounce+whole@example.test", "other@example.test", "return address")]
    [InlineData("teacher@example.test", "m1.2.abc@example.test", "Message-ID")]
    public async Task Who_complained_about_a_mailing_gets_no_more_of_them(string mailFrom, string id, string by)
    {
        await OpenAsync();
        var complaint = await ReadAsync(Text(mailFrom, id), provider);
        Assert.Equal((by, "student@provider.test", "teacher@example.test", "provider.test", true), (complaint.Tied, complaint.Recipient, complaint.Sender, complaint.Author, complaint.Trusted));
        Assert.Equal(["student@provider.test mailing 1"], suppressed);
        Assert.Equal(["7 complained to provider.test (abuse) on 2026-03-02"], marked);
        Assert.Equal([("teacher@example.test", 1L, 1L)], office.Complaints.Sums(DateTimeOffset.UnixEpoch).Select(sum => (sum.Sender, sum.Complaints, sum.Tied)));
    }

    [Theory]
    [InlineData(true, "bounce+forged@example.test", "abuse", "counted only: it is tied to no copy of a mailing")]
    [InlineData(false, "bounce+whole@example.test", "abuse", "counted only: nothing proves who sent it")]
    [InlineData(true, "bounce+whole@example.test", "not-spam", "counted only: its type is not-spam")]
    public async Task A_complaint_that_is_not_proven_not_tied_or_none_takes_nobody_off(bool proven, string mailFrom, string type, string effect)
    {
        await OpenAsync();
        Assert.Equal(effect, (await ReadAsync(Text(mailFrom, type: type), proven ? provider : null)).Effect);
        Assert.Empty(suppressed);
        Assert.Empty(marked);
    }

    [Fact]
    public async Task Abuse_is_read_by_the_administrator_as_well_and_letters_there_are_no_fault()
    {
        await OpenAsync();
        await office.Users.AddAccountAsync(new NewAccount("admin@example.test", Role: Role.Admin));
        await ReadAsync(Text("bounce+whole@example.test"), provider, "abuse@example.test");
        Assert.Single(suppressed);
        Assert.Null(await office.ArriveAsync("abuse@example.test", "Subject: help\r\n\r\nSomebody of yours writes to me.\r\n"u8.ToArray()));
        Assert.Null(await office.ArriveAsync("fbl@example.test", "Subject: help\r\n\r\nSomebody of yours writes to me.\r\n"u8.ToArray()));
        await office.Reader.ReadAsync(default);
        Assert.Equal("fbl@example.test", Assert.Single(office.Received.Unread(10)).Recipient);
        using var reader = office.Mail.Read();
        Assert.Equal(2, reader.Messages(reader.Find(office.Users.FindAccount(ReportOffice.Address("admin@example.test"))!.Id, "INBOX")!.Id).Count());
    }
}
