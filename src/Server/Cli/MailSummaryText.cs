using System.Globalization;
using System.Text;
using System.Text.Json;
using CbaMail.Config;
using CbaMail.Text;

namespace CbaMail.Cli;

/// <summary>The summary of a day's mail as people read it.</summary>
static class MailSummaryText
{
    public static string Of(JsonElement summary)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"From {summary.Time("since")} until {summary.Time("until")} UTC\n");
        Section(text, "Messages that came in", summary, "arrived", word => word switch { "servers" => "from other servers", "submitted" => "by those who signed in", _ => "of the server's own" }, sizes: true);
        Section(text, "Where they went, by recipient", summary, "placed", word => word switch
        {
            "mailbox" => "into a mailbox here",
            "junk" => "into Junk",
            "queued" => "into the queue, to leave",
            "refused" => "refused for this recipient",
            "read" => "read by the server itself",
            _ => word,
        }, sizes: true);
        Section(text, "What left the queue, by recipient", summary, "left", word => word);
        text.Append(CultureInfo.InvariantCulture, $"\nRefused: {summary.Text("refused")}\n");
        Section(text, "Why mail was refused", summary, "refusals", word => word);
        Section(text, "Who was refused most", summary, "refusedClients", word => word);
        Section(text, "Who sent most", summary, "senders", Readable.Address, sizes: true);
        Section(text, "Who was sent most", summary, "recipients", Readable.Address, sizes: true);
        Section(text, "What came back from others", summary, "bounces", Readable.Domain);
        return text.ToString().TrimEnd();
    }

    static void Section(StringBuilder text, string title, JsonElement summary, string name, Func<string, string> show, bool sizes = false)
    {
        var rows = summary.Items(name).ToList();
        if (rows.Count == 0) return;
        text.Append(CultureInfo.InvariantCulture, $"\n{title}\n");
        foreach (var row in rows)
            text.Append(CultureInfo.InvariantCulture, $"{row.Number("count"),8}  ").Append(sizes ? Sizes.Show(row.Number("bytes")).PadLeft(6) + "  " : "").Append(PlainText.Line(show(row.Text("what")))).Append('\n');
    }
}
