using CbaMail.Imap;
using Xunit;

namespace CbaMail.Tests.Server.Imap;

public sealed class NumberColumnTests
{
    [Fact]
    public void Keeps_what_is_put_into_it_whatever_its_size()
    {
        var random = new Random(1);
        for (var round = 0; round < 50; round++)
        {
            var (column, plain) = (new NumberColumn(), new List<long>());
            for (var i = 0; i < 200; i++)
            {
                if (plain.Count == 0 || random.Next(10) == 0)
                {
                    plain.AddRange(new long[random.Next(1, 20)]);
                    column.Resize(plain.Count);
                }
                var at = random.Next(plain.Count);
                plain[at] = column[at] = random.Next(4) switch { 0 => 0, 1 => random.Next(), 2 => uint.MaxValue, _ => round % 2 == 0 ? 7 : random.NextInt64() };
                Assert.Equal(plain, Enumerable.Range(0, plain.Count).Select(n => column[n]));
            }
        }
    }

    [Theory, InlineData(7), InlineData(1L << 40)]
    public void What_is_shared_is_the_own_of_whoever_writes(long number)
    {
        var one = new NumberColumn();
        one.Resize(3);
        one[1] = number;
        var (two, three) = (one.Share(), one.Share());
        one[0] = 1;
        two[1] = long.MaxValue;
        three[1] = number;
        three.Resize(4);
        three[3] = 2;
        Assert.Equal([1, number, 0], new[] { one[0], one[1], one[2] });
        Assert.Equal([0, long.MaxValue, 0], new[] { two[0], two[1], two[2] });
        Assert.Equal([0, number, 0, 2], new[] { three[0], three[1], three[2], three[3] });
    }
}
