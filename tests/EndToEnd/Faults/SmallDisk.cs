using System.Diagnostics;
using System.Globalization;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Faults;

/// <summary>
/// A file system in memory of a given size, mounted in a name space of its own that nobody else sees and that ends with this object. Who may
/// not mount (an ordinary user, most containers) skips the test.
/// </summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private readonly Process keeper;

    private SmallDisk(Process keeper, string folder) => (this.keeper, Folder) = (keeper, folder);

    /// <summary>Where it is mounted, for the server.</summary>
    public string Folder { get; }

    /// <summary>The same place as seen from here.</summary>
    public string Seen(string path) => $"/proc/{keeper.Id}/root{path}";

    public TestServer.Launch Launch => new() { Prefix = ["nsenter", "-m", "-t", keeper.Id.ToString(CultureInfo.InvariantCulture)], Folder = Folder, Seen = Seen };

    public static async Task<SmallDisk> MountAsync(int mebibytes)
    {
        var folder = System.IO.Directory.CreateTempSubdirectory("cbamail-disk-").FullName;
        var keeper = Process.Start(new ProcessStartInfo("unshare",
            ["-m", "--propagation", "private", "sh", "-c", $"mount -t tmpfs -o size={mebibytes}m tmpfs {folder} && echo mounted && exec sleep 3600"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        if (await keeper.StandardOutput.ReadLineAsync() == "mounted") return new SmallDisk(keeper, folder);
        var why = await keeper.StandardError.ReadToEndAsync();
        System.IO.Directory.Delete(folder);
        Assert.Skip("This test mounts a small disk, which is not allowed here: " + why.Trim());
        throw new InvalidOperationException();
    }

    public long Free => new DriveInfo(Seen(Folder)).AvailableFreeSpace;

    private string Filler => Path.Combine(Seen(Folder), "filler");

    /// <summary>Takes space until only so much is free.</summary>
    public void FillUpTo(long left)
    {
        using var file = new FileStream(Filler, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        var block = new byte[64 * 1024];
        try
        {
            for (long more; (more = Free - left) > 0;) file.Write(block, 0, (int)Math.Min(block.Length, more));
        }
        catch (IOException)
        {
            return; // somebody else took the last block
        }
    }

    public void MakeRoom() => File.Delete(Filler);

    /// <summary>Mounts it again with other options ("ro", "rw").</summary>
    public Task<Ran> RemountAsync(string options) => Tool.RunAsync("nsenter", "-m", "-t", keeper.Id.ToString(CultureInfo.InvariantCulture), "mount", "-o", "remount," + options, Folder);

    public async ValueTask DisposeAsync()
    {
        keeper.Kill();
        await keeper.WaitForExitAsync();
        keeper.Dispose();
        System.IO.Directory.Delete(Folder, recursive: true);
    }
}
