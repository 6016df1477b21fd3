using CbaMail.Config;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Dmarc;
using CbaMail.MailAuth.Reports;
using CbaMail.Queue;
using Xunit;

namespace CbaMail.Tests.Server.Reports;

public sealed class AggregateSendingTests : IAsyncDisposable
{
    ReportOffice office = null!;

    async Task OpenAsync(ReportSettings? settings = null) => office = await ReportOffice.OpenAsync(settings);

    public ValueTask DisposeAsync() => office.DisposeAsync();

    [Fact]
    public async Task A_day_makes_one_report_with_equal_messages_counted_together()
    {
        await OpenAsync();
        office.See("away.test", "v=DMARC1; p=reject; rua=mailto:d@away.test", times: 3, asked: DmarcPolicy.Reject, applied: DmarcPolicy.Reject);
        await office.Counts.FlushAsync(default);
        office.See("away.test", "v=DMARC1; p=reject; rua=mailto:d@away.test", times: 2, asked: DmarcPolicy.Reject, applied: DmarcPolicy.Reject);
        office.See("away.test", "v=DMARC1; p=reject; rua=mailto:d@away.test", source: "192.0.2.2", result: AuthResult.Pass);
        Assert.Empty((await office.Aggregates.SendAsync(null, today: false, trial: false, default)).Done);
        await office.NextDayAsync();

        var (to, entry, message) = Assert.Single(office.Queued());
        Assert.Equal(("d@away.test", "dmarc-reports@example.test", MailClass.Transactional), (to, entry.Sender, entry.Class));
        Assert.Equal(TimeSpan.FromHours(24), entry.Expires - entry.Created);
        var report = ReportMail.FindAggregate(message, out var problem);
        Assert.True(report is not null, problem);
        Assert.Equal(("example.test", "away.test", DmarcPolicy.Reject), (report.Organization, report.Published.Domain, report.Published.Policy));
        Assert.Equal((new DateTimeOffset(2026, 3, 2, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2026, 3, 2, 23, 59, 59, TimeSpan.Zero)), (report.Begin, report.End));
        Assert.Equal([(5L, DmarcPolicy.Reject, false), (1L, DmarcPolicy.None, true)], report.Rows.Select(row => (row.Count, row.Disposition, row.SpfAligned)));
        Assert.Equal("bounces.away.test", report.Rows[0].Spf.Single().Domain);
        // nothing is left to be sent twice
        Assert.Empty((await office.NextDayAsync()).Done);
    }

    [Theory]
    [InlineData("v=DMARC1; p=none")]
    [InlineData("v=DMARC1; p=none; rua=https://away.test/")]
    public async Task Who_asks_for_no_report_by_mail_is_not_counted(string record)
    {
        await OpenAsync();
        office.See("away.test", record);
        Assert.Empty((await office.Run.PendingAsync(default)).Reports);
    }

    [Fact]
    public async Task In_evaluation_nothing_is_counted_unless_it_is_asked_for()
    {
        office = await ReportOffice.OpenAsync(evaluation: true);
        office.See("away.test", "v=DMARC1; p=none; rua=mailto:d@away.test");
        Assert.Empty((await office.Run.PendingAsync(default)).Reports);
        await office.DisposeAsync();
        office = await ReportOffice.OpenAsync(new ReportSettings { SendDmarc = true }, evaluation: true);
        office.See("away.test", "v=DMARC1; p=none; rua=mailto:d@away.test");
        Assert.Single((await office.Run.PendingAsync(default)).Reports);
    }

    [Fact]
    public async Task Why_the_policy_was_not_followed_is_said()
    {
        await OpenAsync();
        const string record = "v=DMARC1; p=reject; pct=50; rua=mailto:d@away.test";
        office.See("away.test", record, source: "192.0.2.1", asked: DmarcPolicy.Reject, applied: DmarcPolicy.None, sparedBy: "google.com");
        office.See("away.test", record, source: "192.0.2.2", asked: DmarcPolicy.Reject, applied: DmarcPolicy.Quarantine);
        office.See("away.test", record, source: "192.0.2.3", asked: DmarcPolicy.Quarantine, applied: DmarcPolicy.Quarantine);
        office.See("away.test", record, source: "192.0.2.4", asked: DmarcPolicy.Reject, applied: DmarcPolicy.Reject);
        await office.NextDayAsync();
        var report = ReportMail.FindAggregate(office.Queued().Single().Message, out _)!;
        Assert.Equal(["192.0.2.1 trusted_forwarder arc=pass of google.com", "192.0.2.2 local_policy ", "192.0.2.3 sampled_out ", "192.0.2.4  "],
            report.Rows.OrderBy(row => row.Source!.ToString()).Select(row => $"{row.Source} {row.Reasons.FirstOrDefault()?.Type} {row.Reasons.FirstOrDefault()?.Comment}"));
    }

    [Fact]
    public async Task A_stranger_gets_reports_only_where_he_agrees()
    {
        await OpenAsync();
        office.See("away.test", "v=DMARC1; p=none; rua=mailto:d@service.test,mailto:x@victim.test");
        office.Dns["txt away.test._report._dmarc.service.test"] = "v=DMARC1";
        await office.NextDayAsync();
        Assert.Equal("d@service.test", Assert.Single(office.Queued()).To);
    }

    [Fact]
    public async Task Where_dns_is_silent_it_is_asked_again_for_a_day()
    {
        await OpenAsync();
        office.See("away.test", "v=DMARC1; p=none; rua=mailto:d@service.test");
        office.Dns.FailingNames.Add("away.test._report._dmarc.service.test");
        var (_, again) = await office.NextDayAsync();
        Assert.True(again);
        office.Dns.FailingNames.Clear();
        office.Dns["txt away.test._report._dmarc.service.test"] = "v=DMARC1";
        Assert.False((await office.Aggregates.SendAsync(null, today: false, trial: false, default)).Again);
        Assert.Single(office.Queued());

        office.See("away.test", "v=DMARC1; p=none; rua=mailto:d@other.test");
        office.Dns.FailingNames.Add("away.test._report._dmarc.other.test");
        Assert.True((await office.NextDayAsync()).Again);
        var (done, later) = await office.NextDayAsync();
        Assert.False(later);
        Assert.Contains("no address", done.Single().Problem);
    }

    [Fact]
    public async Task A_report_larger_than_its_owner_takes_is_not_sent_there()
    {
        await OpenAsync();
        office.See("away.test", "v=DMARC1; p=none; rua=mailto:small@away.test!1k,mailto:large@away.test!10m");
        for (var i = 0; i < 200; i++) office.See("away.test", "v=DMARC1; p=none; rua=mailto:small@away.test!1k,mailto:large@away.test!10m", source: $"192.0.2.{i}");
        var (done, _) = await office.NextDayAsync();
        Assert.Equal("large@away.test", Assert.Single(office.Queued()).To);
        Assert.Contains("small@away.test takes 1024 octets", done.Single().Problem);
    }

    [Fact]
    public async Task What_strangers_can_make_grow_is_bounded()
    {
        await OpenAsync(new ReportSettings { RowsPerDomain = 10, Rows = 15 });
        for (var i = 0; i < 30; i++) office.See("away.test", "v=DMARC1; p=none; rua=mailto:d@away.test", source: $"192.0.2.{i}");
        for (var i = 0; i < 30; i++) office.See("zoo.test", "v=DMARC1; p=none; rua=mailto:d@zoo.test", source: $"192.0.2.{i}");
        var pending = await office.Run.PendingAsync(default);
        Assert.Equal([("away.test", 10), ("zoo.test", 5)], pending.Reports.Select(report => (report.Domain, report.Rows)));
        Assert.Equal(45, pending.Lost);
        // those that are known go on being counted
        office.See("away.test", "v=DMARC1; p=none; rua=mailto:d@away.test", source: "192.0.2.0");
        Assert.Equal(11, (await office.Run.PendingAsync(default)).Reports[0].Count);
    }

    [Fact]
    public async Task A_policy_that_changed_within_the_day_makes_two_reports()
    {
        await OpenAsync();
        office.See("away.test", "v=DMARC1; p=none; rua=mailto:d@away.test");
        office.See("away.test", "v=DMARC1; p=reject; rua=mailto:d@away.test");
        await office.NextDayAsync();
        var reports = office.Queued().Select(queued => ReportMail.FindAggregate(queued.Message, out _)!).ToList();
        Assert.Equal([DmarcPolicy.None, DmarcPolicy.Reject], reports.Select(report => report.Published.Policy));
        Assert.Equal(2, reports.Select(report => report.Id).Distinct().Count());
    }

    [Fact]
    public async Task An_address_that_returns_its_reports_gets_none_for_a_month()
    {
        await OpenAsync(new ReportSettings { DeadAfter = 2 });
        for (var day = 0; day < 3; day++)
        {
            office.See("away.test", "v=DMARC1; p=none; rua=mailto:gone@away.test");
            var (done, _) = await office.NextDayAsync();
            if (day == 2)
            {
                Assert.Contains("gone@away.test returned the last reports", done.Single().Problem);
                break;
            }
            var (_, entry, message) = office.Queued().Single();
            var id = System.Text.Encoding.ASCII.GetString(message).Split("Message-ID: ")[1].Split("\r\n")[0];
            // a bounce of something that we never sent counts for nothing
            Assert.Null(await office.ArriveAsync("dmarc-reports@example.test", Bounce("<other@example.test>"), sender: null));
            Assert.Null(await office.ArriveAsync("dmarc-reports@example.test", Bounce(id), sender: null));
            await office.Reader.ReadAsync(default);
            Assert.Equal(day + 1, (await office.Run.PendingAsync(default)).Returned.Single().Failures);
            await office.Queue.DropAsync(entry.Id);
        }
        office.Time.Advance(TimeSpan.FromDays(31));
        await office.Reader.PruneAsync(default);
        office.See("away.test", "v=DMARC1; p=none; rua=mailto:gone@away.test");
        Assert.Null((await office.NextDayAsync()).Done.Single().Problem);
    }

    static byte[] Bounce(string id) => ReportOffice.Bytes($"""
        From: MAILER-DAEMON@away.test
        Subject: Undelivered Mail Returned to Sender
        Content-Type: multipart/report; report-type=delivery-status; boundary=b

        --b
        Content-Type: text/plain

        No.
        --b
        Content-Type: message/delivery-status

        Reporting-MTA: dns; mx.away.test

        Final-Recipient: rfc822; gone@away.test
        Action: failed
        Status: 5.1.1
        Diagnostic-Code: smtp; 550 5.1.1 nobody here

        --b
        Content-Type: text/rfc822-headers

        Message-ID: {id}

        --b--

        """);

    [Fact]
    public async Task A_trial_sends_nothing_and_shows_the_report()
    {
        await OpenAsync();
        office.See("away.test", "v=DMARC1; p=none; rua=mailto:d@away.test");
        var (done, _) = await office.Run.SendAsync("away.test", today: true, trial: true, byHand: true, default);
        Assert.Contains("<domain>away.test</domain>", done.Single().File);
        Assert.Empty(office.Queued());
        await office.Run.SendAsync("away.test", today: true, trial: false, byHand: true, default);
        Assert.Single(office.Queued());
    }

    [Fact]
    public async Task A_domain_here_gets_its_report_without_the_queue()
    {
        await OpenAsync();
        office.See("example.test", "v=DMARC1; p=none; rua=mailto:dmarc-reports@example.test", times: 4);
        await office.NextDayAsync();
        Assert.Empty(office.Queued());
        await office.Reader.ReadAsync(default);
        var report = Assert.Single(office.Received.List(null, null, DateTimeOffset.UnixEpoch, 10));
        Assert.Equal(("example.test", "example.test", 4, true), (report.Organization, report.Domain, (int)report.Failed, report.Trusted));
    }

    [Fact]
    public async Task The_clock_sends_once_a_day_after_midnight()
    {
        await OpenAsync();
        await office.Run.StartAsync(default);
        office.See("away.test", "v=DMARC1; p=none; rua=mailto:d@away.test");
        // the run waits for the clock between its rounds
        for (var hour = 0; hour < 24 && office.Queue.Counts().Messages == 0; hour++)
            for (var minute = 0; minute < 60; minute += 10)
            {
                await Wire.Wait.UntilAsync(() => office.Time.Waiting > 0 || office.Queue.Counts().Messages > 0, "the run waits");
                office.Time.Advance(TimeSpan.FromMinutes(10));
            }
        await Wire.Wait.UntilAsync(() => office.Queue.Counts().Messages == 1, "the report is queued");
        Assert.Equal(3, office.Time.GetUtcNow().Day);
        await office.Run.StopAsync(default);
    }

    [Fact]
    public async Task What_was_counted_in_the_last_minute_is_written_when_the_server_stops()
    {
        await OpenAsync();
        await office.Run.StartAsync(default);
        await Wire.Wait.UntilAsync(() => office.Time.Waiting > 0, "the run waits");
        office.See("away.test", "v=DMARC1; p=none; rua=mailto:d@away.test");
        await office.Run.StopAsync(default);
        using var read = office.Store.Read();
        Assert.Equal(1, read.Prepare("SELECT sum(count) FROM dmarc_count").Scalar());
    }
}
