using System.Collections.Immutable;
using System.Net;
using CbaMail.Config;

namespace CbaMail.Net;

/// <summary>
/// Whom we ask nothing: addresses and networks, and host names that address and name service agree upon; those of the settings and those
/// that <c>cbamail allow</c> has added.
/// </summary>
public sealed class AllowList
{
    const int MostAdded = 10_000;
    static readonly TimeSpan ForEver = TimeSpan.FromDays(36500);

    readonly ImmutableArray<IPNetwork> ownNetworks;
    readonly ImmutableArray<string> ownNames;
    readonly TimeProvider time;
    volatile Lists lists = new([], []);

    sealed record Lists(ImmutableArray<IPNetwork> Networks, ImmutableArray<string> Names);

    public AllowList(Settings settings, TimeProvider time)
    {
        this.time = time;
        Added = new Remembered("allow", MostAdded, ForEver + TimeSpan.FromDays(1), time);
        if (settings.Inbound.Allow is not { } given) (ownNetworks, ownNames) = (settings.Evaluation ? [] : [.. InboundSettings.Loopback], []);
        else
        {
            foreach (var text in given)
                if (!TryRead(text, out _)) throw new InvalidOperationException($"inbound.allow: \"{text}\" is neither an address, nor a network, nor a host name such as mail.example.org or *.example.org");
            ownNetworks = [.. given.Where(IsNetwork).Select(Network)];
            ownNames = [.. given.Where(text => !IsNetwork(text)).Select(Name)];
        }
        Renew();
    }

    /// <summary>What was added while running; kept on the disk by Inbound.</summary>
    public Remembered Added { get; }

    /// <summary>What the settings name.</summary>
    public IEnumerable<string> Own => [.. ownNetworks.Select(Networks.Show), .. ownNames];

    static bool IsNetwork(string text) => Networks.TryParse(text, out _);
    static IPNetwork Network(string text) => Networks.TryParse(text, out var network) ? network : default;
    static string Name(string text) => text.Trim().TrimEnd('.').ToLowerInvariant();

    /// <summary>Whether it is something that can be allowed or banned by name or address; its one way to be written.</summary>
    public static bool TryRead(string text, out string written)
    {
        written = Name(text);
        if (Networks.TryParse(text, out var network))
        {
            written = Networks.Show(network);
            return true;
        }
        var name = written.StartsWith("*.", StringComparison.Ordinal) ? written[2..] : written;
        return name.Contains('.', StringComparison.Ordinal) && name.Length <= 253 && name.Split('.').All(label => label.Length is > 0 and <= 63 && label.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
            && !name.All(c => char.IsAsciiDigit(c) || c == '.');
    }

    public void Add(string written, string note)
    {
        var now = time.GetUtcNow();
        Added.Set(written, new Memo(now, now, now + ForEver, 1, note));
        Renew();
    }

    public bool Remove(string written)
    {
        var was = Added.Remove(written);
        Renew();
        return was;
    }

    /// <summary>After <see cref="Added"/> has been filled.</summary>
    public void Renew()
    {
        var added = Added.All().ConvertAll(entry => entry.Key);
        lists = new Lists([.. ownNetworks, .. added.Where(IsNetwork).Select(Network)], [.. ownNames, .. added.Where(text => !IsNetwork(text))]);
    }

    public bool Holds(IPAddress address)
    {
        foreach (var network in lists.Networks)
            if (network.Contains(address)) return true;
        return false;
    }

    public bool HasNames => lists.Names.Length > 0;

    /// <param name="host">A name that address and name service agree upon.</param>
    public bool Holds(string host)
    {
        foreach (var name in lists.Names)
        {
            if (name[0] == '*' ? host.EndsWith(name.AsSpan(1), StringComparison.OrdinalIgnoreCase) : host.Equals(name, StringComparison.OrdinalIgnoreCase)) return true;
        }
        return false;
    }
}
