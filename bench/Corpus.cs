using System.Globalization;
using System.Text;

namespace CbaMail.Bench;

/// <summary>Repeatable text that compresses about as real mail does.</summary>
internal static class Corpus
{
    private static readonly string[] Words = MakeWords();

    private static string[] MakeWords()
    {
        var random = new Random(7);
        return [.. Enumerable.Range(0, 6000).Select(_ => string.Concat(Enumerable.Range(0, random.Next(1, 5)).Select(_ => "bcdfghklmnprstvw"[random.Next(16)].ToString() + "aeiou"[random.Next(5)])))];
    }

    public static string Text(Random random, int size)
    {
        var text = new StringBuilder(size + 80);
        while (text.Length < size)
        {
            // a few words are frequent, most are rare
            for (var i = 0; i < 11; i++) text.Append(Words[(int)(Words.Length * Math.Pow(random.NextDouble(), 3))]).Append(' ');
            text.Append("\r\n");
        }
        return text.ToString(0, size).TrimEnd('\r'); // never half a line end
    }

    /// <summary>A multipart/alternative message of about that size.</summary>
    public static byte[] Message(int number, string to, int size)
    {
        var random = new Random(number);
        var body = Text(random, Math.Max(200, (size - 700) / 2));
        return Compose("From: Course Office <office@bench.test>", number, to, $"{Text(random, 40).ReplaceLineEndings(" ")} {number}",
            string.Create(CultureInfo.InvariantCulture, $"{number}.{random.NextInt64():x}"), "Mon, 02 Feb 2026 10:00:00 +0000", body);
    }

    /// <summary>A message of a mailbox of many years: from one of 500 people, an answer in a conversation of five; it has the word "token" with its number and an x.</summary>
    public static byte[] Letter(int number, string to, int size)
    {
        // ten conversations at a time
        var (topic, answers) = (number / 50 * 10 + number % 10, number % 50 / 10);
        var earlier = string.Join(' ', Enumerable.Range(0, answers).Select(back => string.Create(CultureInfo.InvariantCulture, $"<letter.{number - (answers - back) * 10}@bench.test>")));
        var fields = string.Create(CultureInfo.InvariantCulture, $"From: Person {number * 7 % 500} <p{number * 7 % 500}@people.test>")
            + (answers == 0 ? "" : $"\r\nIn-Reply-To: {earlier[(earlier.LastIndexOf(' ') + 1)..]}\r\nReferences: {earlier}");
        var subject = string.Create(CultureInfo.InvariantCulture, $"{(answers == 0 ? "" : "Re: ")}{Text(new(topic), 30).ReplaceLineEndings(" ")} topic {topic}");
        var date = new DateTimeOffset(2016, 1, 1, 8, 0, 0, TimeSpan.Zero).AddMinutes(number * 37.0).ToString("ddd, dd MMM yyyy HH:mm:ss +0000", CultureInfo.InvariantCulture);
        return Compose(fields, number, to, subject, $"letter.{number}", date, $"token{number}x\r\n" + Text(new(number), Math.Max(200, (size - 900) / 2)));
    }

    private static byte[] Compose(string from, int number, string to, string subject, string id, string date, string body) =>
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{from}\r\nTo: Student {number} <{to}>\r\nSubject: {subject}\r\nMessage-ID: <{id}@bench.test>\r\nDate: {date}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"b{number}\"\r\n\r\n--b{number}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n--b{number}\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body><p>{body}</p></body></html>\r\n--b{number}--\r\n"));
}
