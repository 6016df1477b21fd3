using System.Globalization;
using CbaMail.Cli;
using CbaMail.Storage;

namespace CbaMail;

/// <summary>The entry: the command line decides; what it serves is put together in <see cref="Composition"/>.</summary>
public static class Program
{
    public static Task<int> Main(string[] args)
    {
        Posix.OwnersOnly(); // database, log, packs and spool, whoever makes them: the machine's other users read no mail
        // what is written for programs and in letters reads the same whatever the environment says: years are not those of another calendar, and 0.5 is not 0,5
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        return CommandLine.RunAsync(args, Composition.ServeAsync, Composition.LookAsync);
    }
}
