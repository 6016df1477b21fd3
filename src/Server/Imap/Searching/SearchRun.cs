using System.Diagnostics;
using System.Text;
using CbaMail.Imap.Commands;

namespace CbaMail.Imap.Searching;

/// <summary>What the searching commands have in common: their last arguments, and the walk over the messages.</summary>
/// <param name="UsesModSeq">The answer tells the highest modification sequence (RFC 7162 3.1.5).</param>
internal sealed record SearchProgram(SearchKey Key, bool UsesModSeq)
{
    /// <summary>RFC 3501 7.1, RFC 5256 3: the character sets that are known, as a code.</summary>
    public static readonly Outcome BadCharset =
        Outcome.No("This character set is not known here", "BADCHARSET (UTF-8 US-ASCII KOI8-R WINDOWS-1251 ISO-8859-1)");

    Outcome? Refusal { get; init; }

    /// <summary>There are scores (RFC 6203 4).</summary>
    public bool UsesFuzzy { get; private init; }

    public Relevancy? RelevancyOf(SelectedMailbox mailbox, List<int> found) => UsesFuzzy ? Relevancy.Of(mailbox, Key, found) : null;

    /// <summary>Reads the search keys up to the end of the command.</summary>
    public static SearchProgram Parse(ImapSession session, SelectedMailbox mailbox, Encoding? charset, ref ImapReader arguments)
    {
        var keys = new SearchKeys(mailbox, charset, session.Context.Time.GetUtcNow(), session.Settings.MaxSearchKeys, new Filters(session).Find);
        var key = keys.All(ref arguments);
        arguments.End();
        if (keys.UsesModSeq && !arguments.Failed) session.EnableCondStore(); // RFC 7162 3.1
        return new(key, keys.UsesModSeq) { Refusal = keys.Refusal, UsesFuzzy = keys.UsesFuzzy };
    }

    /// <summary>Why the command cannot be done, or null.</summary>
    public Outcome? Failure(in ImapReader arguments) => arguments.Failed ? Refusal ?? Outcome.Bad(arguments) : null;

    /// <summary>What is wrong with a search that is to be kept; what it names may come later.</summary>
    public static string? Fault(ImapSession session, byte[] program)
    {
        using var nothing = SelectedMailbox.Nothing(session.Mail.Notifier);
        var arguments = new ImapReader(program) { Utf8 = session.Dialect.Utf8 };
        var keys = new SearchKeys(nothing, null, session.Context.Time.GetUtcNow(), session.Settings.MaxSearchKeys, _ => "ALL"u8.ToArray());
        keys.All(ref arguments);
        arguments.End();
        return arguments.Error;
    }

    /// <summary>Takes "CHARSET name " where it comes next.</summary>
    /// <returns>False where the set is not known.</returns>
    public static bool TakeCharset(ImapSession session, ref ImapReader arguments, out Encoding? charset)
    {
        charset = null;
        if (!ReturnOptions.TakeWord(ref arguments, "CHARSET")) return true;
        // RFC 6855 3: texts are UTF-8 by then
        if (session.Dialect.Enabled.Contains("UTF8=ACCEPT")) arguments.Refuse("With UTF8=ACCEPT there is no CHARSET");
        return Charset(ref arguments, out charset);
    }

    /// <summary>The name of a character set and a space.</summary>
    public static bool Charset(ref ImapReader arguments, out Encoding? charset)
    {
        charset = Text.Charset.Find(arguments.Astring());
        arguments.Space();
        return charset is not null || arguments.Failed;
    }
}

/// <summary>Asks every message of a mailbox.</summary>
internal static class SearchRun
{
    /// <summary>Reads of rows and bodies before the snapshot is renewed: an old one keeps the store from tidying up.</summary>
    const int ReadsASnapshot = 400;
    /// <summary>Messages judged from memory between two looks at the clock.</summary>
    const int ViewsALook = 64;

    /// <summary>The indexes of the messages that match, rising.</summary>
    public static async ValueTask<List<int>> FindAsync(ImapSession session, SelectedMailbox mailbox, SearchKey key)
    {
        await IndexedText.PrepareAsync(session, mailbox.Id, key);
        var found = new List<int>();
        var candidate = new SearchCandidate(mailbox);
        for (var next = 0; next < mailbox.Count;)
        {
            session.Cancel.ThrowIfCancellationRequested();
            // what memory answers at once waits for nobody
            using (next == 0 && key.Cost == SearchCost.View ? default : await session.Context.Searches.EnterAsync(session.Cancel))
            using (var snapshot = session.Mail.Read())
                next = Judge(candidate, snapshot, key, next, found);
            candidate.Leave();
            if (next >= mailbox.Count) break;
            await session.ProgressAsync(next, mailbox.Count); // RFC 9585 3
            await Task.Yield();
        }
        IndexedText.Forget(key);
        return found;
    }

    /// <summary>One slice.</summary>
    /// <returns>Where the next begins.</returns>
    static int Judge(SearchCandidate candidate, Mailboxes.MailReader snapshot, SearchKey key, int next, List<int> found)
    {
        var began = Stopwatch.GetTimestamp();
        var reads = candidate.Reads = 0;
        do
        {
            candidate.MoveTo(next, snapshot);
            if (key.Matches(candidate)) found.Add(next);
            next++;
            if (candidate.Reads == reads && next % ViewsALook != 0) continue;
            reads = candidate.Reads;
            if (reads >= ReadsASnapshot || Stopwatch.GetElapsedTime(began) > SearchTurns.Slice) break;
        }
        while (next < candidate.Mailbox.Count);
        return next;
    }
}
