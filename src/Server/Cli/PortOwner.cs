using System.Globalization;

namespace CbaMail.Cli;

/// <summary>Which program has a port, by what Linux shows under /proc; only root sees those of others.</summary>
static class PortOwner
{
    /// <summary>As in "master (process 812)"; null where it cannot be seen.</summary>
    public static string? Of(int port)
    {
        try
        {
            var inodes = Inodes("/proc/net/tcp", port).Concat(Inodes("/proc/net/tcp6", port)).ToHashSet(StringComparer.Ordinal);
            if (inodes.Count == 0) return null;
            foreach (var process in Processes())
                if (Holds(process, inodes)) return $"{File.ReadAllText(Path.Combine(process, "comm")).Trim()} (process {Path.GetFileName(process)})";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // it ended meanwhile, or this system has no /proc
        }
        return null;
    }

    /// <summary>Whether a program of one of these names runs.</summary>
    public static bool Runs(params string[] names)
    {
        try
        {
            return Processes().Any(process => names.Contains(Name(process)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    static string Name(string process)
    {
        try { return File.ReadAllText(Path.Combine(process, "comm")).Trim(); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return ""; } // it has ended
    }

    static IEnumerable<string> Processes() => System.IO.Directory.GetDirectories("/proc").Where(path => Path.GetFileName(path).All(char.IsAsciiDigit));

    // "sl local_address rem_address st ... inode": state 0A listens
    static IEnumerable<string> Inodes(string file, int port) => !File.Exists(file) ? [] : File.ReadLines(file).Skip(1)
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Where(fields => fields.Length > 9 && fields[3] == "0A" && fields[1].EndsWith(":" + port.ToString("X4", CultureInfo.InvariantCulture), StringComparison.Ordinal))
        .Select(fields => fields[9]);

    static bool Holds(string process, HashSet<string> inodes)
    {
        try
        {
            return System.IO.Directory.GetFiles(Path.Combine(process, "fd"))
                .Any(file => File.ResolveLinkTarget(file, returnFinalTarget: false)?.Name is { } target && target.StartsWith("socket:[", StringComparison.Ordinal) && inodes.Contains(target[8..^1]));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // another's
        }
    }
}
