using System.Globalization;

namespace CbaMail.Storage;

/// <summary>One server a data directory: an advisory lock on <c>DATA/lock</c>, freed by the kernel whatever happens to the process.</summary>
static class DataLock
{
    // for people who look; the lock is the kernel's
    static void Sign(FileStream stream)
    {
        try
        {
            stream.SetLength(0);
            stream.Write(System.Text.Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n"));
            stream.Flush();
        }
        catch (IOException)
        {
            return; // a full disk
        }
    }

    /// <exception cref="InvalidOperationException">Somebody has it; the message is a sentence for people.</exception>
    public static FileStream Take(string directory)
    {
        var path = Path.Combine(directory, "lock");
        try
        {
            var stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            Sign(stream);
            return stream;
        }
        catch (IOException error) when (error.HResult != 0 && StoreTrouble.Of(error) is null && File.Exists(path))
        {
            throw new InvalidOperationException($"Another server uses the data directory {directory}: stop it first, or give this one a directory of its own with --data.", error);
        }
    }
}
