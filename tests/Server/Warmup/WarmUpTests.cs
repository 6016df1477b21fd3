using CbaMail.Config;
using CbaMail.Warmup;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Warmup;

public sealed class WarmUpTests : IDisposable
{
    readonly string folder = System.IO.Directory.CreateTempSubdirectory("cbamail-warm-up-test-").FullName;

    [Fact]
    public async Task The_mail_program_hears_OK_to_everything()
    {
        var first = new Settings { Data = Path.Combine(folder, "first") };
        await new WarmUp(first, own => Composition.Build(own), TimeProvider.System, NullLogger<WarmUp>.Instance).LiveAsync(Path.Combine(folder, "second"), TestContext.Current.CancellationToken);

        Assert.False(System.IO.Directory.Exists(first.Data), "what people have is not touched");
    }

    [Fact]
    public async Task A_server_that_stops_does_not_wait_for_its_end()
    {
        using var stop = new CancellationTokenSource();
        var warmUp = new WarmUp(new Settings(), own => { stop.Cancel(); return Composition.Build(own); }, TimeProvider.System, NullLogger<WarmUp>.Instance);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => warmUp.LiveAsync(folder, stop.Token));
    }

    [Fact]
    public async Task What_fails_is_nobodys_trouble()
    {
        var warmUp = new WarmUp(new Settings(), _ => throw new IOException("no space"), TimeProvider.System, NullLogger<WarmUp>.Instance);

        await warmUp.RunAsync();
    }

    public void Dispose() => System.IO.Directory.Delete(folder, recursive: true);
}
