using System.Diagnostics.Metrics;
using System.Net;

namespace CbaMail.Imap;

/// <summary>Log messages (event ids 3000-3999) and instruments of the room.</summary>
static partial class ImapTelemetry
{
    static readonly Meter Meter = new("CbaMail.Imap");
    public static readonly UpDownCounter<int> Sessions = Meter.CreateUpDownCounter<int>("imap.sessions");
    public static readonly Counter<long> Commands = Meter.CreateCounter<long>("imap.commands");
    public static readonly Counter<long> Surprises = Meter.CreateCounter<long>("imap.surprises");

    [LoggerMessage(3000, LogLevel.Debug, "{Id}: IMAP from {Remote}")]
    public static partial void Opened(ILogger log, string id, IPEndPoint remote);

    [LoggerMessage(3001, LogLevel.Debug, "{Id}: IMAP ended: {Reason}")]
    public static partial void Ended(ILogger log, string id, string reason);

    [LoggerMessage(3002, LogLevel.Debug, "{Id}: {From} -> {To}")]
    public static partial void StateChanged(ILogger log, string id, ImapState from, ImapState to);

    [LoggerMessage(3003, LogLevel.Debug, "{Id}: {Account} signed in by {Mechanism}, secure: {Secure}")]
    public static partial void SignedIn(ILogger log, string id, string account, string mechanism, bool secure);

    [LoggerMessage(3005, LogLevel.Debug, "{Id}: {Tag} {Command}: {Outcome} in {Milliseconds} ms")]
    public static partial void Completed(ILogger log, string id, string tag, string command, OutcomeKind outcome, double milliseconds);

    [LoggerMessage(3006, LogLevel.Information, "{Id}: {Command} not understood: {Reason}")]
    public static partial void NotUnderstood(ILogger log, string id, string command, string reason);

    [LoggerMessage(3007, LogLevel.Error, "{Id}: {Command} failed")]
    public static partial void Surprise(ILogger log, Exception cause, string id, string command);

    [LoggerMessage(3008, LogLevel.Information, "{Id}: TLS handshake failed: {Reason}")]
    public static partial void HandshakeFailed(ILogger log, string id, string reason);

    [LoggerMessage(3010, LogLevel.Error, "{Id}: {Account}, mailbox {Mailbox}, UID {Uid} cannot be read: {Problem}")]
    public static partial void Damaged(ILogger log, string id, string account, long mailbox, uint uid, string problem);

    [LoggerMessage(3009, LogLevel.Information, "{Id}: client {Client}")]
    public static partial void ClientNamed(ILogger log, string id, string client);
}
