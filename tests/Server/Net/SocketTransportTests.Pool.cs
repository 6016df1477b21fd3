using CbaMail.Net;
using Xunit;

namespace CbaMail.Tests.Server.Net;

// where what waits goes on
public sealed partial class SocketTransportTests
{
    [Fact]
    public async Task What_has_left_the_loop_goes_on_upon_the_pool_until_it_is_brief_again()
    {
        var (client, server) = await ConnectAsync();
        static string Where() => Thread.CurrentThread.IsThreadPoolThread ? "pool" : Thread.CurrentThread.Name ?? "";
        async Task<List<string>> GoAsync()
        {
            var where = new List<string>();
            await ReadAsync();
            where.Add(Where());
            server.RunsInline = false;
            await new PoolHop();
            where.Add(Where());
            await new PoolHop(); // it is there already
            await ReadAsync();
            where.Add(Where());
            server.RunsInline = true;
            await ReadAsync();
            where.Add(Where());
            return where;
        }
        async Task ReadAsync()
        {
            var result = await server.Reader.ReadAsync();
            server.Reader.AdvanceTo(result.Buffer.End);
            await server.Writer.WriteAsync("+"u8.ToArray());
        }
        var went = GoAsync();
        for (var i = 0; i < 3; i++)
        {
            await client.SendAsync("x"u8.ToArray());
            await client.ReceiveAsync(new byte[1]).WaitAsync(Soon);
        }
        Assert.Equal(["events", "pool", "pool", "events"], await went.WaitAsync(Soon));
    }
}
