using System.Net;
using CbaMail.Config;

namespace CbaMail.Net.Dns;

/// <summary>Whom to ask: the settings, else /etc/resolv.conf, read again when it changes; nobody in the evaluation profile.</summary>
internal sealed class DnsServers
{
    const int Port = 53;
    readonly IReadOnlyList<IPEndPoint>? configured;
    readonly string file;
    readonly Lock gate = new();
    DateTime read;
    IReadOnlyList<IPEndPoint> system = [];

    /// <exception cref="FormatException">A server of the settings is no address.</exception>
    public DnsServers(DnsSettings settings, bool evaluation, string file = "/etc/resolv.conf")
    {
        this.file = file;
        if (settings.Servers.Count > 0) configured = [.. settings.Servers.Select(Parse)];
        else if (evaluation) configured = [];
    }

    public IReadOnlyList<IPEndPoint> Current
    {
        get
        {
            if (configured is not null) return configured;
            lock (gate)
            {
                try
                {
                    var changed = File.GetLastWriteTimeUtc(file);
                    if (changed != read) (system, read) = (Read(File.ReadAllLines(file)), changed);
                }
                catch (IOException)
                {
                    system = [];
                }
                return system;
            }
        }
    }

    /// <summary>resolv.conf(5): at most three are asked.</summary>
    internal static IReadOnlyList<IPEndPoint> Read(IEnumerable<string> lines) =>
    [
        .. lines.Select(line => line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries))
            .Where(words => words.Length > 1 && words[0] == "nameserver")
            .Select(words => IPAddress.TryParse(words[1], out var address) ? new IPEndPoint(address, Port) : null)
            .OfType<IPEndPoint>().Take(3),
    ];

    internal static IPEndPoint Parse(string text) =>
        DnsSettings.Server(text) ?? throw new FormatException($"dns.servers: '{text}' is no address; write 192.0.2.1, 192.0.2.1:53 or [2001:db8::1]:53");
}
