using Microsoft.AspNetCore.Connections;

namespace CbaMail.Imap;

/// <summary>Where a connection enters IMAP.</summary>
public sealed class ImapHandler : ConnectionHandler
{
    public override Task OnConnectedAsync(ConnectionContext connection) => Task.CompletedTask;
}
