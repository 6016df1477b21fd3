using System.Buffers.Binary;
using System.Text;

namespace CbaMail.Tls;

/// <summary>What a client says in clear before a handshake (RFC 8446 4.1.2): which server it wants, and which protocols it speaks.</summary>
/// <param name="ServerName">Lower case, or null where none is named (RFC 6066 3).</param>
/// <param name="Protocols">As in RFC 7301 3.1.</param>
public sealed record ClientHello(string? ServerName, IReadOnlyList<string> Protocols)
{
    /// <summary>Nothing that is longer is read; real ones have below 2 KiB, with post-quantum key shares.</summary>
    public const int Longest = 16 * 1024;

    const byte Handshake = 22, ClientHelloType = 1;
    const int RecordHead = 5;

    /// <summary>Reads a hello out of the first bytes of a connection.</summary>
    /// <param name="hello">Null where these bytes are no hello.</param>
    /// <returns>False where more bytes are needed to say so.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out ClientHello? hello)
    {
        hello = null;
        if (!TryGather(bytes, out var message)) return false;
        if (message is not null) hello = Parse(message);
        return true;
    }

    /// <summary>The handshake message out of its records (RFC 8446 5.1); null where it is none.</summary>
    static bool TryGather(ReadOnlySpan<byte> bytes, out byte[]? message)
    {
        message = null;
        var gathered = new List<byte>(512);
        for (var rest = bytes; ;)
        {
            if (rest.Length > 0 && rest[0] != Handshake) return true;
            if (rest.Length > 1 && rest[1] != 3) return true;
            if (rest.Length < RecordHead) return false;
            var length = BinaryPrimitives.ReadUInt16BigEndian(rest[3..]);
            if (length is 0 or > Longest || gathered.Count + length > Longest) return true;
            var have = Math.Min(length, rest.Length - RecordHead);
            gathered.AddRange(rest.Slice(RecordHead, have));
            if (gathered.Count > 0 && gathered[0] != ClientHelloType) return true;
            if (gathered.Count >= 4)
            {
                var whole = 4 + (gathered[1] << 16 | gathered[2] << 8 | gathered[3]);
                if (whole > Longest) return true;
                if (gathered.Count >= whole)
                {
                    message = [.. gathered.Take(whole)];
                    return true;
                }
            }
            if (have < length) return false;
            rest = rest[(RecordHead + length)..];
        }
    }

    static ClientHello? Parse(ReadOnlySpan<byte> message)
    {
        var rest = message[4..];
        if (!Skip(ref rest, 2 + 32) || !Take(ref rest, 1, out _) || !Take(ref rest, 2, out _) || !Take(ref rest, 1, out _)) return null;
        if (rest.IsEmpty) return new ClientHello(null, []); // no extensions at all
        if (!Take(ref rest, 2, out var extensions)) return null;
        string? name = null;
        List<string> protocols = [];
        while (!extensions.IsEmpty)
        {
            if (extensions.Length < 4) return null;
            var type = BinaryPrimitives.ReadUInt16BigEndian(extensions);
            extensions = extensions[2..];
            if (!Take(ref extensions, 2, out var value)) return null;
            if (type == 0) { if (!ReadName(value, out name)) return null; } // RFC 6066 3
            else if (type == 16 && !ReadProtocols(value, protocols)) return null; // RFC 7301 3.1
        }
        return new ClientHello(name, protocols);
    }

    static bool ReadName(ReadOnlySpan<byte> value, out string? name)
    {
        name = null;
        if (!Take(ref value, 2, out var list)) return false;
        while (!list.IsEmpty)
        {
            var type = list[0];
            list = list[1..];
            if (!Take(ref list, 2, out var text)) return false;
            if (type == 0 && name is null && Ascii.IsValid(text)) name = Encoding.ASCII.GetString(text).ToLowerInvariant();
        }
        return true;
    }

    static bool ReadProtocols(ReadOnlySpan<byte> value, List<string> protocols)
    {
        if (!Take(ref value, 2, out var list)) return false;
        while (!list.IsEmpty)
        {
            if (!Take(ref list, 1, out var protocol)) return false;
            protocols.Add(Encoding.Latin1.GetString(protocol));
        }
        return true;
    }

    static bool Skip(ref ReadOnlySpan<byte> rest, int count)
    {
        if (rest.Length < count) return false;
        rest = rest[count..];
        return true;
    }

    /// <summary>A vector with a length of one or two bytes before it.</summary>
    static bool Take(ref ReadOnlySpan<byte> rest, int lengthBytes, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (rest.Length < lengthBytes) return false;
        var length = lengthBytes == 1 ? rest[0] : BinaryPrimitives.ReadUInt16BigEndian(rest);
        if (rest.Length < lengthBytes + length) return false;
        value = rest.Slice(lengthBytes, length);
        rest = rest[(lengthBytes + length)..];
        return true;
    }
}
