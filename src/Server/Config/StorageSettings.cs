namespace CbaMail.Config;

/// <summary>The keys of packs, database and commits.</summary>
public sealed record StorageSettings
{
}
