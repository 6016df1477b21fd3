using CbaMail.Cli;

namespace CbaMail;

/// <summary>The entry: the command line decides; what it serves is put together in <see cref="Composition"/>.</summary>
public static class Program
{
    public static Task<int> Main(string[] args) => CommandLine.RunAsync(args, Composition.ServeAsync);
}
