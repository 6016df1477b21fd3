using System.Net;

namespace CbaMail.Smtp.Server;

/// <summary>Log messages of SMTP: event ids from 2000.</summary>
static partial class SmtpTelemetry
{
    [LoggerMessage(2000, LogLevel.Information, "{Session}: recipient {Recipient} refused by {Check}, sender {Sender}, client {Remote}: {Reply}")]
    public static partial void RecipientRefused(ILogger log, string session, string recipient, string check, string sender, IPAddress remote, string reply);

    [LoggerMessage(2001, LogLevel.Information, "{Session}: message {Id} refused, sender {Sender}, client {Remote}: {Reply}")]
    public static partial void MessageRefused(ILogger log, string session, string id, string sender, IPAddress remote, string reply);

    [LoggerMessage(2002, LogLevel.Debug, "{Session}: message {Id} accepted, sender {Sender}, {Recipients} recipients, {Size} bytes, client {Remote}")]
    public static partial void Accepted(ILogger log, string session, string id, string sender, int recipients, long size, IPAddress remote);

    [LoggerMessage(2003, LogLevel.Error, "{Session}: {Verb} failed")]
    public static partial void Surprise(ILogger log, Exception cause, string session, string verb);

    [LoggerMessage(2004, LogLevel.Information, "{Session}: closed {Remote}: {Reason}")]
    public static partial void Closed(ILogger log, string session, IPAddress remote, string reason);

    [LoggerMessage(2005, LogLevel.Warning, "{Session}: {Remote} sent commands behind STARTTLS in clear text")]
    public static partial void Injected(ILogger log, string session, IPAddress remote);

    [LoggerMessage(2006, LogLevel.Debug, "{Session}: {State}")]
    public static partial void State(ILogger log, string session, string state);

    [LoggerMessage(2007, LogLevel.Information, "{Session}: message {Id}, sender {Sender}, client {Remote}: {Judgements}")]
    public static partial void Judged(ILogger log, string session, string id, string sender, IPAddress remote, string judgements);

    [LoggerMessage(2009, LogLevel.Information, "{Session}: message {Id} has the priority {Priority}, {Asked} was asked for")]
    public static partial void Priority(ILogger log, string session, string id, int priority, string asked);

    [LoggerMessage(2008, LogLevel.Information, "{Session}: client {Remote} refused by {Check}: {Reply}")]
    public static partial void ClientRefused(ILogger log, string session, IPAddress remote, string check, string reply);
}
