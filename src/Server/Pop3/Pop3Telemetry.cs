using System.Diagnostics.Metrics;
using System.Net;

namespace CbaMail.Pop3;

/// <summary>Log messages (event ids 3500-3599) and instruments of the room.</summary>
static partial class Pop3Telemetry
{
    static readonly Meter Meter = new("CbaMail.Pop3");
    public static readonly UpDownCounter<int> Sessions = Meter.CreateUpDownCounter<int>("pop3.sessions");
    public static readonly Counter<long> Commands = Meter.CreateCounter<long>("pop3.commands");
    public static readonly Counter<long> Retrieved = Meter.CreateCounter<long>("pop3.retrieved");
    public static readonly Counter<long> Deleted = Meter.CreateCounter<long>("pop3.deleted");

    [LoggerMessage(3500, LogLevel.Debug, "{Id}: POP3 from {Remote}")]
    public static partial void Opened(ILogger log, string id, IPEndPoint remote);

    [LoggerMessage(3501, LogLevel.Debug, "{Id}: POP3 ended: {Reason}")]
    public static partial void Ended(ILogger log, string id, string reason);

    [LoggerMessage(3502, LogLevel.Debug, "{Id}: {From} -> {To}")]
    public static partial void StateChanged(ILogger log, string id, Pop3State from, Pop3State to);

    [LoggerMessage(3503, LogLevel.Debug, "{Id}: {Account} signed in by {Mechanism}, secure: {Secure}, {Messages} messages")]
    public static partial void SignedIn(ILogger log, string id, string account, string mechanism, bool secure, int messages);

    [LoggerMessage(3504, LogLevel.Information, "{Id}: {Account} fetched {Retrieved} messages and deleted {Deleted}")]
    public static partial void Updated(ILogger log, string id, string account, int retrieved, int deleted);

    [LoggerMessage(3505, LogLevel.Information, "{Id}: {Command} not understood: {Reason}")]
    public static partial void NotUnderstood(ILogger log, string id, string command, string reason);

    [LoggerMessage(3506, LogLevel.Error, "{Id}: {Command} failed")]
    public static partial void Surprise(ILogger log, Exception cause, string id, string command);

    [LoggerMessage(3507, LogLevel.Information, "{Id}: TLS handshake failed: {Reason}")]
    public static partial void HandshakeFailed(ILogger log, string id, string reason);

    [LoggerMessage(3508, LogLevel.Error, "{Id}: {Account}, mailbox {Mailbox}, UID {Uid} cannot be read: {Problem}")]
    public static partial void Damaged(ILogger log, string id, string account, long mailbox, uint uid, string problem);
}
