using System.Text;
using CbaMail.Imap;
using CbaMail.Mailboxes;
using Xunit;

namespace CbaMail.Tests.Server.Imap;

public sealed class ImapReaderTests
{
    static ImapReader Over(string text) => new(Encoding.UTF8.GetBytes(text));

    [Theory]
    [InlineData("atom", "atom")]
    [InlineData("at]om", "at]om")]
    [InlineData("\"quoted \\\"x\\\\\"", "quoted \"x\\")]
    [InlineData("\"\"", "")]
    [InlineData("{3}\r\nabc", "abc")]
    [InlineData("{3+}\r\na\r\n", "a\r\n")]
    [InlineData("{0}\r\n", "")]
    [InlineData("\"Привет\"", "Привет")]
    public void An_astring_comes_in_three_forms(string wire, string value)
    {
        var reader = Over(wire);
        Assert.Equal(value, reader.Astring());
        reader.End();
        Assert.Null(reader.Error);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\"open")]
    [InlineData("\"open\\")]
    [InlineData("{5}\r\nabc")]
    [InlineData("{5}abcde")]
    [InlineData("{-1}\r\n")]
    [InlineData("{99999999999999999999}\r\n")]
    [InlineData("(")]
    [InlineData("%")]
    public void What_is_no_astring_fails_and_stays_failed(string wire)
    {
        var reader = Over(wire);
        Assert.Equal("", reader.Astring());
        Assert.True(reader.Failed);
        var first = reader.Error;
        reader.Space();
        reader.Number();
        Assert.Equal(first, reader.Error);
    }

    [Theory]
    [InlineData("1", 10, "1-1")]
    [InlineData("*", 10, "10-10")]
    [InlineData("3:1", 10, "1-3")]
    [InlineData("5:*", 3, "3-5")]
    [InlineData("1,2,3:4,7,6", 10, "1-4 6-7")]
    [InlineData("4294967295:1", 10, "1-4294967295")]
    public void A_sequence_set_becomes_rising_ranges(string wire, uint last, string ranges)
    {
        var reader = Over(wire);
        var set = reader.Set();
        reader.End();
        Assert.Null(reader.Error);
        Assert.Equal(ranges, string.Join(' ', set.Normalize(last).Select(r => $"{r.From}-{r.To}")));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("1:")]
    [InlineData(",1")]
    [InlineData("1,,2")]
    [InlineData("4294967296")]
    [InlineData("a")]
    [InlineData("1:2:3")]
    [InlineData("1,$")]
    public void A_wrong_sequence_set_fails(string wire)
    {
        var reader = Over(wire);
        reader.Set();
        reader.End();
        Assert.True(reader.Failed);
    }

    [Theory]
    [InlineData("\"17-Jul-1996 02:44:25 -0700\"", "1996-07-17T09:44:25")]
    [InlineData("\" 1-Feb-2020 00:00:00 +0000\"", "2020-02-01T00:00:00")]
    [InlineData("\"1-feb-2020 00:00:60 +0300\"", "2020-01-31T21:00:59")]
    public void A_date_with_time_is_read(string wire, string utc)
    {
        var reader = Over(wire);
        var time = reader.DateTime();
        Assert.Null(reader.Error);
        Assert.Equal(utc, time.UtcDateTime.ToString("s"));
        Span<byte> again = stackalloc byte[32];
        var length = ImapDate.Write(again, time);
        Assert.True(ImapDate.TryParse(again[1..(length - 1)], out var read));
        Assert.Equal(time.UtcTicks, read.UtcTicks);
    }

    [Theory]
    [InlineData("\"31-Feb-2020 00:00:00 +0000\"")]
    [InlineData("\"1-Feb-2020 24:00:00 +0000\"")]
    [InlineData("\"1-Feb-2020 00:00:00 0000\"")]
    [InlineData("\"1-Foo-2020 00:00:00 +0000\"")]
    [InlineData("\"1-Jan-0000 00:00:00 +0000\"")]
    [InlineData("\"1-Jan-0001 00:00:00 +1400\"")]
    [InlineData("\"\"")]
    [InlineData("1-Jan-2020")]
    public void A_wrong_date_fails(string wire)
    {
        var reader = Over(wire);
        reader.DateTime();
        Assert.True(reader.Failed);
    }

    [Fact]
    public void Flags_are_bits_and_keywords_once_each()
    {
        var reader = Over("(\\seen $Junk \\FLAGGED $junk)");
        var (flags, keywords) = reader.Flags();
        Assert.Null(reader.Error);
        Assert.Equal(MessageFlags.Seen | MessageFlags.Flagged, flags);
        Assert.Equal(["$Junk"], keywords);
    }

    [Theory]
    [InlineData("a {5}", 5, false, false)]
    [InlineData("a {5+}", 5, true, false)]
    [InlineData("a ~{5+}", 5, true, true)]
    [InlineData("{0}", 0, false, false)]
    public void A_literal_is_announced_at_the_end(string line, long length, bool unasked, bool binary)
    {
        Assert.True(PendingLiteral.TryFind(Encoding.ASCII.GetBytes(line), out var literal));
        Assert.Equal((length, unasked, binary), (literal.Length, literal.NonSynchronizing, literal.Binary));
    }

    [Theory]
    [InlineData("a {5} ")]
    [InlineData("a {}")]
    [InlineData("a {+}")]
    [InlineData("a {5-}")]
    [InlineData("a 5}")]
    [InlineData("}")]
    public void What_is_no_announcement_is_none(string line) => Assert.False(PendingLiteral.TryFind(Encoding.ASCII.GetBytes(line), out _));

    [Theory]
    [InlineData("", "*", "a", true)]
    [InlineData("", "%", "a/b", false)]
    [InlineData("", "a/%", "a/b", true)]
    [InlineData("a/", "%", "a/b", true)]
    [InlineData("", "%/%", "a/b", true)]
    [InlineData("", "*b", "a/b", true)]
    [InlineData("", "inBOX", "INBOX", true)]
    [InlineData("", "i*", "INBOX/x", true)]
    [InlineData("", "a", "A", false)]
    [InlineData("", "**%%*", "anything/at/all", true)]
    [InlineData("", "a*c%e", "abc/cde", true)]
    [InlineData("", "", "a", false)]
    public void Patterns_match_names(string reference, string pattern, string name, bool matches) =>
        Assert.Equal(matches, new ListPattern(reference, pattern).Matches(name));

    [Fact]
    public void A_hostile_pattern_costs_little()
    {
        var pattern = new ListPattern("", string.Concat(Enumerable.Repeat("*a", 500)));
        Assert.False(pattern.Matches(new string('a', 499) + "b"));
    }
}
