using CbaMail.Imap.Searching;

namespace CbaMail.Imap.Commands;

/// <summary>
/// SEARCH and UID SEARCH (RFC 9051 6.4.4, RFC 3501 6.4.4) with RETURN: ESEARCH (RFC 4731), SEARCHRES (RFC 5182),
/// CONTEXT=SEARCH (RFC 5267), PARTIAL (RFC 9394).
/// </summary>
internal static class SearchCommand
{
    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments) => Parse(session, ref arguments, byUid: false);
    public static ValueTask<Outcome> RunUid(ImapSession session, ref ImapReader arguments) => Parse(session, ref arguments, byUid: true);

    static ValueTask<Outcome> Parse(ImapSession session, ref ImapReader arguments, bool byUid)
    {
        var mailbox = session.Selected!;
        arguments.Space();
        var options = ReturnOptions.Take(ref arguments) ?? (session.Dialect.Rev2 ? ReturnOptions.Everything : null);
        if (!SearchProgram.TakeCharset(session, ref arguments, out var charset)) return new(SearchFinish.Refused(mailbox, options, SearchProgram.BadCharset));
        var program = SearchProgram.Parse(session, mailbox, charset, ref arguments);
        SearchFinish.Check(session, mailbox, options, program, ref arguments);
        return program.Failure(arguments) is { } failure ? new(SearchFinish.Refused(mailbox, options, failure)) : SearchAsync(session, mailbox, program, options, byUid);
    }

    static async ValueTask<Outcome> SearchAsync(ImapSession session, SelectedMailbox mailbox, SearchProgram program, ReturnOptions? options, bool byUid)
    {
        if (options?.Has(SearchResults.Save) == true) mailbox.Saved = []; // RFC 5182 2.1: what is saved if this fails
        var (found, outcome) = await SearchRun.FindAsync(session, mailbox, program.Key);
        var answer = new SearchAnswer(session, mailbox, byUid, program.UsesModSeq) { Relevancy = program.RelevancyOf(mailbox, found) };
        if (options is null) await answer.WriteListAsync("SEARCH", found);
        else await SearchFinish.WriteAsync(answer, options, found, program.Key, order: null);
        return outcome;
    }
}
