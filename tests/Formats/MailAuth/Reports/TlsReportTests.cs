using System.Buffers;
using System.Text;
using CbaMail.MailAuth.Reports;
using CbaMail.Mime;
using Xunit;

namespace CbaMail.Tests.Formats.MailAuth.Reports;

/// <summary>Reports on TLS (RFC 8460).</summary>
public class TlsReportTests
{
    private static readonly TlsReport Sample = new("Company-X", new(2016, 4, 1, 0, 0, 0, TimeSpan.Zero), new(2016, 4, 1, 23, 59, 59, TimeSpan.Zero), "sts-reporting@company-x.example", "5065427c-23d3-47ca-b6e0-946ea0e8c4be",
        [new(TlsPolicyType.Sts, ["version: STSv1", "mode: testing", "mx: *.mail.company-y.example", "max_age: 86400"], "company-y.example", ["*.mail.company-y.example"], 5326, 303,
            [
                new(TlsFailures.CertificateExpired, 100) { SendingIp = "2001:db8:abcd:0012::1", ReceivingHost = "mx1.mail.company-y.example" },
                new(TlsFailures.StartTlsNotSupported, 200) { SendingIp = "2001:db8:abcd:0013::1", ReceivingHost = "mx2.mail.company-y.example", ReceivingIp = "203.0.113.56", AdditionalInformation = "https://reports.company-x.example/report_info?id=5065427c" },
                new(TlsFailures.ValidationFailure, 3) { ReceivingHelo = "mx", ReasonCode = "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED" },
            ]), new(TlsPolicyType.NoPolicyFound, [], "other.example", [], 1, 0, [])]);

    private static string Json(TlsReport report) => Encoding.UTF8.GetString(TlsReportJson.Write(report));

    [Fact]
    public void What_is_written_is_read_again_compressed_or_not()
    {
        Assert.Equal(Json(Sample), Json(TlsReportJson.Read(TlsReportJson.Write(Sample), out _)!));
        Assert.Equal(Json(Sample), Json(TlsReportJson.Read(ReportContainer.Gzip(TlsReportJson.Write(Sample)), out _)!));
        Assert.StartsWith("""{"organization-name":"Company-X","date-range":{"start-datetime":"2016-04-01T00:00:00Z","end-datetime":"2016-04-01T23:59:59Z"},"contact-info":"sts-reporting@company-x.example","report-id":"5065427c-23d3-47ca-b6e0-946ea0e8c4be","policies":[{"policy":{"policy-type":"sts","policy-string":["version: STSv1",""", Json(Sample));
    }

    [Fact]
    public void Those_of_others_are_read_as_they_are()
    {
        var report = TlsReportJson.Read(Encoding.UTF8.GetBytes("\ufeff" + """
            {"organization-name":"Google Inc.","date-range":{"start-datetime":"2024-01-01T00:00:00.000+02:00","end-datetime":17},
             "policies":[{"policy":{"policy-type":"STS","policy-string":"version: STSv1","policy-domain":"example.com","mx-host":"mail.example.com"},
               "summary":{"total-successful-session-count":"12","total-failure-session-count":-1},"failure-details":{}},{"policy":[],"summary":null},7,],"unknown":{"x":[1]}}
            """), out var problem);
        Assert.Equal("", problem);
        Assert.Equal((new DateTimeOffset(2023, 12, 31, 22, 0, 0, TimeSpan.Zero), DateTimeOffset.UnixEpoch, 3), (report!.Start, report.End, report.Policies.Count));
        var policy = report.Policies[0];
        Assert.Equal((TlsPolicyType.Sts, "example.com", 12, 0), (policy.Type, policy.Domain, policy.Successes, policy.Failures));
        Assert.Equal(["mail.example.com"], policy.Hosts);
        Assert.Equal(["version: STSv1"], policy.Strings);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"policies\":{}}")]
    [InlineData("{\"policies\":[")]
    [InlineData("{\"organization-name\":\"\\ud800\",\"policies\":[]}")]
    public void What_is_no_report_is_refused_with_a_sentence(string text)
    {
        Assert.Null(TlsReportJson.Read(Encoding.UTF8.GetBytes(text), out var problem));
        Assert.NotEmpty(problem);
    }

    [Fact]
    public void Depth_and_size_are_bounded()
    {
        Assert.Null(TlsReportJson.Read(Encoding.UTF8.GetBytes("{\"policies\":" + new string('[', 100_000)), out _));
        Assert.Null(TlsReportJson.Read(ReportContainer.Gzip(new byte[ReportContainer.MaxOpen + 1]), out _));
        Assert.Null(TlsReportJson.Read(Encoding.UTF8.GetBytes("{\"policies\":[" + string.Join(',', Enumerable.Repeat("1", TlsReportJson.MaxEntries + 1)) + "]}"), out var problem));
        Assert.Contains("more than", problem);
    }

    [Fact]
    public void Numbers_without_measure_do_not_overflow_their_sum()
    {
        var policy = $"{{\"policy\":{{\"policy-domain\":\"a.test\"}},\"summary\":{{\"total-successful-session-count\":{long.MaxValue}}}}}";
        var report = TlsReportJson.Read(Encoding.UTF8.GetBytes($"{{\"policies\":[{policy},{policy}]}}"), out _)!;
        Assert.True(report.Policies.Sum(one => one.Successes) > 0);
    }

    [Fact]
    public void A_small_file_that_opens_into_a_large_one_is_not_read()
    {
        // 6 KB; as a document of JSON it would take 100 MB
        Assert.Null(TlsReportJson.Read(ReportContainer.Gzip(Encoding.UTF8.GetBytes("{\"policies\":[" + string.Concat(Enumerable.Repeat("1,", 4 << 20)) + "1]}")), out var problem));
        Assert.Contains("larger than 4 MB", problem);
    }

    [Fact]
    public void No_bytes_make_it_throw()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var plain = TlsReportJson.Write(Sample);
        byte[][] files = [plain, ReportContainer.Gzip(plain)];
        for (var i = 0; i < 3000; i++)
        {
            var file = (byte[])files[random.Next(2)].Clone();
            for (var n = random.Next(1, 6); n > 0; n--) file[random.Next(file.Length)] = (byte)random.Next(256);
            var exception = Record.Exception(() => Assert.True(TlsReportJson.Read(file, out var problem) is null == problem.Length > 0));
            Assert.True(exception is null, $"seed {seed}: {exception}");
        }
    }

    [Theory]
    [InlineData("mailto:reports@example.com", "v=TLSRPTv1;rua=mailto:reports@example.com")]
    [InlineData("https://reporting.example.com/v1/tlsrpt", "v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt;", "v=spf1 -all")]
    [InlineData("mailto:a@b.c https://x.example/!y", "v=TLSRPTv1; x=1; rua=mailto:a@b.c , https://x.example/!y,ftp://no.example/")]
    [InlineData(null, "v=TLSRPTv1;")]
    [InlineData(null, "v=TLSRPTv1; rua=ftp://no.example/")]
    [InlineData(null, "v=tlsrptv1; rua=mailto:a@b.c")]
    [InlineData(null, "v=TLSRPTv1; rua=mailto:a@b.c", "v=TLSRPTv1; rua=mailto:a@b.c")]
    public void One_record_says_whom(string? uris, params string[] texts) =>
        Assert.Equal(uris, TlsReportRecord.Find(texts) is { } record ? string.Join(' ', record.Uris.Select(u => u.Text)) : null);

    [Fact]
    public void The_mail_has_its_fields_and_is_found_again()
    {
        var mail = new ReportMail("mail.sender.example.com", "example.com", DateTimeOffset.FromUnixTimeSeconds(1470013207), DateTimeOffset.FromUnixTimeSeconds(1470186007), "735ff.e317+bf22029@example.net");
        var output = new ArrayBufferWriter<byte>();
        mail.WriteTls(output, "tlsrpt@mail.sender.example.com", "mts-sts-tlsrpt@example.net", "1@mail.sender.example.com", DateTimeOffset.UnixEpoch, Sample);
        var header = HeaderList.Parse(output.WrittenSpan);
        Assert.Equal(("example.com", "mail.sender.example.com"), (header.Value("TLS-Report-Domain"), header.Value("TLS-Report-Submitter")));
        Assert.Equal("Report Domain: example.com Submitter: mail.sender.example.com Report-ID: <735ff.e317+bf22029@example.net>", header.Value("Subject"));
        var root = MimeTree.Parse(output.WrittenSpan);
        Assert.Equal(("report", "tlsrpt"), (root.Subtype, MimePart.Parameter(root.Parameters, "report-type")));
        Assert.Equal(("tlsrpt+gzip", "mail.sender.example.com!example.com!1470013207!1470186007!735ffe317bf22029examplenet.json.gz"), (root.Children[1].Subtype, root.Children[1].FileName));
        Assert.Equal(Json(Sample), Json(ReportMail.FindTls(output.WrittenSpan, out _)!));
    }
}
