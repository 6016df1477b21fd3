using Microsoft.AspNetCore.Connections;

namespace CbaMail.Smtp.Server;

/// <summary>Where a connection enters SMTP, submission and LMTP.</summary>
public sealed class SmtpHandler : ConnectionHandler
{
    public override Task OnConnectedAsync(ConnectionContext connection) => Task.CompletedTask;
}
