using System.Globalization;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Faults;

/// <summary>
/// A control group of the kernel with a limit of memory and no swap, version 2 or 1: what goes above it is killed. Who may make none (an ordinary
/// user, most containers) skips the test.
/// </summary>
internal sealed class MemoryGroup : IAsyncDisposable
{
    private const string Root = "/sys/fs/cgroup";
    private readonly string folder;
    private readonly bool second;

    private MemoryGroup(string folder, bool second) => (this.folder, this.second) = (folder, second);

    public static MemoryGroup Make(int mebibytes)
    {
        var folder = "";
        try
        {
            var second = File.Exists(Root + "/cgroup.controllers");
            if (second && !File.ReadAllText(Root + "/cgroup.subtree_control").Split(' ', '\n').Contains("memory")) File.WriteAllText(Root + "/cgroup.subtree_control", "+memory");
            folder = System.IO.Directory.CreateDirectory($"{Root}/{(second ? "" : "memory/")}cbamail-{Guid.NewGuid():n}").FullName;
            var group = new MemoryGroup(folder, second);
            var bytes = ((long)mebibytes << 20).ToString(CultureInfo.InvariantCulture);
            File.WriteAllText(group.Name("memory.max", "memory.limit_in_bytes"), bytes);
            if (!second) File.WriteAllText(Path.Combine(folder, "memory.swappiness"), "0");
            else if (File.Exists(Path.Combine(folder, "memory.swap.max"))) File.WriteAllText(Path.Combine(folder, "memory.swap.max"), "0");
            return group;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (System.IO.Directory.Exists(folder)) System.IO.Directory.Delete(folder);
            Assert.Skip("This test makes a control group with a limit of memory, which is not allowed here: " + e.Message);
            throw;
        }
    }

    /// <summary>Starts the server inside.</summary>
    public TestServer.Launch Launch => new() { Prefix = ["sh", "-c", $"echo $$ > {folder}/cgroup.procs && exec \"$@\"", "sh"] };

    private string Name(string second, string first) => Path.Combine(folder, this.second ? second : first);

    private long Number(string second, string first) => long.Parse(File.ReadAllText(Name(second, first)).Trim(), CultureInfo.InvariantCulture);

    /// <summary>Bytes charged to it now, the kernel's cache of files among them.</summary>
    public long Used => Number("memory.current", "memory.usage_in_bytes");

    /// <summary>Processes of it that the kernel has ended for want of memory.</summary>
    public int Killed
    {
        get
        {
            var line = File.ReadLines(Name("memory.events", "memory.oom_control")).First(l => l.StartsWith("oom_kill ", StringComparison.Ordinal));
            return int.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
        }
    }

    /// <summary>For the output: what is charged to it.</summary>
    public string Account => string.Join(", ", File.ReadLines(Path.Combine(folder, "memory.stat")).Select(l => l.Split(' '))
        .Where(pair => pair[0] is "rss" or "cache" or "mapped_file" or "anon" or "file" or "kernel" or "sock" or "shmem" or "dirty" or "file_dirty")
        .Select(pair => $"{pair[0]} {long.Parse(pair[1], CultureInfo.InvariantCulture) >> 20}")) + $", all {Used >> 20} MB, {Most >> 20} MB at the most";

    // the kernel tells it since 5.19 in version 2
    private long Most => File.Exists(Name("memory.peak", "memory.max_usage_in_bytes")) ? Number("memory.peak", "memory.max_usage_in_bytes") : Used;

    public async ValueTask DisposeAsync()
    {
        await Wait.UntilAsync(() => File.ReadAllText(Path.Combine(folder, "cgroup.procs")).Trim().Length == 0, "the group is empty");
        System.IO.Directory.Delete(folder); // only the folder: its files are the kernel's
    }
}
