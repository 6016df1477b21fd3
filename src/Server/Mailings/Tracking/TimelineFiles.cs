using System.Globalization;
using System.Text;
using CbaMail.Pdf;

namespace CbaMail.Mailings.Tracking;

/// <summary>Time lines as tables for spreadsheets and as documents to be shown to others.</summary>
static class TimelineFiles
{
    static readonly Dictionary<string, (string English, string Russian)> words = new(StringComparer.Ordinal)
    {
        ["waiting"] = ("waits to be sent", "ждёт отправки"),
        ["queued"] = ("sent off", "отправлено"),
        ["delivered"] = ("delivered", "доставлено"),
        ["deferred"] = ("put off by the other server", "отложено сервером получателя"),
        ["bounced"] = ("came back", "возвращено"),
        ["skipped"] = ("not sent", "не отправлялось"),
        ["opened"] = ("opened", "открыто"),
        ["clicked"] = ("link followed", "переход по ссылке"),
        ["replied"] = ("answered", "получен ответ"),
        ["auto-replied"] = ("answered by itself", "получен автоответ"),
        ["complained"] = ("complaint about spam", "жалоба на спам"),
        ["unsubscribed"] = ("unsubscribed", "отписался"),
        ["resubscribed"] = ("wants mail", "согласился получать"),
    };

    /// <summary>UTF-8 with a byte order mark, as spreadsheets want it; times in UTC.</summary>
    public static string Csv(Timeline timeline)
    {
        var text = new StringBuilder("\uFEFFat,what,mailing,subject,told,class,program,times,host,tls,message_id\r\n");
        foreach (var entry in timeline.Entries)
            text.AppendJoin(',', new[]
            {
                entry.At.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture), entry.What, entry.Mailing?.ToString(CultureInfo.InvariantCulture) ?? "", entry.Subject, entry.Told,
                entry.Class ?? "", entry.Program ?? "", entry.Times.ToString(CultureInfo.InvariantCulture), entry.Host ?? "", entry.Tls ?? "", entry.MessageId is { } id ? $"<{id}>" : "",
            }.Select(Field)).Append("\r\n");
        return text.ToString();
    }

    // RFC 4180 2.6, 2.7; a field that a spreadsheet would take for a formula is made a text
    static string Field(string text)
    {
        if (text.Length > 0 && text[0] is '=' or '+' or '-' or '@') text = "'" + text;
        return text.AsSpan().IndexOfAny(",;\"\r\n\t") < 0 ? text : "\"" + text.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";
    }

    /// <param name="language">ru or en.</param>
    /// <param name="hostname">Of the server that says so.</param>
    public static byte[] Pdf(Timeline timeline, string language, string hostname, PdfFonts.Pair fonts)
    {
        var russian = language == "ru";
        var zone = timeline.Person.Zone is { } name && TimeZoneInfo.TryFindSystemTimeZoneById(name, out var found) ? found : TimeZoneInfo.Utc;
        string When(DateTimeOffset at) => TimeZoneInfo.ConvertTime(at, zone).ToString(russian ? "dd.MM.yyyy HH:mm:ss" : "yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
        var document = new PdfDocument(fonts.Plain, fonts.Bold) { Title = $"{timeline.Person.Address}: {timeline.Course.Name}", Language = language, Created = timeline.Made };
        var flow = new PdfFlow(document);
        flow.Paragraph(russian ? "Подтверждение уведомлений" : "Proof of notice", 16, bold: true);
        flow.Space(6);
        flow.Paragraph(timeline.Person.Name.Length > 0 ? $"{timeline.Person.Name} <{timeline.Person.Address}>" : timeline.Person.Address, 11, bold: true);
        flow.Paragraph((russian ? "Курс: " : "Course: ") + $"{timeline.Course.Name} ({timeline.Course.Slug}, {timeline.Course.Domain})");
        flow.Paragraph((russian ? "Составлено: " : "Made: ") + $"{When(timeline.Made)}, {hostname}; " + (russian ? "время: " : "times: ") + zone.Id);
        flow.Paragraph(russian
            ? "Что было отправлено этому человеку и что из этого вышло, по записям почтового сервера. Об открытиях и переходах известно, только если этого хотел автор письма; те, что сделаны программами проверки почты, отмечены."
            : "What was sent to this person and what came of it, as the mail server has it. Openings and links are known only where the author of a letter wanted it; those of programs that look into mail are marked.", 8.5, gray: 0.3);
        flow.Space(8);
        flow.Table([13, 12, 20, 35], russian ? ["Когда", "Что", "Письмо", "Подробности"] : ["When", "What", "Letter", "Details"], timeline.Entries.Select(entry => (IReadOnlyList<string>)
        [
            When(entry.At), Word(entry, russian), entry.Subject.Length > 0 ? entry.Subject : entry.Mailing is { } mailing ? (russian ? $"рассылка {mailing}" : $"mailing {mailing}") : "", Details(entry, russian),
        ]), 7.5);
        if (timeline.Entries.Count == 0) flow.Paragraph(russian ? "Ничего не отправлялось." : "Nothing was sent.");
        flow.Foots((page, of) => $"{timeline.Person.Address} · {timeline.Course.Name} · {When(timeline.Made)} · {(russian ? "стр." : "page")} {page}/{of}");
        return document.ToArray();
    }

    static string Word(TimelineEntry entry, bool russian)
    {
        var word = words.TryGetValue(entry.What, out var both) ? russian ? both.Russian : both.English : entry.What;
        return entry.Times > 1 ? string.Create(CultureInfo.InvariantCulture, $"{word} ×{entry.Times}") : word;
    }

    static string Details(TimelineEntry entry, bool russian)
    {
        var lines = new List<string>();
        if (entry.Told.Length > 0) lines.Add(entry.Class is { } cause ? $"{entry.Told} ({cause})" : entry.Told);
        if (entry.Host is { } host) lines.Add(entry.Tls is { } tls ? $"{host}, {tls}" : host);
        if (entry.Program is { } program) lines.Add((russian ? "вероятно, программа: " : "likely a program: ") + program);
        if (entry.MessageId is { } id && entry.What is "queued" or "delivered") lines.Add($"Message-ID: <{id}>");
        return string.Join('\n', lines);
    }
}
