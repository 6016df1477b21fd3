namespace CbaMail.Mailboxes;

/// <summary>What of a stored message is sent as other octets: <paramref name="Header"/> instead of its first <paramref name="From"/>.</summary>
public readonly record struct WireForm(ReadOnlyMemory<byte> Header, long From);

/// <summary>Takes a stored body piece by piece.</summary>
public interface IBodyTaker
{
    /// <returns>Whether more is wanted.</returns>
    bool Take(ReadOnlySpan<byte> piece);

    /// <summary>What has been taken is to be sent before more is given.</summary>
    bool IsFull { get; }

    ValueTask FlushAsync(CancellationToken cancel);

    /// <summary>Memory is tight: while the taker is waited for, nothing is kept that can be read again.</summary>
    bool IsSparing => false;
}
