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
        return Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"From: Course Office <office@bench.test>\r\nTo: Student {number} <{to}>\r\nSubject: {Text(random, 40).ReplaceLineEndings(" ")} {number}\r\nMessage-ID: <{number}.{random.NextInt64():x}@bench.test>\r\nDate: Mon, 02 Feb 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"b{number}\"\r\n\r\n--b{number}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n--b{number}\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body><p>{body}</p></body></html>\r\n--b{number}--\r\n"));
    }
}
