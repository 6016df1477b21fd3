using System.Globalization;

namespace CbaMail.Bench;

/// <summary>CPU time of servers that are many processes.</summary>
internal static class ProcessTree
{
    private const double Ticks = 100; // sysconf(_SC_CLK_TCK), the same on every Linux that .NET runs on

    /// <summary>User and system seconds of the processes named in a file and all that descend from them, those included that have ended and were waited for.</summary>
    public static double CpuSeconds(string pids)
    {
        var (children, seconds) = (new Dictionary<int, List<int>>(), new Dictionary<int, double>());
        foreach (var folder in System.IO.Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var pid) || Read(folder) is not { } text) continue;
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' '); // the name may have spaces
            var parent = int.Parse(fields[1], CultureInfo.InvariantCulture);
            if (!children.TryGetValue(parent, out var list)) children[parent] = list = [];
            list.Add(pid);
            seconds[pid] = fields[11..15].Sum(field => double.Parse(field, CultureInfo.InvariantCulture)) / Ticks;
        }
        var total = 0.0;
        var todo = new Stack<int>(File.ReadAllText(pids).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(pid => int.Parse(pid, CultureInfo.InvariantCulture)));
        while (todo.TryPop(out var pid))
        {
            if (!seconds.Remove(pid, out var own)) continue;
            total += own;
            foreach (var child in children.GetValueOrDefault(pid) ?? []) todo.Push(child);
        }
        return total;
    }

    private static string? Read(string folder)
    {
        try { return File.ReadAllText(Path.Combine(folder, "stat")); }
        catch (IOException) { return null; } // it has just ended
    }
}
