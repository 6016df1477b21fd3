using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using CbaMail.Dns;

namespace CbaMail.Net.Dns;

/// <summary>One question to one server: UDP, then TCP when the answer was cut (RFC 7766 5). Null where there is no usable answer.</summary>
internal static class DnsTransport
{
    // RFC 9715: what passes without fragments on nearly every path
    const ushort UdpSize = 1232;

    public static async Task<DnsMessage?> AskAsync(IPEndPoint server, DnsQuestion question, bool edns, CancellationToken cancel)
    {
        try
        {
            var answer = await UdpAsync(server, question, edns, cancel);
            return answer is { Truncated: true } ? await TcpAsync(server, question, edns, cancel) : answer;
        }
        catch (Exception error) when (error is SocketException or IOException or OperationCanceledException)
        {
            return null; // unreachable, refused or silent: the next server
        }
    }

    static DnsMessage Query(DnsQuestion question, bool edns) => new()
    {
        // RFC 5452 9.2: an id that cannot be guessed; the port is the kernel's, new for each question
        Id = (ushort)RandomNumberGenerator.GetInt32(ushort.MaxValue + 1),
        RecursionDesired = true,
        // RFC 6840 5.7: asks for AD without asking for signatures
        AuthenticData = true,
        Questions = [question],
        Edns = edns ? new DnsEdns(UdpSize) : null,
    };

    static async Task<DnsMessage?> UdpAsync(IPEndPoint server, DnsQuestion question, bool edns, CancellationToken cancel)
    {
        var query = Query(question, edns);
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        if (Descriptors.AreScarce(socket.SafeHandle)) return null; // silent servers of strangers must not take the last of them
        // RFC 5452 9.1: connected, so the kernel drops what comes from another address or port
        await socket.ConnectAsync(server, cancel);
        await socket.SendAsync(DnsWriter.Write(query), cancel);
        var buffer = new byte[4096];
        while (true)
        {
            var count = await socket.ReceiveAsync(buffer, cancel);
            if (Accept(buffer.AsSpan(0, count), query) is { } answer) return answer;
            // a stray or forged datagram must not end the wait for the true one
        }
    }

    // RFC 1035 4.2.2
    static async Task<DnsMessage?> TcpAsync(IPEndPoint server, DnsQuestion question, bool edns, CancellationToken cancel)
    {
        var query = Query(question, edns);
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (Descriptors.AreScarce(socket.SafeHandle)) return null;
        await socket.ConnectAsync(server, cancel);
        var wire = DnsWriter.Write(query);
        var framed = new byte[wire.Length + 2];
        BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)wire.Length);
        wire.CopyTo(framed, 2);
        using var stream = new NetworkStream(socket, ownsSocket: false);
        await stream.WriteAsync(framed, cancel);
        var prefix = new byte[2];
        await stream.ReadExactlyAsync(prefix, cancel);
        var answer = new byte[BinaryPrimitives.ReadUInt16BigEndian(prefix)];
        await stream.ReadExactlyAsync(answer, cancel);
        return Accept(answer, query);
    }

    /// <summary>RFC 5452 9.1: the id, the direction and the question must be ours.</summary>
    internal static DnsMessage? Accept(ReadOnlySpan<byte> wire, DnsMessage query)
    {
        if (!DnsReader.TryRead(wire, out var answer) || answer.Id != query.Id || !answer.IsResponse || answer.Opcode != 0) return null;
        if (answer.Questions.Count == 0)
            // some servers leave it out when they refuse to understand
            return answer.Code is DnsCode.FormatError or DnsCode.NotImplemented or DnsCode.ServerFailure or DnsCode.Refused ? answer : null;
        var (asked, given) = (query.Questions[0], answer.Questions[0]);
        return answer.Questions.Count == 1 && asked.Type == given.Type && asked.Class == given.Class && DnsName.Same(asked.Name, given.Name) ? answer : null;
    }
}
