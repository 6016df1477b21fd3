using CbaMail.Mime;
using Xunit;

namespace CbaMail.Tests.Formats.Mime;

public class MailDateTests
{
    [Theory]
    [InlineData("Fri, 21 Nov 1997 09:55:06 -0600", "1997-11-21T09:55:06-06:00")]
    [InlineData("Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n               -0330 (Newfoundland Time)", "1969-02-13T23:32:00-03:30")]
    [InlineData("21 Nov 97 09:55:06 GMT", "1997-11-21T09:55:06+00:00")]
    [InlineData("Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", "1997-11-21T09:55:06-06:00")]
    [InlineData("Mon, 1 Jan 2024 10:00:00 +0300 (MSK)", "2024-01-01T10:00:00+03:00")]
    [InlineData("Mon Jan  1 10:00:00 2024", "2024-01-01T10:00:00+00:00")]
    [InlineData("Mon Jan  1 10:00:00 MSK 2024", "2024-01-01T10:00:00+03:00")]
    [InlineData("Mon Jan 01 2024 10:00:00 GMT+0300 (Moscow)", "2024-01-01T10:00:00+03:00")]
    [InlineData("2024-01-01 10:00:00", "2024-01-01T10:00:00+00:00")]
    [InlineData("2024-01-01T10:00:00Z", "2024-01-01T10:00:00+00:00")]
    [InlineData("2024-01-01T10:00:00.123+03:00", "2024-01-01T10:00:00+03:00")]
    [InlineData("1-Jan-2024 10:00:00 +0000", "2024-01-01T10:00:00+00:00")]
    [InlineData("Mon, 1 January 2024 10:00 PM EST", "2024-01-01T22:00:00-05:00")]
    [InlineData("Mon, 1 Jan 24 10.00.00 -05", "2024-01-01T10:00:00-05:00")]
    [InlineData("Mon, 1 Jan 124 10:00:00 Z", "2024-01-01T10:00:00+00:00")]
    [InlineData("1 Jan 2024 10:00:60 +0300", "2024-01-01T10:00:59+03:00")]
    [InlineData("1 Jan 2024", "2024-01-01T00:00:00+00:00")]
    [InlineData("1 Jan 2024 10:00:00 -1600", "2024-01-02T02:00:00+00:00")]
    [InlineData("1 Jan 2024 10:00:00 +9999", "2024-01-01T10:00:00+00:00")]
    [InlineData("31 Feb 2024 10:00:00 +0300", null)]
    [InlineData("", null)]
    [InlineData("tomorrow", null)]
    [InlineData("32 Jan 2024 10:00", null)]
    public void Reads(string text, string? expected)
    {
        var read = MailDate.TryParse(System.Text.Encoding.ASCII.GetBytes(text), out var date);
        Assert.Equal(expected, read ? date.ToString("yyyy-MM-dd'T'HH:mm:sszzz", System.Globalization.CultureInfo.InvariantCulture) : null);
    }

    [Fact]
    public void Written_dates_read_back()
    {
        Assert.Equal("Sun, 22 Nov 2026 09:05:07 -0330", MailDate.Format(new DateTimeOffset(2026, 11, 22, 9, 5, 7, new TimeSpan(-3, -30, 0))));
        for (var seed = 0; seed < 2000; seed++)
        {
            var random = new Random(seed);
            var date = new DateTimeOffset(random.Next(1970, 2100), random.Next(1, 13), random.Next(1, 29), random.Next(24), random.Next(60), random.Next(60), TimeSpan.FromMinutes(random.Next(-56, 57) * 15));
            Assert.True(MailDate.TryParse(MailDate.Format(date), out var back));
            Assert.True(date.EqualsExact(back));
        }
    }

    [Fact]
    public void Junk_is_no_date_and_no_surprise()
    {
        for (var seed = 0; seed < 5000; seed++)
        {
            var random = new Random(seed);
            string[] words = ["Mon", ",", "1", "31", "Jan", "2024", "0001", "9999", "10:00", ":", "+", "-", "+2400", "T", "Z", "AM", "(", ")", " ", " ", "/", ".", "24:60:61", "-0000", "é"];
            MailDate.TryParse(string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => words[random.Next(words.Length)])), out _);
        }
    }
}
