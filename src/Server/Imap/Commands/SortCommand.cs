using CbaMail.Imap.Searching;

namespace CbaMail.Imap.Commands;

/// <summary>SORT and UID SORT (RFC 5256 3, RFC 5957) with RETURN: ESORT, CONTEXT=SORT (RFC 5267 3), PARTIAL (RFC 9394).</summary>
internal static class SortCommand
{
    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments) => Parse(session, ref arguments, byUid: false);
    public static ValueTask<Outcome> RunUid(ImapSession session, ref ImapReader arguments) => Parse(session, ref arguments, byUid: true);

    static ValueTask<Outcome> Parse(ImapSession session, ref ImapReader arguments, bool byUid)
    {
        var mailbox = session.Selected!;
        arguments.Space();
        var options = ReturnOptions.Take(ref arguments);
        var order = SortOrder.Parse(ref arguments);
        arguments.Space();
        // RFC 5256 3: the character set has to be named
        if (!SearchProgram.Charset(ref arguments, out var charset)) return new(SearchFinish.Refused(mailbox, options, SearchProgram.BadCharset));
        var program = SearchProgram.Parse(session, mailbox, charset, ref arguments);
        SearchFinish.Check(session, mailbox, options, program, ref arguments, order);
        return program.Failure(arguments) is { } failure ? new(SearchFinish.Refused(mailbox, options, failure)) : SortAsync(session, mailbox, program, order, options, byUid);
    }

    static async ValueTask<Outcome> SortAsync(ImapSession session, SelectedMailbox mailbox, SearchProgram program, SortOrder order, ReturnOptions? options, bool byUid)
    {
        if (options?.Has(SearchResults.Save) == true) mailbox.Saved = [];
        var (found, outcome) = await SearchRun.FindAsync(session, mailbox, program.Key);
        var relevancy = program.RelevancyOf(mailbox, found);
        // who wants a number alone needs no order
        if (options is null || options.Has(SearchResults.Min | SearchResults.Max | SearchResults.All | SearchResults.Partial | SearchResults.Relevancy | SearchResults.Update)) found = await order.SortAsync(session, mailbox, found, relevancy);
        var answer = new SearchAnswer(session, mailbox, byUid, program.UsesModSeq) { Relevancy = relevancy };
        if (options is null) await answer.WriteListAsync("SORT", found);
        else await SearchFinish.WriteAsync(answer, options, found, program.Key, order);
        return outcome;
    }
}

/// <summary>CANCELUPDATE (RFC 5267 4.3.5).</summary>
internal static class CancelUpdateCommand
{
    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments)
    {
        var tags = new List<string>();
        do
        {
            arguments.Space();
            tags.Add(ImapReader.Decode(arguments.StringBytes())); // RFC 5267 5: quoted
        }
        while (!arguments.Failed && arguments.Next == ' ');
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments));
        var contexts = session.Selected!.Contexts;
        if (tags.Find(tag => !contexts.Has(tag)) is not null) return new(Outcome.Bad("There is no search of this tag that is kept up to date"));
        foreach (var tag in tags) contexts.Cancel(tag);
        return new(Outcome.Ok(null, "No further updates"));
    }
}
