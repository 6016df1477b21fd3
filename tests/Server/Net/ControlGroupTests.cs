using CbaMail.Net;
using Xunit;

namespace CbaMail.Tests.Server.Net;

/// <summary>Both versions of control groups, as files of their kinds in a folder.</summary>
public sealed class ControlGroupTests : IDisposable
{
    readonly string root = System.IO.Directory.CreateTempSubdirectory("cba-group").FullName;

    public void Dispose() => System.IO.Directory.Delete(root, recursive: true);

    void Write(string path, string text)
    {
        var file = Path.Combine(root, path);
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }

    ControlGroup Find(string self)
    {
        Write("self", self);
        return ControlGroup.Find(Path.Combine(root, "self"), root);
    }

    [Fact]
    public void The_smallest_limit_counts_and_the_own_one_is_known()
    {
        Write("system.slice/memory.max", "1000\n");
        Write("system.slice/cbamail.service/memory.max", "3000\n");
        Write("memory.max", "max\n");
        var group = Find("0::/system.slice/cbamail.service\n");
        Assert.Equal((1000, 3000), (group.Limit, group.OwnLimit));
    }

    [Fact]
    public void Without_a_limit_there_is_none()
    {
        Write("a/memory.max", "max\n");
        Write("memory/b/memory.limit_in_bytes", "9223372036854771712\n");
        var group = Find("4:memory:/b\n0::/a\n");
        Assert.Null(group.Limit);
        Assert.Equal(0, group.Kept(0));
        Assert.Null(Find("").Limit);
        Assert.Null(ControlGroup.Find(Path.Combine(root, "nowhere"), root).Limit);
    }

    [Fact]
    public void In_a_container_the_mount_is_the_group()
    {
        Write("memory/memory.limit_in_bytes", "5000\n");
        Write("memory/memory.usage_in_bytes", "4000\n");
        Write("memory/memory.stat", "cache 3000\ntotal_active_file 1000\ntotal_inactive_file 1500\n");
        var group = Find("9:name=systemd:/docker/abc\n4:cpu,memory:/docker/abc\n0::/docker/abc\n");
        Assert.Equal((5000, 5000), (group.Limit, group.OwnLimit));
        Assert.Equal(1500, group.Kept(0));
    }

    [Fact]
    public void Pages_of_files_do_not_count_and_those_in_memory_do()
    {
        Write("mail/memory.max", "1000\n");
        Write("mail/memory.current", "990\n");
        // 300 of files, dirty or mapped or not; 500 of processes, 100 in a tmpfs, 60 the kernel's, of which it can take 30 back
        Write("mail/memory.stat", "anon 500\nfile 400\nkernel 60\nshmem 100\nfile_mapped 50\nfile_dirty 200\ninactive_anon 600\nactive_file 120\ninactive_file 180\nslab_reclaimable 30\nsock 30\n");
        var group = Find("0::/mail\n");
        Assert.Equal(660, group.Kept(700));
        Assert.Equal(0, group.Kept(990)); // as little as that is not looked at
        File.Delete(Path.Combine(root, "mail/memory.stat"));
        Assert.Equal(0, group.Kept(0));
    }

    [Theory]
    [InlineData("0::/a/b\n", "a/cpu.max", "50000 100000\n", 0.5)]
    [InlineData("0::/a/b\n", "a/b/cpu.max", "75000 100000\n", 0.75)]
    [InlineData("4:cpu,cpuacct:/docker/abc\n0::/\n", "cpu/cpu.cfs_quota_us", "50000\n", 0.5)] // in a container the mount is the group
    [InlineData("0::/a/b\n", "a/cpu.max", "max 100000\n", null)]
    [InlineData("4:cpu:/a\n", "cpu/a/cpu.cfs_quota_us", "-1\n", null)]
    [InlineData("0::/a\n", "a/cpu.max", "\n", null)]
    [InlineData("", "nowhere", "", null)]
    public void A_quota_of_processors_counts_as_a_part_of_them(string self, string file, string text, double? expected)
    {
        Write(file, text);
        Write("cpu/cpu.cfs_period_us", "100000\n");
        Write("cpu/a/cpu.cfs_period_us", "100000\n");
        Write("self", self);
        Assert.Equal(expected ?? Environment.ProcessorCount, ControlGroup.Processors(Path.Combine(root, "self"), root));
    }
}
