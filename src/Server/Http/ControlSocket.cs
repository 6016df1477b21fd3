using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using CbaMail.Storage;
using Microsoft.Win32.SafeHandles;

namespace CbaMail.Http;

/// <summary>The address of the control socket. The system allows it 107 bytes: a longer one goes by an open descriptor of its directory.</summary>
public static class ControlSocket
{
    const int Longest = 107; // sun_path, unix(7)

    static readonly ConcurrentDictionary<string, SafeFileHandle> directories = [];

    /// <param name="data">The data directory. Whoever only asks a server does not make it.</param>
    /// <exception cref="SocketException">Its path is long, and it does not exist: nobody can be listening there.</exception>
    public static UnixDomainSocketEndPoint EndPoint(string data)
    {
        var path = HttpRoom.SocketPath(Path.GetFullPath(data));
        if (Encoding.UTF8.GetByteCount(path) <= Longest) return new(path);
        if (!OperatingSystem.IsLinux()) throw new InvalidOperationException($"The path of the data directory is too long for a socket ({path}): choose one below {Longest} bytes.");
        if (!System.IO.Directory.Exists(Path.GetDirectoryName(path))) throw new SocketException((int)SocketError.AddressNotAvailable); // as connect says of a short one
        var directory = directories.GetOrAdd(Path.GetDirectoryName(path)!, Posix.OpenDirectory);
        return new(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{directory.DangerousGetHandle()}/{Path.GetFileName(path)}"));
    }
}
