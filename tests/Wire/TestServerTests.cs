using Xunit;

namespace CbaMail.Tests.Wire;

public class TestServerTests
{
    [Fact]
    public async Task The_program_starts_says_what_it_is_and_stops_cleanly()
    {
        await using var server = await TestServer.StartAsync();
        Assert.Contains("EVALUATION", server.Log);
        Assert.Equal(0, await server.StopAsync());
    }

    [Fact]
    public async Task A_second_server_on_the_same_data_is_refused_with_a_sentence()
    {
        await using var server = await TestServer.StartAsync();
        var second = await Tool.RunAsync(TestServer.Program, "serve", "--evaluation", "--data", server.Data, "--port-offset", FreePorts.Offset().ToString(null as IFormatProvider));
        second.Failed(1);
        Assert.Single(second.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.DoesNotContain("   at ", second.All);
        Assert.True(server.IsRunning);
    }

    [Fact]
    public async Task A_killed_server_starts_again_over_its_data()
    {
        await using var server = await TestServer.StartAsync();
        await server.KillAsync();
        await server.StartAgainAsync();
        Assert.Equal(0, await server.StopAsync());
    }
}
