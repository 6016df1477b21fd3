namespace CbaMail.Imap;

/// <summary>
/// Imap: IMAP4rev1 (RFC 3501) and IMAP4rev2 (RFC 9051) with their extensions, for the clients of people.
///
/// <see cref="ImapHandler"/> takes a connection, <see cref="ImapSession"/> reads its commands, <see cref="ImapCommands"/> is the table of
/// them, each stands in its own file of Commands/: grammar, work, answer. <see cref="SelectedMailbox"/> is what the client believes,
/// Searching/ finds, sorts and threads messages for four commands,
/// <see cref="Dialect"/> what it understands: what is sent depends on it.
///
/// Does not: keep mail (Mailboxes), parse MIME (Formats), judge passwords (Sasl).
///
/// Rules to keep:
/// - A snapshot of the store is never held while bytes go to the connection: read rows, dispose, write. Bodies are streamed.
/// - What a client sends is bounded before it is read: lines, literals, parentheses, search keys. The messages of APPEND go to the spool.
/// - Parsing is synchronous over spans and total: a failure is an answer (BAD), never an exception.
/// - Sequence numbers change only where RFC 9051 7.5.1 lets them: EXPUNGE waits during FETCH, STORE and SEARCH.
/// - An OK to APPEND, STORE, COPY, MOVE, EXPUNGE comes after the durable commit.
/// - Pipelined commands are answered in one flush (ImapInput).
///
/// The mailboxes of others: <see cref="SessionView"/> leads from a name to a mailbox and what one may do with it; every command that names one asks there.
///
/// RFCs: 3501, 9051 (codes and wording), 2177 IDLE, 2342 NAMESPACE, 2971 ID, 3691 UNSELECT, 4314 ACL, 4315 UIDPLUS, 4731 ESEARCH, 4959 SASL-IR,
/// 5182 SEARCHRES, 5255 I18NLEVEL=1, 5256 SORT and THREAD, 5267 CONTEXT,
/// 5032 WITHIN, 5161 ENABLE, 5258 LIST-EXTENDED, 5464 METADATA, 5466 FILTERS, 5530 codes, 5819 LIST-STATUS, 6154 SPECIAL-USE, 6851 MOVE, 7162 CONDSTORE and QRESYNC,
/// 7888 LITERAL+, 7889 APPENDLIMIT, 7377 MULTISEARCH, 8437 UNAUTHENTICATE, 8438 STATUS=SIZE, 8440 LIST-MYRIGHTS, 8514 SAVEDATE, 8970 PREVIEW, 9208 QUOTA,
/// 9394 PARTIAL, 9585 INPROGRESS, 9586 UIDONLY, 9590 LIST-METADATA, 5465 NOTIFY (<see cref="Watch"/>);
/// of uploads and parts 3502 MULTIAPPEND, 3516 BINARY, 4469 CATENATE, 5092 and 5550 URL-PARTIAL, 6855 UTF8=ACCEPT, 8474 OBJECTID, 8508 REPLACE.
/// </summary>
public static class ImapRoom
{
    public static IServiceCollection AddImap(this IServiceCollection services) => services.AddSingleton<ImapHandler>();
}
