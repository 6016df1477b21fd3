using CbaMail.Config;
using CbaMail.Delivery;
using CbaMail.Inbound;
using CbaMail.Sasl;
using CbaMail.Storage;
using CbaMail.Submission;

namespace CbaMail.Smtp.Server;

/// <summary>Places a message; answers each recipient. <see cref="LocalDelivery"/> in the server, something smaller in tests.</summary>
public delegate ValueTask<IReadOnlyList<Envelope.Refusal?>> Deliver(DeliveryOrder order, CancellationToken cancel);

/// <summary>What every session uses.</summary>
public sealed record SmtpParts(
    Settings Settings, Pipeline Pipeline, Submit Submit, SignIn SignIn, Spool Spool, Deliver Deliver, TimeProvider Time, ILogger Log, Edge? Edge = null)
{
    /// <summary>Hears of what is refused; null in small tests.</summary>
    public Queue.Trail? Trail { get; init; }
    /// <summary>How much an account may send; null in small tests.</summary>
    public SendLimits? Limits { get; init; }
}

/// <summary>
/// Smtp.Server: SMTP on port 25 (RFC 5321), submission on 587 and 465 (RFC 6409, RFC 8314) and LMTP (RFC 2033), one session class
/// for all. <see cref="SmtpCommands"/> is the table: what stands there is what EHLO announces and HELP tells.
///
/// SmtpHandler takes the connection, SmtpSession reads commands, SmtpTransaction is what MAIL began, Commands/ has a file a command,
/// DotReader and MessageSink take the text, Acceptance ends a transaction with its reply.
///
/// Does not: decide who is a recipient (Inbound), what our own people may send (Submission), where mail goes (Delivery).
/// Rules to keep:
/// - 250 after the text means: durable. Nothing is promised before (RFC 5321 6.1).
/// - Only CRLF.CRLF ends DATA; a message with a CR or LF on its own is refused, or another server would see two messages in it.
/// - A command has at most 2,048 octets, no NUL or control, UTF-8 only where SMTPUTF8 lets it be (RFC 6531).
/// - Whatever follows STARTTLS in clear text is never parsed; the session begins anew under TLS (RFC 3207 4.2).
/// - After an error in DATA or BDAT the octets of the message are read to their end: text never becomes commands.
/// </summary>
public static class SmtpServerRoom
{
    public static IServiceCollection AddSmtpServer(this IServiceCollection services) => services
        .AddSingleton(p => new SmtpParts(
            p.GetRequiredService<Settings>(), p.GetRequiredService<Pipeline>(), p.GetRequiredService<Submit>(), p.GetRequiredService<SignIn>(),
            p.GetRequiredService<Spool>(), p.GetRequiredService<LocalDelivery>().DeliverAsync, p.GetRequiredService<TimeProvider>(),
            p.GetRequiredService<ILogger<SmtpHandler>>(), p.GetRequiredService<Edge>())
        {
            Trail = p.GetRequiredService<Queue.MailQueue>().Trail,
            Limits = p.GetRequiredService<SendLimits>(),
        })
        .AddSingleton<SmtpHandler>();
}
