using CbaMail.Config;

namespace CbaMail.Cli;

/// <summary>What <c>serve</c> does beside serving.</summary>
/// <param name="Started">Runs once the server listens.</param>
public sealed record ServeOptions(Func<IServiceProvider, Task> Started);

/// <summary>The command line: finds the verb in its table and runs it.</summary>
public static class CommandLine
{
    /// <param name="serve">Builds and runs the server: the command line knows no rooms.</param>
    public static async Task<int> RunAsync(string[] args, Func<Settings, ServeOptions, Task<int>> serve)
    {
        if (args is not ["serve", ..]) return 2;
        var flags = new SettingsFlags();
        for (var i = 1; i < args.Length; i++)
        {
            flags = args[i] switch
            {
                "--evaluation" => flags with { Evaluation = true },
                "--data" => flags with { Data = args[++i] },
                "--config" => flags with { Config = args[++i] },
                "--hostname" => flags with { Hostname = args[++i] },
                "--port-offset" => flags with { PortOffset = int.Parse(args[++i], System.Globalization.CultureInfo.InvariantCulture) },
                _ => flags,
            };
        }
        var loaded = SettingsFile.Load(flags);
        if (loaded.Settings is null) { await Console.Error.WriteLineAsync("cbamail: " + loaded.Problem); return 1; }
        return await serve(loaded.Settings, new ServeOptions(_ => Task.CompletedTask));
    }
}
