using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace CbaMail.Tests.Wire;

/// <summary>
/// The other side of the milter protocol, as a test wants it: it says "continue" to everything that wants an answer, and what the script says instead.
/// Written from the protocol, not with the codec of the server. A command is shown as its letter and its data, NUL as "|".
/// </summary>
internal sealed class MilterPeer : IAsyncDisposable
{
    public const string Hang = "<hang>";
    public const string Drop = "<drop>";

    private readonly Socket listener;
    private readonly CancellationTokenSource stop = new();
    private readonly Lock gate = new();
    private readonly List<string> heard = [];
    private int connections, open;

    public MilterPeer(string? path = null)
    {
        listener = path is null ? new Socket(SocketType.Stream, ProtocolType.Tcp) : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(path is null ? new IPEndPoint(IPAddress.Loopback, 0) : new UnixDomainSocketEndPoint(path));
        listener.Listen(100);
        Address = path is null ? $"127.0.0.1:{((IPEndPoint)listener.LocalEndPoint!).Port}" : "unix:" + path;
        _ = AcceptAsync();
    }

    public string Address { get; }
    public uint Version { get; set; } = 6;
    public uint Actions { get; set; } = 0x1ff;
    public uint Steps { get; set; }
    /// <summary>Behind the negotiation: the macros that it asks for.</summary>
    public byte[] Macros { get; set; } = [];
    /// <summary>Gets a command as <see cref="Heard"/> shows it, and answers with packets as a letter and data ("|" is NUL), or null for "continue".</summary>
    public Func<string, string[]?> Script { get; set; } = _ => null;
    /// <summary>Bytes to send instead of the answer to the negotiation.</summary>
    public byte[]? Greeting { get; set; }

    public int Connections => Volatile.Read(ref connections);
    public int Open => Volatile.Read(ref open);
    public IReadOnlyList<string> Heard { get { lock (gate) return [.. heard]; } }
    public string Dialogue => string.Join('\n', Heard);

    public static byte[] Packet(string text)
    {
        var data = Encoding.Latin1.GetBytes(text);
        for (var i = 1; i < data.Length; i++) if (data[i] == '|') data[i] = 0;
        byte[] packet = [0, 0, 0, 0, .. data];
        BinaryPrimitives.WriteInt32BigEndian(packet, data.Length);
        return packet;
    }

    /// <summary>An answer with an index: InsertHeader or ChangeHeader.</summary>
    public static string Indexed(char answer, int index, string rest) => $"{answer}\0\0{(char)(index >> 8)}{(char)(index & 255)}{rest}";

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await listener.AcceptAsync(stop.Token);
                Interlocked.Increment(ref connections);
                _ = ServeAsync(socket);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException) { _ = e; }
    }

    private async Task ServeAsync(Socket socket)
    {
        Interlocked.Increment(ref open);
        try
        {
            using var stream = new NetworkStream(socket, ownsSocket: true);
            var head = new byte[4];
            while (true)
            {
                await stream.ReadExactlyAsync(head, stop.Token);
                var data = new byte[BinaryPrimitives.ReadInt32BigEndian(head)];
                await stream.ReadExactlyAsync(data, stop.Token);
                if (data[0] == 'O')
                {
                    await stream.WriteAsync(Greeting ?? Negotiation(), stop.Token);
                    continue;
                }
                var command = Encoding.Latin1.GetString(data).Replace('\0', '|');
                lock (gate) heard.Add(command);
                if (command[0] == 'Q') return;
                if (command[0] is 'D' or 'A' or 'K') continue;
                foreach (var answer in Script(command) ?? (IsAnswered(command[0]) ? ["c"] : []))
                {
                    if (answer == Drop) return;
                    if (answer == Hang) await Task.Delay(Timeout.Infinite, stop.Token);
                    await stream.WriteAsync(Packet(answer), stop.Token);
                }
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException) { _ = e; }
        finally { Interlocked.Decrement(ref open); }
    }

    private byte[] Negotiation()
    {
        var data = new byte[17];
        BinaryPrimitives.WriteInt32BigEndian(data, 13 + Macros.Length);
        data[4] = (byte)'O';
        BinaryPrimitives.WriteUInt32BigEndian(data.AsSpan(5), Version);
        BinaryPrimitives.WriteUInt32BigEndian(data.AsSpan(9), Actions);
        BinaryPrimitives.WriteUInt32BigEndian(data.AsSpan(13), Steps);
        return [.. data, .. Macros];
    }

    private bool IsAnswered(char command) => (Steps & command switch
    {
        'L' => 0x80u,
        'C' => 0x1000u,
        'H' => 0x2000u,
        'M' => 0x4000u,
        'R' => 0x8000u,
        'T' => 0x10000u,
        'N' => 0x40000u,
        'B' => 0x80000u,
        _ => 0u,
    }) == 0;

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Dispose();
        stop.Dispose();
    }
}
