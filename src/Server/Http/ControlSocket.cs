using System.Net.Sockets;
using System.Text;

namespace CbaMail.Http;

/// <summary>The address of the control socket. The system allows it 107 bytes.</summary>
public static class ControlSocket
{
    const int Longest = 107; // sun_path, unix(7)

    /// <param name="data">The data directory.</param>
    public static UnixDomainSocketEndPoint EndPoint(string data)
    {
        var path = HttpRoom.SocketPath(Path.GetFullPath(data));
        if (Encoding.UTF8.GetByteCount(path) <= Longest) return new(path);
        // relative to where we stand it may be short enough
        var near = Path.GetRelativePath(Environment.CurrentDirectory, path);
        return Encoding.UTF8.GetByteCount(near) <= Longest ? new(near) : throw new InvalidOperationException($"The path of the data directory is too long for a socket ({path}): choose one below {Longest} bytes.");
    }
}
