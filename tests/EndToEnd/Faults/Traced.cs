using System.Diagnostics;
using System.Globalization;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Faults;

/// <summary>strace at a running server: writes down its calls, or lets some of them fail.</summary>
internal sealed class Traced : IAsyncDisposable
{
    private readonly Process strace;
    private readonly string file;

    private Traced(Process strace, string file) => (this.strace, this.file) = (strace, file);

    public static async Task<Traced> AttachAsync(TestServer server, params string[] options)
    {
        var file = Path.Combine(Path.GetTempPath(), $"cbamail-trace-{Guid.NewGuid():N}");
        var strace = Process.Start(new ProcessStartInfo(Tool.Find("strace"),
            ["-f", "-o", file, .. options, "-p", server.ProcessId.ToString(CultureInfo.InvariantCulture)])
        { RedirectStandardError = true })!;
        // "strace: Process 17 attached with 30 threads"
        while (await strace.StandardError.ReadLineAsync() is { } line)
        {
            if (line.Contains(" attached", StringComparison.Ordinal))
            {
                _ = strace.StandardError.ReadToEndAsync(); // more threads come and go
                return new Traced(strace, file);
            }
            if (line.Contains("not permitted", StringComparison.Ordinal)) Assert.Skip("This test attaches strace, which is not allowed here: " + line);
        }
        Assert.Fail("strace ended");
        throw new InvalidOperationException();
    }

    /// <summary>Lets go of the server; what was written down.</summary>
    public async Task<string[]> EndAsync()
    {
        if (!strace.HasExited)
        {
            (await Tool.RunAsync("/bin/kill", "-INT", strace.Id.ToString(CultureInfo.InvariantCulture))).Succeeded();
            await strace.WaitForExitAsync();
        }
        return await File.ReadAllLinesAsync(file);
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        strace.Dispose();
        File.Delete(file);
    }
}
