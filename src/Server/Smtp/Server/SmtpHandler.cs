using CbaMail.Net;

namespace CbaMail.Smtp.Server;

/// <summary>Where a connection enters SMTP, submission and LMTP.</summary>
public sealed class SmtpHandler(SmtpParts parts)
{
    /// <summary>One session from the greeting to the end.</summary>
    public Task RunAsync(Connection connection) => new SmtpSession(parts, connection).RunAsync();
}
