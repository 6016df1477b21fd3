using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using CbaMail.Html;

namespace CbaMail.Mailings;

/// <summary>Something about a letter that its author should look at; it stops nothing.</summary>
/// <param name="Code">Does not change: link.broken, image.alt.</param>
/// <param name="Severity">problem: most readers see it; note: worth knowing.</param>
/// <param name="English">The sentence.</param>
/// <param name="Russian">The same in Russian.</param>
/// <param name="Part">subject, html or text, or null where it is about somebody.</param>
/// <param name="Line">1-based, in the HTML as it was compiled.</param>
/// <param name="Row">Of the course's table.</param>
public sealed record CheckFinding(string Code, string Severity, string English, string Russian, string? Part = null, int? Line = null, int? Column = null, int? Row = null, string? Address = null);

/// <summary>Looks at a letter as a reader would: links, images, language, subject, and what was forgotten.</summary>
/// <param name="html">Its template, for the places; null without HTML.</param>
/// <param name="subject">As one person gets it, with <paramref name="text"/>.</param>
/// <param name="language">That it should be in: ru or en.</param>
sealed partial class LetterCheck(string? html, bool hasText, string subject, string text, string language, int attachments)
{
    const int Most = 100;
    const int LongSubject = 78;

    [GeneratedRegex(@"\b(attached|attachment|enclosed|во вложении|вложенн\w+|прилага\w+|приложен\w*|прикрепл\w+)\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex SpeaksOfFiles { get; }

    [GeneratedRegex(@"\{\{\{?~?&?\s*[^}]*\b(address|email|name|lastName|patronymic)\b[^}]*\}\}", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex PersonalField { get; }

    readonly List<CheckFinding> found = [];

    public IReadOnlyList<CheckFinding> Run()
    {
        if (html is not null)
        {
            var elements = HtmlTree.Read(html);
            foreach (var element in elements)
            {
                if (found.Count >= Most) break;
                if (element.Name is "a" or "area") Link(element);
                else if (element.Name == "img") Image(element, elements);
            }
            if (!hasText) Say("text.derived", "note", "there is no plain text of its own: it is made of the HTML", "своего простого текста нет: он получается из HTML", "text");
        }
        Subject();
        Language();
        if (attachments == 0 && SpeaksOfFiles.Match(text) is { Success: true } word)
            Say("attachment.forgotten", "problem", $"the letter speaks of a file (\"{word.Value}\"), and none is attached", $"в письме говорится о файле («{word.Value}»), а он не приложен", hasText ? "text" : "html");
        return found;
    }

    void Link(HtmlElement element)
    {
        if (element["href"] is not { } href) return;
        href = href.Trim();
        var fields = href.Contains("{{", StringComparison.Ordinal);
        var shown = href.Length > 100 ? href[..100] + "…" : href;
        if (href.Length == 0 || href == "#") At(element, "link.empty", "problem", "a link leads nowhere", "ссылка никуда не ведёт");
        else if (href[0] == '#' || href.StartsWith("mailto:", StringComparison.OrdinalIgnoreCase) || href.StartsWith("tel:", StringComparison.OrdinalIgnoreCase)) { }
        else if (href.StartsWith("http://", StringComparison.OrdinalIgnoreCase)) At(element, "link.insecure", "note", $"the link {shown} is not https", $"ссылка {shown} — не https");
        else if (fields && !href.StartsWith("https://", StringComparison.OrdinalIgnoreCase)) { if (!href.StartsWith("{{", StringComparison.Ordinal)) Broken(element, shown); }
        else if (!Uri.TryCreate(fields ? href[..href.IndexOf("{{", StringComparison.Ordinal)] + "x" : href.Replace("&amp;", "&", StringComparison.Ordinal), UriKind.Absolute, out var link) || link.Scheme != Uri.UriSchemeHttps || link.Host.Length == 0 || href.Any(char.IsWhiteSpace) && !fields)
            Broken(element, shown);
        if (fields && PersonalField.IsMatch(href) && href.StartsWith("http", StringComparison.OrdinalIgnoreCase))
            At(element, "field.leak", "note", "a link tells another site who the reader is: it has his name or address in it", "ссылка сообщает другому сайту, кто читатель: в ней его имя или адрес");
    }

    void Broken(HtmlElement element, string shown) => At(element, "link.broken", "problem", $"the link {shown} is no address of a page: it begins with https://", $"ссылка {shown} — не адрес страницы: он начинается с https://");

    void Image(HtmlElement element, IReadOnlyList<HtmlElement> elements)
    {
        var alone = element.Parent >= 0 && elements[element.Parent].Name == "a" && element.IsLast && element.Previous < 0;
        if (element["width"] is "1" && element["height"] is "1") return;
        if (element["alt"] is null) At(element, "image.alt", "problem", "an image has no text for those who do not see it: alt=\"…\", or alt=\"\" where it is an ornament", "у картинки нет текста для тех, кто её не видит: alt=\"…\" или alt=\"\", если это украшение");
        else if (alone && string.IsNullOrWhiteSpace(element["alt"])) At(element, "image.alt", "problem", "an image is a link, and has no text that says where it leads: alt", "картинка служит ссылкой, но у неё нет текста о том, куда она ведёт: alt");
        if (element["src"] is null or "") At(element, "image.source", "problem", "an image has no source: src", "у картинки не указан файл: src");
    }

    void Subject()
    {
        var letters = subject.Count(char.IsLetter);
        if (subject.Length > LongSubject) Say("subject.long", "note", $"the subject has {subject.Length} characters; telephones show some 40", $"в теме {subject.Length} знаков; на телефоне видно около 40", "subject");
        if (letters >= 8 && subject.Where(char.IsLetter).All(char.IsUpper)) Say("subject.capitals", "problem", "the subject is all in capitals, as in spam", "тема набрана прописными буквами, как у спама", "subject");
        if (subject.Contains("!!", StringComparison.Ordinal)) Say("subject.exclamation", "note", "the subject has several exclamation marks, as in spam", "в теме несколько восклицательных знаков, как у спама", "subject");
    }

    void Language()
    {
        var (cyrillic, letters) = (0, 0);
        foreach (var c in text)
        {
            if (!char.IsLetter(c)) continue;
            letters++;
            if (c is >= 'Ѐ' and <= 'ӿ') cyrillic++;
        }
        if (letters < 40) return;
        var share = 100 * cyrillic / letters;
        if (language == "ru" && share < 40) Say("language.wrong", "problem", string.Create(CultureInfo.InvariantCulture, $"the letter should be in Russian, and {share} % of its letters are Cyrillic"), string.Create(CultureInfo.InvariantCulture, $"письмо должно быть на русском, а кириллицы в нём {share} %"), hasText ? "text" : "html");
        if (language == "en" && share > 40) Say("language.wrong", "problem", string.Create(CultureInfo.InvariantCulture, $"the letter should be in English, and {share} % of its letters are Cyrillic"), string.Create(CultureInfo.InvariantCulture, $"письмо должно быть на английском, а кириллицы в нём {share} %"), hasText ? "text" : "html");
    }

    void At(HtmlElement element, string code, string severity, string english, string russian)
    {
        var (line, column) = HtmlTree.Place(html!, element.Start);
        found.Add(new(code, severity, english, russian, "html", line, column));
    }

    void Say(string code, string severity, string english, string russian, string part) => found.Add(new(code, severity, english, russian, part));

    /// <summary>Of a copy's size: Gmail hides what is behind the first 102 KB of HTML.</summary>
    public static CheckFinding Clipped(int copies, int people) => new("size.clipped", "problem",
        $"{copies} of {people} copies have more than 102 KB of HTML: Gmail hides the end of such mail", $"Писем, где больше 102 КБ HTML: {copies} из {people}; Gmail скрывает конец таких писем", "html");

    /// <summary>Whether UTF-8 makes more of the text.</summary>
    public static bool IsLonger(StringBuilder text, int bytes)
    {
        if (text.Length > bytes) return true;
        if (text.Length * 3 <= bytes) return false;
        var length = 0;
        foreach (var chunk in text.GetChunks()) length += Encoding.UTF8.GetByteCount(chunk.Span);
        return length > bytes;
    }
}
