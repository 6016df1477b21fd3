namespace CbaMail.Config;

/// <summary>The keys of the resolver.</summary>
public sealed record DnsSettings
{
}
