using System.Text;
using CbaMail.Imap.Commands;
using CbaMail.Mailboxes.Search;
using CbaMail.Mime;
using CbaMail.Text;
using Xunit;

namespace CbaMail.Tests.Server.Imap.Searching;

/// <summary>What is seen of a header field without making text of it is what its text says.</summary>
public class FieldSearchTests
{
    static readonly string[] Pieces =
        ["a", "B", "z", "Hello", "world", " ", "  ", "\t", "\r\n ", "(", ")", "\\", "@", " @ ", "=?", "?=", "=?UTF-8?Q?Gr=C3=BC=C3=9Fe?=", "=?utf-8?B?0J/RgNC40LLQtdGC?=", "ü", "İ", "ı", "ſ", "K", "\0", "\u001b", "\u007f", "~"];

    [Fact]
    public void A_field_has_what_its_decoded_text_has()
    {
        var random = new Random(9051);
        for (var round = 0; round < 20_000; round++)
        {
            var name = random.Next(3) == 0 ? "From" : "Subject";
            var value = Some(random, 12);
            var header = Encoding.UTF8.GetBytes($"X-Other: hello\r\n{name}: {value}\r\n");
            var reader = new HeaderReader(header);
            var fields = new List<HeaderField>();
            while (reader.Next(out var field))
                if (Ascii.EqualsIgnoreCase(header.AsSpan(field.Start, field.NameLength), name)) fields.Add(new HeaderField(name, header[field.ValueStart..field.End], field));
            var key = Casemap.Key(random.Next(2) == 0 || fields.Count == 0 ? Some(random, 3) : Cut(random, fields[0].Value));
            var expected = fields.Exists(field => key.Length == 0 || Has(field.Value, key) || MessageText.PlainAddresses(field, field.Value).Any(address => Has(address, key)));

            Assert.True(expected == SearchText.FieldContains(header, name, key), $"{name}: {value.Replace("\r\n", "\\r\\n", StringComparison.Ordinal)} for {key}");
        }
    }

    [Fact]
    public void A_long_value_is_searched_to_its_end()
    {
        var header = Encoding.ASCII.GetBytes($"Subject: {new string('x', 2000)}needle\r\n");
        Assert.True(SearchText.FieldContains(header, "subject", "NEEDLE"));
        Assert.False(SearchText.FieldContains(header, "subject", "NEEDLES"));
        Assert.False(SearchText.FieldContains("Subject: short\r\n"u8, "subject", new string('X', 3000)));
    }

    static bool Has(string text, string key) => Casemap.Key(text).Contains(key, StringComparison.Ordinal);

    static string Some(Random random, int most) => string.Concat(Enumerable.Range(0, random.Next(most + 1)).Select(_ => Pieces[random.Next(Pieces.Length)]));

    static string Cut(Random random, string text)
    {
        var from = random.Next(text.Length + 1);
        return text.Substring(from, random.Next(Math.Min(8, text.Length - from) + 1));
    }
}
