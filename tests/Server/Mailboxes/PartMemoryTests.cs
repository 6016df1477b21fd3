using CbaMail.Mailboxes;
using Xunit;

namespace CbaMail.Tests.Server.Mailboxes;

public sealed class PartMemoryTests
{
    static byte[] Part(int seed, int length)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    [Fact]
    public void Ten_attachments_are_made_once_and_shared()
    {
        var memory = new PartMemory(most: 1 << 20);
        var first = Enumerable.Range(0, 10).Select(i => memory.Share(Part(i, 64 << 10))).ToList();
        for (var i = 0; i < 10; i++) Assert.Same(first[i], memory.Share(Part(i, 64 << 10)));
    }

    [Fact]
    public void What_was_seen_first_is_forgotten_first_and_what_is_too_large_is_not_kept()
    {
        var memory = new PartMemory(most: 100_000);
        var (one, two) = (memory.Share(Part(1, 60_000)), memory.Share(Part(2, 60_000)));
        Assert.Same(two, memory.Share(Part(2, 60_000)));
        Assert.NotSame(one, memory.Share(Part(1, 60_000)));
        Assert.NotSame(memory.Share(Part(3, 200_000)), memory.Share(Part(3, 200_000)));
    }
}
