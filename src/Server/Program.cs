using CbaMail.Cli;
using CbaMail.Storage;

namespace CbaMail;

/// <summary>The entry: the command line decides; what it serves is put together in <see cref="Composition"/>.</summary>
public static class Program
{
    public static Task<int> Main(string[] args)
    {
        Posix.OwnersOnly(); // database, log, packs and spool, whoever makes them: the machine's other users read no mail
        return CommandLine.RunAsync(args, Composition.ServeAsync, Composition.LookAsync);
    }
}
