namespace CbaMail.Storage;

/// <summary>
/// Where a flush of one file covers another that has only been written out. A flush ends with an order to the device to empty its memory, whoever
/// wrote what lies there; so one is enough for two files, if nothing of the other but its bytes has changed: no length, no place on the device.
/// That is so on ext4, which writes over what is there in place, unless it puts contents into its journal as well. What is not known for certain
/// is flushed by itself: btrfs, ZFS, XFS with shared extents write elsewhere.
/// </summary>
static class InPlace
{
    /// <summary>Whether both directories lie on one file system, of this kind.</summary>
    public static bool Lie(string directory, string other)
    {
        try
        {
            return Mount(Real(directory)) is { Kind: "ext4" } mount && mount == Mount(Real(other)) && !KeepsContentsInJournal(mount.Device);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    // without links on the way
    static string Real(string directory)
    {
        using var handle = Posix.OpenDirectory(directory);
        return File.ResolveLinkTarget($"/proc/self/fd/{handle.DangerousGetHandle()}", returnFinalTarget: false)!.FullName;
    }

    readonly record struct Mounted(string Number, string Kind, string Device);

    // proc_pid_mountinfo(5): 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
    static Mounted? Mount(string path)
    {
        Mounted? found = null;
        var longest = -1;
        foreach (var line in File.ReadLines("/proc/self/mountinfo"))
        {
            var fields = line.Split(' ');
            var kind = Array.IndexOf(fields, "-") + 1;
            if (kind < 7 || kind + 1 >= fields.Length) continue;
            var point = fields[4].Replace("\\040", " ", StringComparison.Ordinal);
            var isAbove = point == "/" || path == point || path.StartsWith(point + "/", StringComparison.Ordinal);
            if (!isAbove || point.Length < longest) continue; // of two on one point the later one is seen
            (found, longest) = (new Mounted(fields[2], fields[kind], fields[kind + 1]), point.Length);
        }
        return found;
    }

    static bool KeepsContentsInJournal(string device)
    {
        var name = Path.GetFileName(File.ResolveLinkTarget(device, returnFinalTarget: true)?.FullName ?? device);
        return File.ReadLines($"/proc/fs/ext4/{name}/options").Contains("data=journal");
    }
}
