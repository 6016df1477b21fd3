namespace CbaMail.Config;

/// <summary>The keys of IMAP.</summary>
public sealed record ImapSettings
{
}
