using System.Globalization;
using System.Text.RegularExpressions;

namespace CbaMail.Bench;

/// <summary>CPU time of servers that are many processes.</summary>
internal static partial class ProcessTree
{
    private const double Ticks = 100; // sysconf(_SC_CLK_TCK), the same on every Linux that .NET runs on

    /// <summary>User and system seconds of the processes named in a file and all that descend from them, those included that have ended and were waited for.</summary>
    public static double CpuSeconds(string pids) => Walk(pids).Sum(process => process.Seconds);

    /// <summary>MB that they have in memory; what processes share is counted once.</summary>
    public static double Megabytes(string pids) =>
        Walk(pids).Sum(process => Read($"/proc/{process.Id}", "smaps_rollup") is { Length: > 0 } text && Proportional.Match(text) is { Success: true } found
            ? double.Parse(found.Groups[1].Value, CultureInfo.InvariantCulture) / 1024 : 0);

    private static List<(int Id, double Seconds)> Walk(string pids)
    {
        var (children, seconds) = (new Dictionary<int, List<int>>(), new Dictionary<int, double>());
        foreach (var folder in System.IO.Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var pid) || Read(folder, "stat") is not { } text) continue;
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' '); // the name may have spaces
            var parent = int.Parse(fields[1], CultureInfo.InvariantCulture);
            if (!children.TryGetValue(parent, out var list)) children[parent] = list = [];
            list.Add(pid);
            seconds[pid] = fields[11..15].Sum(field => double.Parse(field, CultureInfo.InvariantCulture)) / Ticks;
        }
        var found = new List<(int, double)>();
        var todo = new Stack<int>(File.ReadAllText(pids).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(pid => int.Parse(pid, CultureInfo.InvariantCulture)));
        while (todo.TryPop(out var pid))
        {
            if (!seconds.Remove(pid, out var own)) continue;
            found.Add((pid, own));
            foreach (var child in children.GetValueOrDefault(pid) ?? []) todo.Push(child);
        }
        return found;
    }

    private static string? Read(string folder, string file)
    {
        try { return File.ReadAllText(Path.Combine(folder, file)); }
        catch (IOException) { return null; } // it has just ended
    }

    [GeneratedRegex(@"^Pss:\s+(\d+)", RegexOptions.Multiline)]
    private static partial Regex Proportional { get; }
}
