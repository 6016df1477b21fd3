using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace CbaMail.Tests.Server.Imap.Searching;

/// <summary>What arrived in one second stands in the order of the mailbox, which REVERSE does not reverse (RFC 5256 3).</summary>
[Collection("imap")]
public sealed partial class SortArrivalTests(ImapFixture imap)
{
    [Theory, InlineData("ARRIVAL"), InlineData("DATE")]
    public async Task Messages_of_one_second_are_equal(string key)
    {
        await using var client = await imap.InboxAsync(40, await imap.AccountAsync());
        var dates = (await client.OkAsync("FETCH 1:* (INTERNALDATE)")).Select(line => Date().Match(line)).Where(match => match.Success)
            .Select((match, i) => (Number: i + 1, Time: DateTimeOffset.ParseExact(match.Groups[1].Value.Trim(), "d-MMM-yyyy HH:mm:ss zzz", CultureInfo.InvariantCulture))).ToList();
        Assert.Equal(40, dates.Count);
        // all say the same in their Date field
        var expected = string.Join(' ', dates.OrderByDescending(one => key == "DATE" ? default : one.Time).Select(one => one.Number));
        Assert.Contains("* SORT " + expected, await client.OkAsync($"SORT (REVERSE {key}) UTF-8 ALL"));
    }

    [GeneratedRegex("INTERNALDATE \"([^\"]+)\"")] private static partial Regex Date();
}
