using System.Net;
using CbaMail.Config;

namespace CbaMail.Net;

/// <summary>Log messages of connections: event ids from 1000.</summary>
static partial class NetTelemetry
{
    [LoggerMessage(1000, LogLevel.Debug, "{Session}: connected from {Remote} for {Protocol}")]
    public static partial void Connected(ILogger log, string session, IPEndPoint remote, Protocol protocol);

    [LoggerMessage(1001, LogLevel.Debug, "{Session}: disconnected")]
    public static partial void Disconnected(ILogger log, string session);

    [LoggerMessage(1002, LogLevel.Debug, "{Session}: the peer went away: {Cause}")]
    public static partial void Dropped(ILogger log, string session, string cause);

    [LoggerMessage(1003, LogLevel.Information, "{Session}: TLS handshake with {Remote} failed: {Cause}")]
    public static partial void HandshakeFailed(ILogger log, string session, IPAddress remote, string cause);

    [LoggerMessage(1004, LogLevel.Warning, "refused {Remote} on {Protocol}: too many connections")]
    public static partial void TooManyConnections(ILogger log, IPAddress remote, Protocol protocol);

    [LoggerMessage(1006, LogLevel.Error, "Too many files and connections are open: new connections are refused until some end; raise the limit (LimitNOFILE= of the systemd unit, or ulimit -n)")]
    public static partial void OutOfDescriptors(ILogger log);

    [LoggerMessage(1007, LogLevel.Error, "Memory is short ({Percent} % of {Limit} MiB used): new connections and messages are refused until it is not")]
    public static partial void MemoryShort(ILogger log, int percent, long limit);

    [LoggerMessage(1008, LogLevel.Warning, "Memory is enough again ({Percent} % of {Limit} MiB used)")]
    public static partial void MemoryBack(ILogger log, int percent, long limit);

    [LoggerMessage(1009, LogLevel.Error, "An event of a socket could not be served")]
    public static partial void EventFailed(ILogger log, Exception e);

    [LoggerMessage(1010, LogLevel.Error, "The connection of {Remote} for {Protocol} ended by a surprise")]
    public static partial void Surprise(ILogger log, IPEndPoint remote, Protocol protocol, Exception e);

    [LoggerMessage(1011, LogLevel.Warning, "closed {Remote} on {Protocol}, which is behind the PROXY protocol: this address is not in inbound.proxy-from")]
    public static partial void ProxyNotTrusted(ILogger log, IPAddress remote, string protocol);

    [LoggerMessage(1012, LogLevel.Warning, "closed {Remote} on {Protocol}, which is behind the PROXY protocol: {Problem}")]
    public static partial void NoProxyHeader(ILogger log, IPAddress remote, string protocol, string problem);

    [LoggerMessage(1013, LogLevel.Warning, "banned {Remote} for {Length}, time number {Level}: the last bad session was {What}")]
    public static partial void Banned(ILogger log, IPAddress remote, TimeSpan length, int level, string what);

    [LoggerMessage(1014, LogLevel.Information, "shut out {Remote} on {Protocol}: {Why}; {Others} others since the last such line")]
    public static partial void ShutOut(ILogger log, IPAddress remote, Protocol protocol, string why, int others);

    [LoggerMessage(1015, LogLevel.Information, "the public suffix list is now {File}, of {Date}, {Rules} rules")]
    public static partial void SuffixesInUse(ILogger log, string file, DateOnly? date, int rules);

    [LoggerMessage(1016, LogLevel.Warning, "{File} is not used, and the public suffix list of this release ({Date}) is: {Problem}")]
    public static partial void SuffixesRefused(ILogger log, string file, string problem, DateOnly? date);

    [LoggerMessage(1005, LogLevel.Trace, "{Session} {Side}: {Line}")]
    public static partial void Wire(ILogger log, string session, char side, string line);
}
