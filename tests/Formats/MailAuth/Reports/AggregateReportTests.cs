using System.Buffers;
using System.IO.Compression;
using System.Net;
using System.Text;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Dmarc;
using CbaMail.MailAuth.Reports;
using CbaMail.Mime;
using Xunit;

namespace CbaMail.Tests.Formats.MailAuth.Reports;

/// <summary>Aggregate reports of DMARC (RFC 7489 7.2, appendix C): ours, and those of others.</summary>
public class AggregateReportTests
{
    private static readonly AggregateReport Sample = new("Example Org", "dmarc@receiver.example", "2002.02.15.1", DateTimeOffset.FromUnixTimeSeconds(1013662812), DateTimeOffset.FromUnixTimeSeconds(1013749130),
        new PublishedPolicy("example.com", DmarcPolicy.Reject, DmarcPolicy.Quarantine, 25) { StrictSpf = true, FailureOptions = "1:d" },
        [
            new AggregateRow(IPAddress.Parse("192.0.2.1"), 12, DmarcPolicy.None, true, false, "example.com")
            {
                EnvelopeTo = "receiver.example", EnvelopeFrom = "bounce.example.com", Reasons = [new("sampled_out"), new("local_policy", "arc=pass <x> & \"y\"")],
                Dkim = [new("example.com", "s1", AuthResult.Pass), new("list.example", null, AuthResult.PermError, "no key \u0001")], Spf = [new("bounce.example.com", AuthResult.SoftFail)],
            },
            new AggregateRow(IPAddress.Parse("2001:db8::1"), 1, DmarcPolicy.Reject, false, false, "a.example.com") { Spf = [new("mail.example.net", AuthResult.None, Helo: true)] },
        ])
    { ExtraContact = "https://receiver.example/", Errors = ["an error"] };

    private static string Xml(AggregateReport report) => Encoding.UTF8.GetString(AggregateReportWriter.Write(report));

    [Fact]
    public void What_is_written_is_read_again()
    {
        var read = AggregateReportReader.Read(Encoding.UTF8.GetBytes(Xml(Sample)), out var problem);
        Assert.Equal("", problem);
        Assert.Equal(Xml(Sample), Xml(read!)); // a control character became "?" at the first writing
        Assert.Equal(Sample.Published, read!.Published);
        Assert.Equal("no key ?", read.Rows[0].Dkim[1].HumanResult);
    }

    [Fact]
    public void What_is_written_is_valid_by_the_schema_of_the_rfc()
    {
        var schemas = new System.Xml.Schema.XmlSchemaSet();
        using (var schema = System.Xml.XmlReader.Create(Path.Combine(House.Repository.Root, "tests/Vectors/dmarc/aggregate.xsd"))) schemas.Add(null, schema);
        var problems = new List<string>();
        System.Xml.Linq.XDocument Parsed(AggregateReport report) => System.Xml.Linq.XDocument.Parse(Xml(report));
        System.Xml.Schema.Extensions.Validate(Parsed(Sample), schemas, (_, problem) => problems.Add(problem.Message));
        // each word that may stand in a report
        foreach (var result in Enum.GetValues<AuthResult>().Where(result => result != AuthResult.SoftFail))
            System.Xml.Schema.Extensions.Validate(Parsed(Sample with { Rows = [Sample.Rows[1] with { Dkim = [new("a.test", "s", result)], Source = IPAddress.Parse("::ffff:192.0.2.9") }] }), schemas, (_, problem) => problems.Add(problem.Message));
        foreach (var reason in (string[])["forwarded", "sampled_out", "trusted_forwarder", "mailing_list", "local_policy", "other"])
            System.Xml.Schema.Extensions.Validate(Parsed(Sample with { Rows = [Sample.Rows[0] with { Reasons = [new(reason)] }] }), schemas, (_, problem) => problems.Add(problem.Message));
        Assert.Empty(problems);
        Assert.Contains("<source_ip>2001:db8:0:0:0:0:0:1</source_ip>", Xml(Sample), StringComparison.Ordinal);
        // and the schema does find what is wrong
        System.Xml.Schema.Extensions.Validate(Parsed(Sample with { Rows = [Sample.Rows[0] with { Spf = [] }] }), schemas, (_, problem) => problems.Add(problem.Message));
        Assert.NotEmpty(problems);
    }

    [Fact]
    public void Elements_stand_in_the_order_of_the_schema()
    {
        string[] order = ["<feedback>", "<version>1.0</version>", "<report_metadata>", "<org_name>", "<email>", "<extra_contact_info>", "<report_id>", "<date_range>", "<begin>1013662812</begin>", "<end>1013749130</end>", "<error>",
            "<policy_published>", "<domain>example.com</domain>", "<adkim>r</adkim>", "<aspf>s</aspf>", "<p>reject</p>", "<sp>quarantine</sp>", "<pct>25</pct>", "<fo>1:d</fo>",
            "<record>", "<row>", "<source_ip>192.0.2.1</source_ip>", "<count>12</count>", "<policy_evaluated>", "<disposition>none</disposition>", "<dkim>pass</dkim>", "<spf>fail</spf>", "<reason>", "<type>sampled_out</type>",
            "<identifiers>", "<envelope_to>", "<envelope_from>", "<header_from>", "<auth_results>", "<selector>s1</selector>", "<result>pass</result>", "<scope>mfrom</scope>", "<result>softfail</result>", "<scope>helo</scope>"];
        var xml = Xml(Sample);
        var at = 0;
        foreach (var piece in order) Assert.True((at = xml.IndexOf(piece, at, StringComparison.Ordinal)) >= 0, piece);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("zip")]
    [InlineData("plain")]
    public void It_comes_compressed_or_not(string how)
    {
        var xml = AggregateReportWriter.Write(Sample);
        var file = how switch { "gzip" => ReportContainer.Gzip(xml), "zip" => Zip("report.xml", xml), _ => xml };
        Assert.Equal(2, AggregateReportReader.Read(file, out _)!.Rows.Count);
    }

    private static byte[] Zip(string name, byte[] content)
    {
        using var output = new MemoryStream();
        using (var zip = new ZipArchive(output, ZipArchiveMode.Create))
        {
            zip.CreateEntry("__MACOSX/x").Open().Dispose();
            using var entry = zip.CreateEntry(name).Open();
            entry.Write(content);
        }
        return output.ToArray();
    }

    [Fact]
    public void Those_of_others_are_read_as_they_are()
    {
        var report = AggregateReportReader.Read(Encoding.UTF8.GetBytes("""
            <?xml version="1.0" encoding="UTF-8" ?>
            <!-- a comment -->
            <d:feedback xmlns:d="http://dmarc.org/dmarc-xml/0.1" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
              <d:report_metadata><d:org_name> google.com </d:org_name><d:email>noreply@google.com</d:email><d:report_id>1</d:report_id><d:date_range><d:begin>1500000000.5</d:begin><d:end>x</d:end></d:date_range></d:report_metadata>
              <d:policy_published><d:domain>example.com</d:domain><d:p>NONE</d:p></d:policy_published>
              <d:record><d:row><d:source_ip>not an ip</d:source_ip><d:count>7</d:count><d:policy_evaluated><d:disposition>Quarantine</d:disposition><d:dkim>Pass</d:dkim></d:policy_evaluated></d:row>
                <d:identifiers><d:header_from>example.com</d:header_from></d:identifiers>
                <d:auth_results><d:spf><d:domain>x</d:domain><d:result>hardfail</d:result></d:spf><d:spf><d:domain/><d:result>unknown</d:result></d:spf></d:auth_results></d:record>
              <d:record/><d:extension><d:anything><d:at all="yes"/></d:anything></d:extension>
            </d:feedback>
            """), out var problem);
        Assert.Equal("", problem);
        Assert.Equal(("google.com", 1500000000, 100), (report!.Organization, report.Begin.ToUnixTimeSeconds(), report.Published.Percent));
        var row = Assert.Single(report.Rows);
        Assert.Equal((null, 7, DmarcPolicy.Quarantine, true, false), (row.Source, row.Count, row.Disposition, row.DkimAligned, row.SpfAligned));
        Assert.Equal([AuthResult.Fail, AuthResult.TempError], row.Spf.Select(s => s.Result));
    }

    [Theory]
    [InlineData("")]
    [InlineData("text")]
    [InlineData("<html/>")]
    [InlineData("<feedback/>")]
    [InlineData("<feedback><report_metadata/><policy_published/></feedback>")]
    [InlineData("<!DOCTYPE feedback [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><feedback><report_metadata><org_name>&b;</org_name></report_metadata></feedback>")]
    [InlineData("<!DOCTYPE feedback SYSTEM \"file:///etc/passwd\"><feedback/>")]
    public void What_is_no_report_is_refused_with_a_sentence(string text)
    {
        Assert.Null(AggregateReportReader.Read(Encoding.UTF8.GetBytes(text), out var problem));
        Assert.NotEmpty(problem);
    }

    [Fact]
    public void Bombs_do_not_go_off()
    {
        Assert.Null(AggregateReportReader.Read(ReportContainer.Gzip(new byte[ReportContainer.MaxOpen + 1]), out var problem));
        Assert.Contains("larger than", problem);
        Assert.Null(AggregateReportReader.Read(Zip("a.xml", new byte[ReportContainer.MaxOpen + 1]), out problem));
        Assert.Contains("larger than", problem);
        var deep = "<feedback><record>" + string.Concat(Enumerable.Repeat("<a>", 100_000));
        Assert.Null(AggregateReportReader.Read(Encoding.UTF8.GetBytes(deep), out problem));
        var wide = "<feedback><record>" + string.Concat(Enumerable.Repeat("<a/>", 100_000)) + "</record></feedback>";
        Assert.Null(AggregateReportReader.Read(Encoding.UTF8.GetBytes(wide), out problem));
        Assert.Equal("a part of the report is too large", problem);
        // a million elements that are open, each kept by the reader of XML, beside the records as well
        deep = "<feedback>" + string.Concat(Enumerable.Repeat("<a>", 1_000_000));
        Assert.Null(AggregateReportReader.Read(ReportContainer.Gzip(Encoding.UTF8.GetBytes(deep)), out problem));
        Assert.Equal("the report is nested too deep", problem);
        // names and attributes of one element, whose number goes in squared
        var names = "<feedback><record " + string.Concat(Enumerable.Range(0, 200_000).Select(i => $"xmlns:a{i}=\">{i}\" a{i}:x=\"\" ")) + "/></feedback>";
        foreach (var file in new[] { Encoding.UTF8.GetBytes(names), [.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes(names)] })
        {
            Assert.Null(AggregateReportReader.Read(file, out problem));
            Assert.Equal("a part of the report is too large", problem);
        }
    }

    [Fact]
    public void A_report_with_unknown_parts_and_in_another_encoding_is_read()
    {
        var text = "<feedback><extra><a><b>x</b></a><c/></extra><report_metadata><org_name>Почта</org_name></report_metadata><policy_published><domain>a.org</domain></policy_published></feedback>";
        foreach (var file in new[] { Encoding.UTF8.GetBytes(text), [.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes(text)] })
            Assert.Equal("Почта", AggregateReportReader.Read(file, out _)!.Organization);
    }

    [Fact]
    public void No_bytes_make_it_throw()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var plain = AggregateReportWriter.Write(Sample);
        byte[][] files = [plain, ReportContainer.Gzip(plain), Zip("r.xml", plain)];
        for (var i = 0; i < 3000; i++)
        {
            var file = (byte[])files[random.Next(3)].Clone();
            for (var n = random.Next(1, 6); n > 0; n--) file[random.Next(file.Length)] = (byte)random.Next(256);
            var cut = file.AsMemory(0, random.Next(3) == 0 ? random.Next(file.Length) : file.Length);
            var exception = Record.Exception(() => Assert.True(AggregateReportReader.Read(cut, out var problem) is null == problem.Length > 0));
            Assert.True(exception is null, $"seed {seed}: {exception}");
        }
    }

    [Fact]
    public void The_mail_is_named_as_the_rfc_shows_and_found_again()
    {
        var mail = new ReportMail("mail.receiver.example", "example.com", Sample.Begin, Sample.End, "2002.02.15.1");
        Assert.Equal("mail.receiver.example!example.com!1013662812!1013749130.xml.gz", mail.FileName("xml.gz"));
        Assert.Equal("mail.receiver.example!example.com!1013662812!1013749130!a1.xml.gz", mail.FileName("xml.gz", "a1"));
        Assert.Equal("Report Domain: example.com Submitter: mail.receiver.example Report-ID: <2002.02.15.1>", mail.Subject);
        var output = new ArrayBufferWriter<byte>();
        mail.WriteAggregate(output, "dmarc@mail.receiver.example", "reports@example.com", "1@mail.receiver.example", DateTimeOffset.UnixEpoch, Sample);
        var header = HeaderList.Parse(output.WrittenSpan);
        Assert.Equal(mail.Subject, header.Value("Subject"));
        var part = MimeTree.Parse(output.WrittenSpan).Children[1];
        Assert.Equal(("application", "gzip", mail.FileName("xml.gz")), (part.Type, part.Subtype, part.FileName));
        Assert.Equal(Xml(Sample), Xml(ReportMail.FindAggregate(output.WrittenSpan, out _)!));
        Assert.Null(ReportMail.FindAggregate("Subject: x\r\n\r\ntext"u8, out var problem));
        Assert.Equal("no part of the message is an aggregate report", problem);
    }

    [Fact]
    public void The_published_policy_is_that_of_the_record() =>
        Assert.Equal(new PublishedPolicy("example.com", DmarcPolicy.Reject, DmarcPolicy.Reject, 50) { StrictDkim = true, FailureOptions = "1:s" },
            PublishedPolicy.Of(DmarcRecord.Parse("v=DMARC1; p=reject; pct=50; adkim=s; fo=1:s", out _)!, "example.com"));
}
