using System.Diagnostics;
using System.Text;
using Xunit;

namespace CbaMail.Tests.Wire;

/// <summary>What a program that ran to its end left behind.</summary>
internal sealed record Ran(int ExitCode, string Output, string Error)
{
    public string All => Output + Error;

    /// <summary>Fails the test with everything the program said unless it ended with 0.</summary>
    public Ran Succeeded()
    {
        if (ExitCode != 0) Assert.Fail($"exit code {ExitCode}\n{All}");
        return this;
    }

    public Ran Failed(int exitCode)
    {
        if (ExitCode != exitCode) Assert.Fail($"exit code {ExitCode} instead of {exitCode}\n{All}");
        return this;
    }
}

/// <summary>Runs a program that is not ours (or our command line) to its end, within a time limit.</summary>
internal sealed class Tool
{
    public string? Folder { get; init; }
    public string Input { get; init; } = "";
    public TimeSpan Limit { get; init; } = TimeSpan.FromSeconds(60);
    public Dictionary<string, string> Environment { get; init; } = [];

    public static Task<Ran> RunAsync(string program, params string[] arguments) => new Tool().StartAsync(program, arguments);

    public async Task<Ran> StartAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(Find(program), arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
            WorkingDirectory = Folder ?? "",
        };
        // settings of whoever runs the tests must not reach the clients
        foreach (var proxy in new[] { "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy" }) start.Environment.Remove(proxy);
        start.Environment["LC_ALL"] = "C.UTF-8";
        foreach (var (name, value) in Environment) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(Encoding.UTF8.GetBytes(Input));
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // it does not read its input to the end: its own affair
        }
        using var late = new CancellationTokenSource(Limit);
        try
        {
            await process.WaitForExitAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{program} did not end within {Limit.TotalSeconds:0} s\n{await output}{await error}");
        }
        return new(process.ExitCode, await output, await error);
    }

    /// <summary>The program's path: $PATH, and the folders of daemons that an ordinary user's path leaves out.</summary>
    public static string Find(string program)
    {
        if (program.Contains('/')) return program;
        var path = (System.Environment.GetEnvironmentVariable("PATH") ?? "") + ":/usr/sbin:/sbin:/usr/local/sbin";
        return path.Split(':', StringSplitOptions.RemoveEmptyEntries).Select(d => Path.Combine(d, program)).FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException($"{program} is not installed; ./test installs what the tests drive");
    }
}
