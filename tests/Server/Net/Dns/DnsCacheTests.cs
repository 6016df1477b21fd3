using System.Text;
using CbaMail.Dns;
using CbaMail.Net.Dns;
using Xunit;

namespace CbaMail.Tests.Server.Net.Dns;

public sealed class DnsCacheTests
{
    static DnsResult Text(string name, int length) =>
        new(DnsStatus.Found, [new TextRecord(name, 300, [.. Encoding.ASCII.GetBytes(new string('a', length)).Chunk(255)])], false, TimeSpan.FromMinutes(5));

    [Fact]
    public void Large_answers_of_a_stranger_do_not_fill_the_memory()
    {
        var cache = new DnsCache(10_000, TimeProvider.System, mostBytes: 1 << 20);
        for (var i = 0; i < 1000; i++) cache.Add($"{i}.evil.test", DnsType.Txt, Text("x", 60_000));
        Assert.InRange(cache.Count, 10, 17);
        Assert.InRange(cache.Bytes, 1, 1 << 20);
        Assert.NotNull(cache.Find("999.evil.test", DnsType.Txt));
        Assert.Null(cache.Find("0.evil.test", DnsType.Txt));
    }

    [Fact]
    public void An_answer_that_is_renewed_counts_once()
    {
        var cache = new DnsCache(10, TimeProvider.System);
        cache.Add("a.test", DnsType.Txt, Text("a.test", 10_000));
        cache.Add("a.test", DnsType.Txt, Text("a.test", 10));
        var small = cache.Bytes;
        for (var i = 0; i < 100; i++) cache.Add("a.test", DnsType.Txt, Text("a.test", 10));
        Assert.Equal(small, cache.Bytes);
        for (var i = 0; i < 100; i++) cache.Add($"{i}.test", DnsType.Txt, Text("a", 10));
        Assert.InRange(cache.Bytes, 0, 10 * 2 * small);
    }
}
