using System.Text;

namespace CbaMail.Tests.Server.Mailboxes.Search;

/// <summary>Random messages in Russian, English and both, with what makes searching hard.</summary>
sealed class Letters(int seed)
{
    readonly Random random = new(seed);
    static readonly string[] Words =
        ("the meeting about our course will be on monday please read attached report and answer before friday thank you Anna happy happiness quarterly results café naïve "
        + "договор договора Договору курс курса письмо письма всё все ёлка елка съезд Ещё мой мои России российский отчёт отчет день добрый Здравствуйте спасибо до свидания "
        + "x-17 2026 a@b.test foo_bar don't C++ 10% ﬁnal ½ 日本語 résumé \U0001f600 д\u0301а \U00020000字 и\u0306 İstanbul ǆ").Split(' ');

    public string Word() => random.Next(12) switch
    {
        0 => Long(),
        1 => Words[random.Next(Words.Length)].ToUpperInvariant(),
        2 => new string([.. Enumerable.Range(0, random.Next(1, 9)).Select(_ => (char)('а' + random.Next(32)))]),
        3 => random.Next(10_000).ToString(),
        _ => Words[random.Next(Words.Length)],
    };

    string Long() => random.Next(3) > 0 ? Words[random.Next(Words.Length)] : new string([.. Enumerable.Range(0, random.Next(50, 300)).Select(_ => (char)('a' + random.Next(26)))]);

    public string Text(int words) => string.Join("", Enumerable.Range(0, words).Select(_ => Word() + random.Next(14) switch { 0 => ", ", 1 => ".\r\n", 2 => "-", 3 => "\r\n", 4 => "", _ => " " }));

    string Field(int words)
    {
        var text = Text(words).ReplaceLineEndings(" ");
        return random.Next(2) == 0 && Ascii.IsValid(text) ? text : $"=?utf-8?B?{Convert.ToBase64String(Encoding.UTF8.GetBytes(text))}?=";
    }

    public byte[] Message()
    {
        var output = new StringBuilder();
        output.Append($"From: {Field(2)} <{Words[random.Next(24)]}@example.test>\r\nTo: b@example.test\r\nSubject: {Field(random.Next(6))}\r\nMessage-ID: <{random.NextInt64():x}@example.test>\r\n");
        if (random.Next(4) == 0) output.Append($"Reply-To: \"{Words[random.Next(24)]}\\{Words[random.Next(12)]}\" (a comment) <{Words[random.Next(12)]}(more)@example.test>\r\n");
        if (random.Next(3) == 0) output.Append($"X-Course-Name: {Field(3)}\r\n");
        if (random.Next(4) == 0) output.Append("Cc:\r\n");
        output.Append("MIME-Version: 1.0\r\n");
        switch (random.Next(4))
        {
            case 0:
                output.Append($"Content-Type: text/html; charset=utf-8\r\n\r\n<p class=\"{Words[random.Next(20)]}\">{Text(random.Next(30))}&amp;<b>{Text(4)}</b>{Word()}</p>");
                break;
            case 1:
                output.Append($"Content-Type: multipart/mixed; boundary=zz\r\n\r\n--zz\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{Text(random.Next(40))}\r\n--zz\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename*=utf-8''{Uri.EscapeDataString(Word())}.pdf\r\n\r\nnot text\r\n--zz--\r\n");
                break;
            case 2:
                output.Append($"Content-Type: message/rfc822\r\n\r\nSubject: {Field(3)}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{Text(10)}");
                break;
            default:
                output.Append($"Content-Type: text/plain; charset=utf-8\r\n\r\n{Text(random.Next(80))}");
                break;
        }
        return Encoding.UTF8.GetBytes(output.ToString());
    }

    /// <summary>Mostly a piece of some text, in any case.</summary>
    public string Needle(IReadOnlyList<string> texts)
    {
        var text = texts[random.Next(texts.Count)];
        if (text.Length == 0 || random.Next(8) == 0) return Word();
        var start = random.Next(text.Length);
        var needle = text.Substring(start, Math.Min(text.Length - start, random.Next(4) == 0 ? random.Next(1, 100) : random.Next(1, 12)));
        needle = random.Next(3) switch { 0 => needle.ToUpperInvariant(), 1 => needle.ToLowerInvariant(), _ => needle };
        if (random.Next(10) == 0) needle += Word()[..1];
        return string.Concat(needle.EnumerateRunes().Where(rune => rune != Rune.ReplacementChar)); // no half of a pair: the wire has none
    }
}
