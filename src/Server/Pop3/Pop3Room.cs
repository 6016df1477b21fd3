namespace CbaMail.Pop3;

/// <summary>
/// Pop3: POP3 (RFC 1939) with its extensions (RFC 2449), for programs that fetch the mail of INBOX and keep it themselves.
///
/// <see cref="Pop3Handler"/> takes a connection, <see cref="Pop3Session"/> reads its commands, <see cref="Pop3Commands"/> is the table of them,
/// each stands in its own file of Commands/. <see cref="Maildrop"/> is what INBOX held when the client signed in, <see cref="MaildropLocks"/> lets
/// one session at a time have it, <see cref="LineStuffer"/> makes lines and dots of a stored message. <see cref="Phrases"/> is what people read.
///
/// Does not: keep mail (Mailboxes), judge passwords (Sasl), show other mailboxes than INBOX. APOP is not offered: the server would have to keep
/// passwords in clear text (RFC 1939 13), here they are hashes; SASL's mechanisms prove as much without.
///
/// Rules to keep:
/// - Nothing in the store changes before UPDATE: a session that ends in any other way has deleted and marked nothing (RFC 1939 3, 6).
/// - +OK to QUIT comes after the durable commit, and after the maildrop is free for the next session.
/// - Message numbers are those of the snapshot. IMAP may expunge meanwhile: the number then stands for nothing, and no other changes.
/// - LIST says the octets that RETR sends, dots apart (RFC 1939 11): the store knows what each message's line ends need.
/// - No snapshot of the store is held while bytes go to the connection; messages are streamed, never held whole. 100,000 messages are under 1 MB.
/// - A line that is the client's end of an answer can only be ours: LF alone is sent as CRLF, each dot at the start of a line is doubled.
/// - What a client sends is bounded before it is read; every read and every write has its time.
///
/// RFCs: 1939, 2449 CAPA, PIPELINING, RESP-CODES, LOGIN-DELAY, EXPIRE, IMPLEMENTATION, 2595 STLS, 3206 AUTH-RESP-CODE, 5034 SASL,
/// 6856 UTF8 and LANG, 8314 POP3S.
/// </summary>
public static class Pop3Room
{
    public static IServiceCollection AddPop3(this IServiceCollection services) => services.AddSingleton<MaildropLocks>().AddSingleton<Pop3Handler>();
}
