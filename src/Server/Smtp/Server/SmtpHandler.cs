using CbaMail.Net;
using Microsoft.AspNetCore.Connections;

namespace CbaMail.Smtp.Server;

/// <summary>Where a connection enters SMTP, submission and LMTP.</summary>
public sealed class SmtpHandler(SmtpParts parts) : ConnectionHandler
{
    public override Task OnConnectedAsync(ConnectionContext connection) => new SmtpSession(parts, Connection.Of(connection)).RunAsync();
}
