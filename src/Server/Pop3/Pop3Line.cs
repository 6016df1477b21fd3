using System.Buffers;
using System.Text;

namespace CbaMail.Pop3;

/// <summary>
/// A line of the client (RFC 2449 4, RFC 1939 3): a keyword, and behind one space its argument as it stands, since passwords have spaces.
/// Total: whatever comes is a line or the sentence that says why not.
/// </summary>
internal readonly record struct Pop3Line(string Verb, string Argument, Phrase? Problem)
{
    const int LongestVerb = 16;

    static readonly SearchValues<byte> Controls = SearchValues.Create([.. Enumerable.Range(0, 32).Select(i => (byte)i), 127]);

    public static Pop3Line Parse(ReadOnlySpan<byte> line)
    {
        var space = line.IndexOf((byte)' ');
        var verb = space < 0 ? line : line[..space];
        var rest = space < 0 ? default : line[(space + 1)..];
        var name = verb.Length > LongestVerb || verb.ContainsAnyExceptInRange((byte)'!', (byte)'~') ? "?" : Encoding.ASCII.GetString(verb).ToUpperInvariant();
        if (line.ContainsAny(Controls)) return new(name, "", Phrases.BadCharacters);
        if (!System.Text.Unicode.Utf8.IsValid(rest)) return new(name, "", Phrases.BadUtf8); // RFC 6856 2.2
        return new(name, Encoding.UTF8.GetString(rest), null);
    }

    /// <summary>Words between spaces; one that stands too many is passed over.</summary>
    public static string[] Words(string argument) => argument.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>A number of the grammar: digits alone. One that nothing can have counts as the largest.</summary>
    public static bool TryNumber(string word, out long number)
    {
        number = 0;
        if (word.Length == 0) return false;
        foreach (var c in word)
        {
            if (!char.IsAsciiDigit(c)) return false;
            number = Math.Min(number * 10 + (c - '0'), int.MaxValue);
        }
        return true;
    }
}
