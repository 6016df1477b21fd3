namespace CbaMail.Envelope;

/// <summary>Why a message did not get through, and so what its sender should do. Only <see cref="Dead"/> speaks against the address.</summary>
public enum BounceCause
{
    /// <summary>The reply does not say.</summary>
    Unknown,
    /// <summary>Nobody has this address, or nothing is delivered to it any more.</summary>
    Dead,
    /// <summary>The mailbox is full: its owner may make room.</summary>
    Full,
    /// <summary>The recipient's server does not want mail from this sender, server or network.</summary>
    Policy,
    /// <summary>This message was not wanted: its size, its attachments, its text.</summary>
    Content,
    /// <summary>Trying again helps: greylisting, an outage, too much at once.</summary>
    Temporary,
}

/// <summary>What a reply means.</summary>
/// <param name="Provider">Whose words were recognised, or empty where the codes decided.</param>
/// <param name="OfDomain">The domain is at fault and not the one address: it has no servers, or takes no mail.</param>
public readonly record struct BounceVerdict(BounceCause Cause, string Provider = "", bool OfDomain = false)
{
    static readonly string[] Words = ["unknown", "dead", "full", "policy", "content", "temporary"];

    /// <summary>The word that stands in tables and in JSON.</summary>
    public string Word => Name(Cause);

    /// <inheritdoc cref="Word"/>
    public static string Name(BounceCause cause) => Words[(int)cause];
}
