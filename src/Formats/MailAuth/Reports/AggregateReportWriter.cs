using System.Globalization;
using System.Net;
using System.Text;
using System.Xml;
using CbaMail.MailAuth.Dmarc;

namespace CbaMail.MailAuth.Reports;

/// <summary>Writes the XML of RFC 7489 appendix C, elements in the schema's order.</summary>
public static class AggregateReportWriter
{
    /// <summary>The file, not compressed.</summary>
    public static byte[] Write(AggregateReport report)
    {
        using var output = new MemoryStream();
        using (var xml = XmlWriter.Create(output, new XmlWriterSettings { Encoding = new UTF8Encoding(false), Indent = true, IndentChars = " ", NewLineChars = "\n" }))
        {
            xml.WriteStartDocument();
            xml.WriteStartElement("feedback");
            Text(xml, "version", "1.0");
            Metadata(xml, report);
            Policy(xml, report.Published);
            foreach (var row in report.Rows) Record(xml, row);
            xml.WriteEndElement();
        }
        return output.ToArray();
    }

    static void Metadata(XmlWriter xml, AggregateReport report)
    {
        xml.WriteStartElement("report_metadata");
        Text(xml, "org_name", report.Organization);
        Text(xml, "email", report.Email);
        if (report.ExtraContact is { } contact) Text(xml, "extra_contact_info", contact);
        Text(xml, "report_id", report.Id);
        xml.WriteStartElement("date_range");
        Text(xml, "begin", Number(report.Begin.ToUnixTimeSeconds()));
        Text(xml, "end", Number(report.End.ToUnixTimeSeconds()));
        xml.WriteEndElement();
        foreach (var error in report.Errors) Text(xml, "error", error);
        xml.WriteEndElement();
    }

    static void Policy(XmlWriter xml, PublishedPolicy policy)
    {
        xml.WriteStartElement("policy_published");
        Text(xml, "domain", policy.Domain);
        Text(xml, "adkim", policy.StrictDkim ? "s" : "r");
        Text(xml, "aspf", policy.StrictSpf ? "s" : "r");
        Text(xml, "p", policy.Policy.Word());
        Text(xml, "sp", policy.SubdomainPolicy.Word());
        Text(xml, "pct", Number(policy.Percent));
        Text(xml, "fo", policy.FailureOptions);
        xml.WriteEndElement();
    }

    static void Record(XmlWriter xml, AggregateRow row)
    {
        xml.WriteStartElement("record");
        xml.WriteStartElement("row");
        Text(xml, "source_ip", Address(row.Source));
        Text(xml, "count", Number(row.Count));
        xml.WriteStartElement("policy_evaluated");
        Text(xml, "disposition", row.Disposition.Word());
        Text(xml, "dkim", row.DkimAligned ? "pass" : "fail");
        Text(xml, "spf", row.SpfAligned ? "pass" : "fail");
        foreach (var reason in row.Reasons)
        {
            xml.WriteStartElement("reason");
            Text(xml, "type", reason.Type);
            if (reason.Comment is { } comment) Text(xml, "comment", comment);
            xml.WriteEndElement();
        }
        xml.WriteEndElement();
        xml.WriteEndElement();

        xml.WriteStartElement("identifiers");
        if (row.EnvelopeTo is { } to) Text(xml, "envelope_to", to);
        Text(xml, "envelope_from", row.EnvelopeFrom);
        Text(xml, "header_from", row.HeaderFrom);
        xml.WriteEndElement();

        xml.WriteStartElement("auth_results");
        foreach (var dkim in row.Dkim)
        {
            xml.WriteStartElement("dkim");
            Text(xml, "domain", dkim.Domain);
            if (dkim.Selector is { } selector) Text(xml, "selector", selector);
            Text(xml, "result", dkim.Result.Word());
            if (dkim.HumanResult is { } human) Text(xml, "human_result", human);
            xml.WriteEndElement();
        }
        foreach (var spf in row.Spf)
        {
            xml.WriteStartElement("spf");
            Text(xml, "domain", spf.Domain);
            Text(xml, "scope", spf.Helo ? "helo" : "mfrom");
            Text(xml, "result", spf.Result.Word());
            xml.WriteEndElement();
        }
        xml.WriteEndElement();
        xml.WriteEndElement();
    }

    // RFC 7489 appendix C, IPAddress: its pattern knows IPv6 in eight groups only, without "::"
    static string Address(IPAddress? source)
    {
        if (source is null) return "";
        if (source.IsIPv4MappedToIPv6) source = source.MapToIPv4();
        if (source.AddressFamily != System.Net.Sockets.AddressFamily.InterNetworkV6) return source.ToString();
        var bytes = source.GetAddressBytes();
        return string.Join(':', Enumerable.Range(0, 8).Select(i => (bytes[2 * i] << 8 | bytes[2 * i + 1]).ToString("x", CultureInfo.InvariantCulture)));
    }

    static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    // what XML cannot hold (a stranger's control character, half a surrogate pair) becomes "?"
    static void Text(XmlWriter xml, string name, string value)
    {
        var clean = new StringBuilder(value.Length);
        for (var i = 0; i < value.Length; i++)
        {
            if (i + 1 < value.Length && XmlConvert.IsXmlSurrogatePair(value[i + 1], value[i])) clean.Append(value[i]).Append(value[++i]);
            else clean.Append(XmlConvert.IsXmlChar(value[i]) ? value[i] : '?');
        }
        xml.WriteElementString(name, clean.ToString());
    }
}
