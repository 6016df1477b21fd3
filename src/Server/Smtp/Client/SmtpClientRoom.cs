namespace CbaMail.Smtp.Client;

/// <summary>
/// The client of SMTP: hands messages to other servers. It knows one connection and one transaction; where to connect, what to do with
/// a refusal and when to try again is decided in Delivery.
///
/// Rules that a change must keep:
/// - A recipient is reported as taken only on the peer's 2xx to the final dot; a connection that ends before it is a temporary failure
///   for everybody not refused yet. What must be durable first is awaited before the dot (ClientMessage.BeforeDot).
/// - The content streams: nothing is gathered beyond a buffer, dots are stuffed and bare CR and LF mended on the way.
/// - Every reply is bounded in length and lines, every wait in time (RFC 5321 4.5.3.2).
/// - Opportunistic TLS takes any certificate and falls back to clear text on a new connection; a password goes under TLS only,
///   or where the settings say None, or on loopback.
/// - What a certificate must show comes with the options (CertificateProof: an authority, DANE, a fingerprint); with it there is no way around.
/// - Text in clear behind the answer to STARTTLS ends the connection.
///
/// RFC 5321, 2920 (PIPELINING), 3207 (STARTTLS), 1870 (SIZE), 6152 (8BITMIME), 6531 (SMTPUTF8), 3461 (DSN), 4954 (AUTH), 9422 (LIMITS).
/// Not done: CHUNKING, BINARYMIME (the sender converts), LMTP.
/// </summary>
public static class SmtpClientRoom;
