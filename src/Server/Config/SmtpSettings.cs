namespace CbaMail.Config;

/// <summary>The keys of SMTP, submission and LMTP.</summary>
public sealed record SmtpSettings
{
}
