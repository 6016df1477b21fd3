using System.IO.Compression;
using System.Net;
using System.Text;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Dmarc;
using CbaMail.MailAuth.Reports;
using CbaMail.Reports;
using Xunit;

namespace CbaMail.Tests.Server.Reports;

public sealed class ReportReaderTests : IAsyncDisposable
{
    static readonly ProvenSender signed = new("reporter.test", Signed: true);
    ReportOffice office = null!;

    async Task OpenAsync(ReportSettings? settings = null) => office = await ReportOffice.OpenAsync(settings);

    public ValueTask DisposeAsync() => office.DisposeAsync();

    static AggregateRow Row(string source, long count, bool pass, string? from = "example.test") => new(IPAddress.Parse(source), count, pass ? DmarcPolicy.None : DmarcPolicy.Quarantine, pass, pass, from!)
    {
        Spf = [new ReportedSpf("example.test", pass ? AuthResult.Pass : AuthResult.Fail)],
    };

    IReadOnlyList<ReceivedReport> Reports => office.Received.List(null, null, DateTimeOffset.UnixEpoch, 100);

    long Held()
    {
        using var read = office.Store.Read();
        return read.Prepare("SELECT count(*) FROM content").Scalar()!.Value;
    }

    [Fact]
    public async Task Every_domain_takes_reports_without_an_account_and_shows_who_sends_in_its_name()
    {
        await OpenAsync();
        office.Dns["ptr 198.51.100.66"] = "bad.elsewhere.test";
        Assert.Null(await office.ArriveAsync("dmarc-reports@example.test", ReportOffice.Aggregate("1", "example.test", Row("192.0.2.1", 90, true), Row("198.51.100.66", 7, false), Row("192.0.2.1", 10, true)), signed));
        await office.Reader.ReadAsync(default);
        var report = Assert.Single(Reports);
        Assert.Equal(("reporter.test", "example.test", 100, 7, true, "reporter.test"), (report.Organization, report.Domain, (int)report.Passed, (int)report.Failed, report.Trusted, report.Author));
        var view = (await office.Received.ShowAsync("example.test", DateTimeOffset.UnixEpoch, all: false, default)).Value!;
        Assert.Equal([("198.51.100.66", 7L, 0L, 7L), ("192.0.2.1", 100L, 100L, 0L)], view.Sources.Select(source => (source.Address, source.Messages, source.Passed, source.Quarantined)));
        Assert.Equal("bad.elsewhere.test", view.Sources[0].Name);
        // once it is read, the mail itself is gone
        Assert.Equal(0, Held());
    }

    [Fact]
    public async Task Reports_on_tls_name_what_failed_and_count_only_when_they_are_signed()
    {
        await OpenAsync();
        await office.ArriveAsync("TLS-Reports@example.test", ReportOffice.TlsText("1"), signed);
        await office.ArriveAsync("tls-reports@example.test", ReportOffice.TlsText("2"), signed with { Signed = false });
        await office.Reader.ReadAsync(default);
        Assert.Equal([("2", false), ("1", true)], Reports.Select(report => (report.ReportId, report.Trusted)));
        var view = (await office.Received.ShowAsync("example.test", DateTimeOffset.UnixEpoch, all: false, default)).Value!;
        Assert.Equal([("certificate-expired", 3L, "mx.example.test"), ("", 10L, "")], view.Sessions.Select(sessions => (sessions.Result, sessions.Sessions, sessions.Host)));
        Assert.Equal(6, (await office.Received.ShowAsync("example.test", DateTimeOffset.UnixEpoch, all: true, default)).Value!.Sessions[0].Sessions);
    }

    [Fact]
    public async Task What_nobody_is_proven_to_have_sent_is_marked_and_gives_way_to_the_real_one()
    {
        await OpenAsync();
        await office.ArriveAsync("dmarc-reports@example.test", ReportOffice.Aggregate("1", "example.test", Row("203.0.113.1", 1000, false)));
        await office.Reader.ReadAsync(default);
        Assert.False(Assert.Single(Reports).Trusted);
        Assert.Empty((await office.Received.ShowAsync("example.test", DateTimeOffset.UnixEpoch, all: false, default)).Value!.Sources);
        await office.ArriveAsync("dmarc-reports@example.test", ReportOffice.Aggregate("1", "example.test", Row("192.0.2.1", 5, true)), signed);
        await office.ArriveAsync("dmarc-reports@example.test", ReportOffice.Aggregate("1", "example.test", Row("192.0.2.1", 5, true)), signed); // some send twice
        await office.Reader.ReadAsync(default);
        Assert.Equal((5L, 0L, true), (Assert.Single(Reports).Passed, Reports[0].Failed, Reports[0].Trusted));
    }

    [Fact]
    public async Task An_account_of_that_name_keeps_its_mail()
    {
        await OpenAsync();
        await office.Users.AddAccountAsync(new NewAccount("dmarc-reports@example.test"));
        await office.ArriveAsync("dmarc-reports@example.test", ReportOffice.Aggregate("1", "example.test", Row("192.0.2.1", 5, true)), signed);
        await office.Reader.ReadAsync(default);
        Assert.Single(Reports);
        Assert.Equal(1, Held());
    }

    [Fact]
    public async Task Without_receiving_there_are_no_such_addresses()
    {
        await OpenAsync(new ReportSettings { Receive = false });
        Assert.NotNull(await office.ArriveAsync("dmarc-reports@example.test", ReportOffice.Aggregate(), signed));
    }

    [Theory]
    [InlineData("Subject: hello\r\n\r\nHow are you?\r\n", "no part of the message is an aggregate report")]
    [InlineData("Content-Type: text/xml\r\n\r\n<feedback><a", "the report is no XML that can be read")]
    [InlineData("Content-Type: text/xml\r\n\r\n<!DOCTYPE x [<!ENTITY y 'z'>]><feedback/>", "the report is no XML that can be read")]
    [InlineData("Content-Type: text/xml\r\n\r\n<feedback><report_metadata/><policy_published><domain>other.test</domain></policy_published></feedback>", "it is about other.test, which is no domain of this server")]
    public async Task What_is_no_report_is_kept_with_a_sentence(string message, string problem)
    {
        await OpenAsync();
        Assert.Null(await office.ArriveAsync("dmarc-reports@example.test", Encoding.ASCII.GetBytes(message), signed));
        await office.Reader.ReadAsync(default);
        Assert.StartsWith(problem, Assert.Single(office.Received.Unread(10)).Problem);
        Assert.Equal(1, Held());
        // in time it goes
        office.Time.Advance(TimeSpan.FromDays(401));
        await office.Reader.PruneAsync(default);
        Assert.Equal(0, Held());
    }

    [Fact]
    public async Task What_is_no_report_takes_no_more_room_than_is_given_to_it()
    {
        await OpenAsync(new ReportSettings { MostUnread = 5 << 20 });
        for (var i = 0; i < 10; i++)
        {
            Assert.Null(await office.ArriveAsync("fbl@example.test", Encoding.ASCII.GetBytes($"Subject: {i}\r\n\r\n{string.Concat(Enumerable.Repeat(i + new string('x', 70) + "\r\n", 14_000))}")));
            await office.Reader.ReadAsync(default);
        }
        Assert.Equal(4, Held());
        // small ones are not many either
        for (var i = 0; i < 100; i++) Assert.Null(await office.ArriveAsync("fbl@example.test", Encoding.ASCII.GetBytes($"Subject: {i}\r\n\r\nx\r\n")));
        await office.Reader.ReadAsync(default);
        Assert.InRange(Held(), 1, 80);
    }

    [Fact]
    public async Task A_bomb_is_refused_with_a_sentence()
    {
        await OpenAsync();
        using var bomb = new MemoryStream();
        using (var gzip = new GZipStream(bomb, CompressionLevel.SmallestSize, leaveOpen: true))
            for (var i = 0; i < 64; i++) gzip.Write(new byte[1 << 20]);
        var text = $"Content-Type: application/gzip\r\nContent-Transfer-Encoding: base64\r\n\r\n{Convert.ToBase64String(bomb.ToArray(), Base64FormattingOptions.InsertLineBreaks)}\r\n";
        await office.ArriveAsync("dmarc-reports@example.test", Encoding.ASCII.GetBytes(text), signed);
        await office.Reader.ReadAsync(default);
        Assert.Contains("larger than 32 MB", Assert.Single(office.Received.Unread(10)).Problem);
    }

    [Fact]
    public async Task More_reports_than_are_kept_go_by_trust_then_age()
    {
        await OpenAsync(new ReportSettings { MostReports = 2 });
        await office.ArriveAsync("dmarc-reports@example.test", ReportOffice.Aggregate("1", "example.test", Row("192.0.2.1", 5, true)), signed);
        await office.ArriveAsync("dmarc-reports@example.test", ReportOffice.Aggregate("2", "example.test", Row("192.0.2.1", 5, true)), signed);
        await office.ArriveAsync("dmarc-reports@example.test", ReportOffice.Aggregate("3", "example.test", Row("192.0.2.1", 5, true)), signed);
        await office.ArriveAsync("dmarc-reports@example.test", ReportOffice.Aggregate("4", "example.test", Row("192.0.2.1", 5, true)));
        await office.Reader.ReadAsync(default);
        await office.Reader.PruneAsync(default);
        Assert.Equal(["3", "2"], Reports.Select(report => report.ReportId));
    }

    [Fact]
    public async Task Of_a_giant_report_the_largest_sources_are_kept_and_the_sum_is_right()
    {
        await OpenAsync();
        var rows = Enumerable.Range(0, 3000).Select(i => Row($"10.0.{i / 256}.{i % 256}", i + 1, i % 2 == 0)).ToArray();
        await office.ArriveAsync("dmarc-reports@example.test", ReportOffice.Aggregate("1", "example.test", rows), signed);
        await office.Reader.ReadAsync(default);
        var view = (await office.Received.ShowAsync(Reports[0].Id, default)).Value!;
        Assert.Equal(rows.Sum(row => row.Count), Reports[0].Passed + Reports[0].Failed);
        using var read = office.Store.Read();
        Assert.Equal(rows.Sum(row => row.Count), read.Prepare("SELECT sum(count) FROM report_source").Scalar());
        Assert.True(read.Prepare("SELECT count(*) FROM report_source").Scalar() <= 1002);
        Assert.NotEmpty(view.Sources);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(20260302)]
    public async Task Whatever_strangers_send_is_read_or_kept_and_stops_nothing(int seed)
    {
        await OpenAsync();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        byte[][] whole = [ReportOffice.Aggregate("f", "example.test", Row("192.0.2.1", 5, true)), ReportOffice.TlsText("f"), Encoding.ASCII.GetBytes(ComplaintTests.Text("x@y.test"))];
        const int rounds = 60;
        for (var i = 0; i < rounds; i++)
        {
            var bytes = whole[random.Next(whole.Length)].ToArray();
            for (var change = random.Next(1, 30); change > 0; change--)
            {
                var at = random.Next(bytes.Length);
                if (random.Next(8) == 0) bytes = bytes[..Math.Max(1, at)];
                else if (random.Next(4) == 0) bytes = [.. bytes[..at], .. bytes[random.Next(bytes.Length)..]];
                else bytes[at] = (byte)random.Next(256);
            }
            if (bytes.Length > 0) Assert.Null(await office.ArriveAsync(random.Next(2) == 0 ? "dmarc-reports@example.test" : "fbl@example.test", bytes, random.Next(2) == 0 ? signed : null));
        }
        await office.ArriveAsync("dmarc-reports@example.test", ReportOffice.Aggregate("whole", "example.test", Row("192.0.2.1", 5, true)), signed);
        await office.Reader.ReadAsync(default);
        Assert.Contains(Reports, report => report.ReportId == "whole");
        Assert.Equal(office.Received.Unread(1000).Count, Held());
        Assert.All(office.Received.Unread(1000), letter => Assert.DoesNotContain("reading it failed", letter.Problem));
    }
}
