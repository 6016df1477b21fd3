using System.Net;

namespace CbaMail.Net.Dns;

/// <summary>
/// /etc/hosts, for the hosts that the settings name (smarthosts): those work without any DNS. The names of other domains' servers
/// are never looked up here.
/// </summary>
public static class HostsFile
{
    public static IReadOnlyList<IPAddress> Find(string name, string file = "/etc/hosts")
    {
        // RFC 6761 6.3
        if (name.Equals("localhost", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase))
            return [IPAddress.Loopback, IPAddress.IPv6Loopback];
        try
        {
            return
            [
                .. File.ReadLines(file).Select(line => line.Split('#')[0].Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries))
                    .Where(words => words.Skip(1).Contains(name, StringComparer.OrdinalIgnoreCase))
                    .Select(words => IPAddress.TryParse(words[0], out var address) ? address : null)
                    .OfType<IPAddress>().Distinct(),
            ];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return []; // a machine without the file has no such names
        }
    }
}
