using System.Globalization;

namespace CbaMail.Net;

/// <summary>
/// The kernel's control group of this process, version 2 or 1, with those above it: where memory is limited, and how much of it is taken for good; and where processors are.
/// </summary>
/// <remarks>
/// All that a group has read and written of files is charged to it, and so a busy mail server's group is always full; the kernel takes these pages
/// back (the dirty ones once they are written) before it kills anybody. So they do not count here. What counts beside the process' own pages is
/// what else is charged: files in memory (tmpfs), buffers of sockets, other processes of the group, such as the command line in a container.
/// </remarks>
sealed class ControlGroup
{
    readonly string? usage, stat;
    readonly bool second;

    ControlGroup(string? usage, string? stat, bool second, long? limit, long? own) =>
        (this.usage, this.stat, this.second, Limit, OwnLimit) = (usage, stat, second, limit, own);

    /// <summary>The smallest limit of the group and those above it; null where there is none.</summary>
    public long? Limit { get; }

    /// <summary>Of the group itself. Above it others may be at work, whose memory is not ours to save.</summary>
    public long? OwnLimit { get; }

    /// <param name="self">/proc/self/cgroup</param>
    /// <param name="root">Where the groups are mounted.</param>
    public static ControlGroup Find(string self = "/proc/self/cgroup", string root = "/sys/fs/cgroup")
    {
        long? least = null, own = null;
        string? usage = null, stat = null;
        var second = false;
        try
        {
            foreach (var (folder, isSecond) in Folders("memory", self, root))
            {
                if (Number(folder + (isSecond ? "/memory.max" : "/memory.limit_in_bytes")) is not { } limit) continue;
                if (usage is null) (usage, stat, own, second) = (folder + (isSecond ? "/memory.current" : "/memory.usage_in_bytes"), folder + "/memory.stat", limit, isSecond);
                least = Math.Min(least ?? long.MaxValue, limit);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new ControlGroup(null, null, false, least, null); // no such files here
        }
        return new ControlGroup(usage, stat, second, least, own);
    }

    /// <summary>The processors that this process may use: those that it may run on, or what the quotas of its group and those above it leave of them.</summary>
    public static double Processors(string self = "/proc/self/cgroup", string root = "/sys/fs/cgroup")
    {
        double least = Environment.ProcessorCount; // which knows the quota too, but rounds it up
        try
        {
            foreach (var (folder, isSecond) in Folders("cpu", self, root))
            {
                string?[]? parts = isSecond ? Text(folder + "/cpu.max")?.Split(' ') : new string?[] { Text(folder + "/cpu.cfs_quota_us"), Text(folder + "/cpu.cfs_period_us") };
                if (parts is not [{ } quota, { } period] || !long.TryParse(quota, NumberStyles.None, CultureInfo.InvariantCulture, out var part)) continue; // "max", -1: none
                if (long.TryParse(period, NumberStyles.None, CultureInfo.InvariantCulture, out var whole) && whole > 0) least = Math.Min(least, (double)part / whole);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return least; // no such files here
        }
        return least;
    }

    // the group's and those above it, from within
    static IEnumerable<(string Folder, bool IsSecond)> Folders(string controller, string self, string root)
    {
        foreach (var line in File.ReadLines(self))
        {
            var parts = line.Split(':', 3); // cgroups(7): number, controllers (none for version 2), path
            if (parts.Length < 3 || (parts[1].Length > 0 && !parts[1].Split(',').Contains(controller))) continue;
            var isSecond = parts[1].Length == 0;
            var mount = isSecond ? root : root + "/" + controller;
            // in a container the path may be that of the host: then the first that is there is the mount itself
            for (var path = parts[2].TrimEnd('/'); ; path = path[..path.LastIndexOf('/')])
            {
                yield return (mount + path, isSecond);
                if (path.LastIndexOf('/') < 0) break;
            }
        }
    }

    static string? Text(string file) => File.Exists(file) ? File.ReadAllText(file).Trim() : null;

    // "max", or a number near 2^63 in version 1, is none
    static long? Number(string file) =>
        long.TryParse(Text(file), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < 1L << 50 ? number : null;

    /// <summary>Bytes charged to the group that the kernel cannot take back; 0 where all of it is no more than <paramref name="enough"/>, which is quicker to see.</summary>
    public long Kept(long enough)
    {
        try
        {
            if (usage is null || Number(usage) is not { } all) return 0;
            if (all <= enough) return 0;
            var files = 0L;
            foreach (var line in File.ReadLines(stat!))
            {
                var space = line.IndexOf(' ', StringComparison.Ordinal);
                if (space < 0 || !IsTakenBack(line.AsSpan(0, space))) continue;
                files += long.Parse(line.AsSpan(space + 1), CultureInfo.InvariantCulture);
            }
            return Math.Max(0, all - files);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            return 0; // no descriptor for the look, say: the process' own pages are known all the same
        }
    }

    // pages of files, dirty or mapped ones too; tmpfs is not among them
    bool IsTakenBack(ReadOnlySpan<char> name) => second
        ? name is "active_file" or "inactive_file" or "slab_reclaimable"
        : name is "total_active_file" or "total_inactive_file";
}
