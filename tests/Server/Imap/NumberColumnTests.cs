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
}
