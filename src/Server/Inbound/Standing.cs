using System.Net;

namespace CbaMail.Inbound;

/// <summary>What came of looking an address up, name and address again (RFC 8601 2.7.3).</summary>
public enum Iprev
{
    /// <summary>It was not looked up.</summary>
    None,
    Pass,
    /// <summary>There is a name, but it does not lead back.</summary>
    Fail,
    /// <summary>DNS gave no answer.</summary>
    TempError,
    /// <summary>The address has no name.</summary>
    PermError,
}

/// <param name="Name">The name that leads back, where there is one.</param>
public sealed record ReverseName(Iprev Result, string? Name);

/// <summary>Something that speaks against a client, or for it where the weight is below zero.</summary>
/// <param name="Zone">The list that says so, or null.</param>
/// <param name="Query">The name under which it says so.</param>
public sealed record Finding(string What, double Weight, string? Zone = null, string? Query = null);

/// <summary>How a stranger on the SMTP port stands: what look-ups have found so far, and who knows him. It lasts as long as the connection.</summary>
public sealed class Standing(string session, IPAddress address, long began)
{
    readonly List<Task<Finding?>> ofClient = [];
    List<Task<Finding?>> ofHello = [];
    ReverseName reverse = new(Iprev.None, null);
    string? pool;
    bool settled;

    public string Session => session;
    public IPAddress Address => address;
    /// <summary>The clock's mark at the connection.</summary>
    public long Began => began;
    /// <summary>Asked nothing: by the settings, an administrator, or the name.</summary>
    public bool IsAllowed { get; internal set; }
    /// <summary>As far as it is known by now.</summary>
    public ReverseName Reverse
    {
        get => reverse;
        internal set => (reverse, pool) = (value, null);
    }
    /// <summary>All that speaks for and against the client so far.</summary>
    public IReadOnlyList<Finding> Findings { get; internal set; } = [];
    /// <summary>The sum of their weights.</summary>
    public double Sum => Findings.Sum(finding => finding.Weight);
    /// <summary>
    /// Whom to take for one client: the organisation, where address and name service agree on a name of a server; else the network. A large
    /// provider sends one message from many addresses, and those of a line of home connections have nothing in common.
    /// </summary>
    public string Pool => pool ??= PoolName.Of(address, reverse.Name);

    internal Task<ReverseName>? Looking { get; set; }
    /// <summary>When what was asked at the connection is too late.</summary>
    internal CancellationToken? Late { get; set; }
    internal bool IsSettled => settled;
    internal IEnumerable<Task<Finding?>> Waiting => ofClient.Concat(ofHello);

    internal void Add(Task<Finding?> lookup)
    {
        ofClient.Add(lookup);
        settled = false;
    }

    internal void SetHello(List<Task<Finding?>> lookups)
    {
        ofHello = lookups;
        settled = false;
    }

    internal void Settle(IReadOnlyList<Finding> findings) => (Findings, settled) = (findings, true);
}
