using CbaMail.Mailboxes.Search;
using CbaMail.Mime;
using CbaMail.Storage.Search;
using CbaMail.Text;
using Xunit;

namespace CbaMail.Tests.Server.Mailboxes.Search;

/// <summary>Texts that are looked at in pieces hold what they hold as a whole, wherever the pieces are cut.</summary>
public sealed class TextPiecesTests
{
    sealed class Words : WordTaker
    {
        public List<string> All { get; } = [];

        private protected override bool Word(ReadOnlySpan<char> word)
        {
            All.Add(word.ToString());
            return true;
        }

        private protected override void IsLong()
        {
            if (!All.Contains("long")) All.Insert(0, "long");
        }
    }

    // no half of a pair at an end
    static void Give(string text, ITextTaker taker, Random random)
    {
        for (var rest = text.AsSpan(); !rest.IsEmpty;)
            if (!taker.Take(SearchWords.Take(ref rest, random.Next(2, 90)))) return;
        taker.End();
    }

    static List<string> WordsOf(string text)
    {
        var all = new List<string>();
        var words = new SearchWords(Casemap.Key(text));
        while (words.Next(out var word))
        {
            if (word.Length > Sections.Piece && !all.Contains("long")) all.Insert(0, "long");
            while (!word.IsEmpty) all.Add(SearchWords.Take(ref word, Sections.Piece).ToString());
        }
        return all;
    }

    [Fact]
    public void Words_and_needles_are_found_across_pieces()
    {
        const int seed = 5;
        var (letters, random) = (new Letters(seed), new Random(seed));
        using var words = new Words();
        for (var round = 0; round < 400; round++)
        {
            var text = letters.Text(random.Next(60));
            words.All.Clear();
            Give(text, words, random);
            Assert.Equal(WordsOf(text), words.All);

            var needle = Casemap.Key(letters.Needle([text, letters.Text(3)]));
            if (needle.Length == 0) continue;
            using var finder = new TextFinder(needle);
            Give(text, finder, random);
            Assert.True(finder.Found == Casemap.Key(text).Contains(needle, StringComparison.Ordinal), $"round {round} of seed {seed}: {needle}");
        }
    }

    static byte[] Encoded(byte[] bytes, string encoding)
    {
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        if (encoding == "base64") TransferEncoding.WriteBase64(output, bytes);
        else if (encoding == "quoted-printable") TransferEncoding.WriteQuoted(output, bytes);
        else return bytes;
        return output.WrittenSpan.ToArray();
    }

    [Fact]
    public void Parts_are_decoded_to_what_they_are_as_a_whole()
    {
        const int seed = 6;
        var (letters, random) = (new Letters(seed), new Random(seed));
        foreach (var written in (string[])["utf-8", "koi8-r", "windows-1251", "iso-8859-1", "us-ascii"])
            foreach (var named in (string?[])[written, null, "us-ascii", "utf-8", "x-nobody-knows", "iso-8859-5"])
                foreach (var encoding in (string[])["7bit", "base64", "quoted-printable", "x-nobody-knows"])
                    for (var round = 0; round < 4; round++)
                    {
                        var content = Charset.Find(written)!.GetBytes((round == 1 ? "\ufeff" : "") + letters.Text(random.Next(round == 0 ? 2 : 60)).ReplaceLineEndings("\r\n"));
                        if (round == 3 && content.Length > 0) content = content[..^1]; // perhaps within a character
                        var bytes = Encoded(content, encoding);
                        using var part = PartText.TryCreate(encoding, named, taker =>
                        {
                            for (var at = 0; at < bytes.Length;)
                            {
                                var count = Math.Min(random.Next(1, 300), bytes.Length - at);
                                if (!taker.Take(bytes.AsSpan(at, count))) return;
                                at += count;
                            }
                        });
                        var whole = new GatheredTexts();
                        Assert.NotNull(part);
                        Assert.True(part.Give(whole) && whole.End());
                        Assert.Equal(Charset.Decode(TransferEncoding.Decode(bytes, encoding), named), whole.All[0]);
                    }
    }

    [Theory]
    [InlineData("7bit", "utf-7")]
    [InlineData("7bit", "utf-16")]
    [InlineData("base64", "gb2312")]
    [InlineData("base64", "iso-2022-jp")]
    [InlineData("x-uuencode", "utf-8")]
    public void What_only_the_whole_tells_is_not_read_in_pieces(string encoding, string charset) => Assert.Null(PartText.TryCreate(encoding, charset, _ => { }));
}
