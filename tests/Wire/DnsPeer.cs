using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using CbaMail.Dns;

namespace CbaMail.Tests.Wire;

/// <summary>A server of DNS in the test's hands: what it answers, over UDP and TCP on one port.</summary>
internal sealed class DnsPeer : IDisposable
{
    private readonly UdpClient udp;
    private readonly TcpListener tcp;
    private readonly CancellationTokenSource stop = new();
    private readonly Func<DnsMessage, bool, byte[]?> answer;
    private int questions;

    /// <param name="answer">The question, whether it came over TCP; the answer's bytes, or null for silence.</param>
    public DnsPeer(Func<DnsMessage, bool, byte[]?> answer)
    {
        this.answer = answer;
        (udp, tcp) = Bind();
        _ = UdpAsync();
        _ = TcpAsync();
    }

    public DnsPeer(Func<DnsMessage, bool, DnsMessage?> answer) : this((question, overTcp) => answer(question, overTcp) is { } message ? DnsWriter.Write(message) : null) { }

    public IPEndPoint Address => (IPEndPoint)tcp.LocalEndpoint;
    public int Questions => Volatile.Read(ref questions);

    /// <summary>An answer to the question with records.</summary>
    public static DnsMessage Reply(DnsMessage question, params DnsRecord[] answers) =>
        new() { Id = question.Id, IsResponse = true, RecursionAvailable = true, Questions = question.Questions, Answers = answers };

    private static (UdpClient, TcpListener) Bind()
    {
        while (true)
        {
            var tcp = new TcpListener(IPAddress.Loopback, 0);
            tcp.Start();
            try { return (new UdpClient((IPEndPoint)tcp.LocalEndpoint), tcp); }
            catch (SocketException) { tcp.Stop(); }
        }
    }

    private byte[]? Ask(ReadOnlySpan<byte> wire, bool overTcp)
    {
        Interlocked.Increment(ref questions);
        return DnsReader.TryRead(wire, out var question) ? answer(question, overTcp) : null;
    }

    private async Task UdpAsync()
    {
        try
        {
            while (true)
            {
                var query = await udp.ReceiveAsync(stop.Token);
                if (Ask(query.Buffer, false) is { } reply) await udp.SendAsync(reply, query.RemoteEndPoint);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // the test is over
        }
    }

    private async Task TcpAsync()
    {
        try
        {
            while (true)
            {
                using var client = await tcp.AcceptTcpClientAsync(stop.Token);
                var stream = client.GetStream();
                var length = new byte[2];
                await stream.ReadExactlyAsync(length, stop.Token);
                var query = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
                await stream.ReadExactlyAsync(query, stop.Token);
                if (Ask(query, true) is not { } reply) continue;
                BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)reply.Length);
                await stream.WriteAsync((byte[])[.. length, .. reply], stop.Token);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException or SocketException or IOException)
        {
            // the test is over
        }
    }

    public void Dispose()
    {
        stop.Cancel();
        udp.Dispose();
        tcp.Stop();
        stop.Dispose();
    }
}
