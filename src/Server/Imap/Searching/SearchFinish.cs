using CbaMail.Imap.Commands;

namespace CbaMail.Imap.Searching;

/// <summary>What RETURN leaves behind besides an answer: saved results, and searches that are kept up to date.</summary>
internal static class SearchFinish
{
    /// <summary>RFC 5267 4.3: a tag names one search of which updates are told.</summary>
    public static bool IsTagUsed(ImapSession session, SelectedMailbox mailbox, ReturnOptions? options) =>
        options?.Has(SearchResults.Update) == true && mailbox.Contexts.Has(session.Tag);

    /// <summary>What goes with something that is not there.</summary>
    public static void Check(ImapSession session, SelectedMailbox mailbox, ReturnOptions? options, SearchProgram program, ref ImapReader arguments, SortOrder? order = null)
    {
        if (IsTagUsed(session, mailbox, options)) arguments.Refuse("An earlier search of this tag is still kept up to date");
        // RFC 6203 4, 6
        if (!program.UsesFuzzy && (options?.Has(SearchResults.Relevancy) == true || order?.UsesRelevancy == true)) arguments.Refuse("RELEVANCY goes with FUZZY");
    }

    /// <summary>RFC 5182 2.1: after a NO to a search that was to be saved, "$" is empty; after BAD it is what it was.</summary>
    public static Outcome Refused(SelectedMailbox mailbox, ReturnOptions? options, Outcome outcome)
    {
        if (outcome.Kind == OutcomeKind.No && options?.Has(SearchResults.Save) == true) mailbox.Saved = [];
        return outcome;
    }

    /// <summary>Answers, saves, and takes the search into those that are kept up to date.</summary>
    public static async ValueTask WriteAsync(SearchAnswer answer, ReturnOptions options, List<int> found, SearchKey key, SortOrder? order)
    {
        var mailbox = answer.Mailbox;
        if (options.Answers && !answer.IsSilent) await answer.WriteExtendedAsync(options, found);
        if (options.Has(SearchResults.Save)) mailbox.Saved = [.. options.Saved(found).Select(mailbox.Uid).Distinct().Order()];
        if (!options.Has(SearchResults.Update)) return;
        // the relevancy of one hangs on all the others
        if (order?.UsesRelevancy == true || !mailbox.Contexts.Add(answer.Session.Tag, answer.ByUid, key, order, [.. found.Select(mailbox.Uid)], options.Items))
            answer.Session.Writer.Write("* NO [NOUPDATE "u8).String(answer.Session.Tag).Write("] This search is not kept up to date; end others by CANCELUPDATE\r\n"u8); // RFC 5267 4.3.1
    }
}
