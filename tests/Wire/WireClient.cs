using System.Net.Security;
using System.Net.Sockets;
using System.Net;
using System.Text;
using Xunit;

namespace CbaMail.Tests.Wire;

/// <summary>A client that does only what it is told: sends bytes, reads lines. Everything else is for the test to say.</summary>
internal sealed class WireClient : ITranscriptClient
{
    private readonly byte[] buffer = new byte[65536];
    private readonly Socket socket;
    private Stream stream;
    private int start;
    private int end;
    private int tag;

    private WireClient(Socket socket) => (this.socket, stream) = (socket, new NetworkStream(socket, ownsSocket: true));

    public static Task<WireClient> ConnectAsync(int port, bool tls = false) => ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), tls);

    public static async Task<WireClient> ConnectAsync(IPEndPoint server, bool tls = false)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server);
        var client = new WireClient(socket);
        if (tls) await client.StartTlsAsync();
        return client;
    }

    public async Task StartTlsAsync()
    {
        var secure = new SslStream(stream);
        await secure.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            RemoteCertificateValidationCallback = (_, _, _, _) => true,     // self-signed, on loopback
        }).WaitAsync(Wait.Patience);
        stream = secure;
    }

    public Task SendAsync(ReadOnlyMemory<byte> bytes) => stream.WriteAsync(bytes).AsTask();

    /// <summary>Sends text as UTF-8, exactly: line ends stand in it.</summary>
    public Task SendAsync(string text) => SendAsync(Encoding.UTF8.GetBytes(text));

    public Task SendLineAsync(string line) => SendAsync(line + "\r\n");

    /// <summary>The next line without its end; null when the server has closed.</summary>
    public async Task<string?> ReadLineAsync()
    {
        var line = new MemoryStream();
        while (true)
        {
            var eol = buffer.AsSpan(start, end - start).IndexOf((byte)'\n');
            if (eol >= 0)
            {
                line.Write(buffer, start, eol);
                start += eol + 1;
                return Encoding.UTF8.GetString(line.ToArray()).TrimEnd('\r');
            }
            line.Write(buffer, start, end - start);
            if (!await FillAsync()) return line.Length > 0 ? Encoding.UTF8.GetString(line.ToArray()) : null;
        }
    }

    public async Task<byte[]> ReadBytesAsync(int count)
    {
        var bytes = new byte[count];
        for (var got = 0; got < count;)
        {
            if (start == end && !await FillAsync()) Assert.Fail($"the server closed {count - got} bytes early");
            var take = Math.Min(count - got, end - start);
            buffer.AsSpan(start, take).CopyTo(bytes.AsSpan(got));
            (got, start) = (got + take, start + take);
        }
        return bytes;
    }

    private async Task<bool> FillAsync()
    {
        start = end = 0;
        try
        {
            end = await stream.ReadAsync(buffer).AsTask().WaitAsync(Wait.Patience);
        }
        catch (IOException)
        {
            return false;       // reset by the server
        }
        catch (TimeoutException)
        {
            Assert.Fail($"no answer within {Wait.Patience.TotalSeconds:0} s");
        }
        return end > 0;
    }

    /// <summary>True when the server says nothing more and closes.</summary>
    public async Task<bool> IsClosedAsync() => await ReadLineAsync() is null;

    /// <summary>A whole SMTP reply, its lines joined by LF.</summary>
    public async Task<string> ReplyAsync()
    {
        var lines = new List<string>();
        while (true)
        {
            var line = await ReadLineAsync() ?? throw new EndOfStreamException("the server closed" + (lines.Count > 0 ? " after " + lines[^1] : ""));
            lines.Add(line);
            if (line.Length < 4 || line[3] != '-') return string.Join('\n', lines);
        }
    }

    /// <summary>Sends an SMTP command and reads its reply.</summary>
    public async Task<string> SmtpAsync(string command)
    {
        await SendLineAsync(command);
        return await ReplyAsync();
    }

    /// <summary>The same; fails unless the reply begins so.</summary>
    public async Task<string> SmtpAsync(string command, string expected)
    {
        var reply = await SmtpAsync(command);
        if (!reply.StartsWith(expected, StringComparison.Ordinal)) Assert.Fail($"{command}\nexpected {expected}, got {reply}");
        return reply;
    }

    /// <summary>Sends an IMAP command with a tag of its own; gives every line up to the tagged one, literals put in as text.</summary>
    public async Task<List<string>> ImapAsync(string command)
    {
        var mine = $"t{++tag}";
        await SendAsync($"{mine} {command}\r\n");
        return await ImapLinesAsync(mine);
    }

    /// <summary>The same; fails unless the tagged answer begins with the word.</summary>
    public async Task<List<string>> ImapAsync(string command, string expected)
    {
        var lines = await ImapAsync(command);
        if (!lines[^1].StartsWith(expected, StringComparison.Ordinal)) Assert.Fail($"{command}\nexpected {expected}, got {string.Join('\n', lines)}");
        return lines;
    }

    /// <summary>The lines up to the one that begins with the tag, which is left out of it.</summary>
    public async Task<List<string>> ImapLinesAsync(string mine)
    {
        var lines = new List<string>();
        while (true)
        {
            var line = await ImapLineAsync();
            if (line.StartsWith(mine + " ", StringComparison.Ordinal))
            {
                lines.Add(line[(mine.Length + 1)..]);
                return lines;
            }
            lines.Add(line);
        }
    }

    /// <summary>One response of IMAP, its literals included.</summary>
    public async Task<string> ImapLineAsync()
    {
        var whole = new StringBuilder();
        while (true)
        {
            var line = await ReadLineAsync() ?? throw new EndOfStreamException($"the server closed after \"{whole}\"");
            whole.Append(line);
            var open = line.EndsWith('}') ? line.LastIndexOf('{') : -1;
            if (open < 0 || !int.TryParse(line.AsSpan(open + 1, line.Length - open - 2), out var size)) return whole.ToString();
            whole.Append("\r\n").Append(Encoding.UTF8.GetString(await ReadBytesAsync(size)));
        }
    }

    /// <summary>Connects and signs in.</summary>
    public static async Task<WireClient> ImapLoginAsync(int port, string address, string password = TestServer.Password)
    {
        var client = await ConnectAsync(port);
        Assert.StartsWith("* OK", await client.ReadLineAsync());
        await client.ImapAsync($"LOGIN {address} \"{password}\"", "OK");
        return client;
    }

    /// <summary>Connects, reads the greeting and says EHLO.</summary>
    public static async Task<WireClient> SmtpHelloAsync(int port, bool tls = false, string verb = "EHLO")
    {
        var client = await ConnectAsync(port, tls);
        Assert.StartsWith("220", await client.ReplyAsync());
        await client.SmtpAsync($"{verb} client.example.org", "250");
        return client;
    }

    public void Reset() => socket.Close(0);

    public async ValueTask DisposeAsync() => await stream.DisposeAsync();
}
