namespace CbaMail.Config;

/// <summary>The connections, sizes and times that hold for every protocol.</summary>
public sealed record LimitSettings
{
    /// <summary>Connections open at once, over all protocols. Default 10000.</summary>
    public int Connections { get; init; } = 10_000;

    /// <summary>Connections open at once from one address (IPv6: one /64 network). Default 200; in the evaluation profile 10000.</summary>
    public int? ConnectionsPerAddress { get; init; }

    /// <summary>Connections open at once from one network: /24, in IPv6 /48. Default 500; in the evaluation profile 10000.</summary>
    public int? ConnectionsPerNetwork { get; init; }

    /// <summary>How long a TLS handshake may take. Default 30 seconds.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long the answer to the first wrong password of an address is held back; it doubles with each further one, up to 16 times. Default 1 second; in the evaluation profile none.</summary>
    public TimeSpan? SignInDelay { get; init; }

    /// <summary>Wrong passwords from one address within ten minutes, after which it is refused unheard. 0 = no limit. Default 100; in the evaluation profile 0.</summary>
    public int? SignInFailures { get; init; }

    /// <summary>Bytes of memory that the server may take. Default: the limit of its cgroup or container, or the machine's memory.</summary>
    public long? Memory { get; init; }

    /// <summary>The share of <see cref="Memory"/> above which new connections hear 421 or BYE and new messages 452 or NO. Default 0.8.</summary>
    public double MemoryShare { get; init; } = 0.8;

    /// <summary>
    /// Whether the server looks out for the next command of the only peer that speaks, for 100 us and as long as that pays, before its processor falls
    /// asleep. Default yes; never with less than two processors. <c>no</c> where CPU is paid by its use.
    /// </summary>
    public bool LookOut { get; init; } = true;

    /// <summary>
    /// Whether the processors of the whole machine are kept from falling asleep (/dev/cpu_dma_latency, as tuned's profile for latency does for good) while
    /// the only peer that speaks is on this machine or close by and sends more than 800 things a second. Default yes; without effect where
    /// the device may not be opened, as in most containers. <c>no</c> on a host whose CPU is paid by its use.
    /// </summary>
    public bool StayAwake { get; init; } = true;

    /// <summary>
    /// Whether the server, as soon as it serves, goes through what mail programs do, over a mailbox of its own in memory (/dev/shm), so that the first user does
    /// not wait for code to be loaded. Default yes; without effect where the program was not compiled ahead. <c>no</c> saves 7 MB, and 0.35 s of CPU at each start.
    /// </summary>
    public bool WarmUp { get; init; } = true;

    internal int PerAddress(bool evaluation) => ConnectionsPerAddress ?? (evaluation ? 10_000 : 200);
    internal int PerNetwork(bool evaluation) => ConnectionsPerNetwork ?? (evaluation ? 10_000 : 500);
    internal TimeSpan Delay(bool evaluation) => SignInDelay ?? (evaluation ? TimeSpan.Zero : TimeSpan.FromSeconds(1));
    internal int Failures(bool evaluation) => SignInFailures ?? (evaluation ? 0 : 100);
}
