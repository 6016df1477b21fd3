using System.Net;

namespace CbaMail.Inbound;

/// <summary>
/// One client's connection, as long as it lasts: what is known of it beside what each <see cref="Arrival"/> says, and what checks keep from
/// message to message (a conversation with a milter). The session makes one and disposes it at its end; it is used by one task at a time.
/// </summary>
public sealed class Visit : IAsyncDisposable
{
    Dictionary<object, object>? kept;

    public IPEndPoint? Remote { get; init; }
    public IPEndPoint? Local { get; init; }
    /// <summary>For example "TLSv1.3" and "TLS_AES_256_GCM_SHA384"; null in clear text.</summary>
    public (string Protocol, string Cipher)? Tls { get; set; }
    /// <summary>The mechanism by which somebody signed in, or null.</summary>
    public string? Mechanism { get; set; }
    /// <summary>The name of the client's address where it leads back to the address, or null.</summary>
    public string? RemoteName { get; set; }

    /// <summary>How a stranger stands; null where nobody is one (submission, LMTP).</summary>
    public Standing? Standing { get; set; }
    /// <summary>Ends when the server stops or the connection is dropped by us.</summary>
    public CancellationToken Leaving { get; init; }

    /// <summary>What was kept under the key, or null.</summary>
    public T? Find<T>(object key) where T : class => kept?.GetValueOrDefault(key) as T;

    /// <summary>Keeps it to the end of the visit; what can be disposed, is disposed then.</summary>
    public void Keep(object key, object value) => (kept ??= new(ReferenceEqualityComparer.Instance))[key] = value;

    public async ValueTask DisposeAsync()
    {
        if (kept is null) return;
        foreach (var value in kept.Values)
        {
            if (value is IAsyncDisposable later) await later.DisposeAsync();
            else if (value is IDisposable now) now.Dispose();
        }
        kept = null;
    }
}
