namespace CbaMail.Config;

/// <summary>The connections, sizes and times that hold for every protocol.</summary>
public sealed record LimitSettings
{
}
