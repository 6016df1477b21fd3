namespace CbaMail.Config;

/// <summary>The keys of course mailings.</summary>
public sealed record MailingSettings
{
}
