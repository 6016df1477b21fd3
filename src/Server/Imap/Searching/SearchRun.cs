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
        if (session.Dialect.Utf8Headers) arguments.Refuse("With UTF8=ACCEPT there is no CHARSET");
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

/// <param name="Found">The indexes of the messages that match, rising.</param>
/// <param name="Outcome">What the tagged response says.</param>
internal sealed record SearchFound(List<int> Found, Outcome Outcome);

/// <summary>Asks every message of a mailbox.</summary>
internal static class SearchRun
{
    /// <summary>Reads of rows and bodies before the snapshot is renewed: an old one keeps the store from tidying up.</summary>
    const int ReadsASnapshot = 400;
    /// <summary>Messages judged from memory between two looks at the clock.</summary>
    const int ViewsALook = 64;

    public static async ValueTask<SearchFound> FindAsync(ImapSession session, SelectedMailbox mailbox, SearchKey key)
    {
        await IndexedText.PrepareAsync(session, mailbox.Id, key);
        var found = new List<int>();
        var shares = new SearchShares(mailbox.Count);
        var lane = new Lane(session, mailbox, key, shares);
        var isShort = false;
        Task<(List<int> Found, bool IsShort)>? help = null;
        try
        {
            for (var isFirst = true; ; isFirst = false)
            {
                session.Cancel.ThrowIfCancellationRequested();
                bool isDone;
                // what memory answers at once waits for nobody
                using (isFirst && key.Cost == SearchCost.View ? default : await session.Context.Searches.EnterAsync(session.Cancel))
                    isDone = lane.Judge(found, SearchTurns.Slice);
                if (help is not null && (isDone || help.IsCompleted))
                {
                    var helped = await help;
                    found.AddRange(helped.Found);
                    (isShort, help) = (isShort | helped.IsShort, null);
                }
                if (isDone && shares.AreTaken) break; // else the helper has left some
                // what lasts, and can be judged in any order, is shared with a core that has nothing else to do
                if (!isDone && help is null && key is { Cost: SearchCost.Content, Fuzzy.Count: 0 } && session.Context.Searches.TryHelp() is { } turn)
                    help = HelpAsync(session, new Lane(session, mailbox, key, shares), turn);
                await session.ProgressAsync(lane.Next, mailbox.Count); // RFC 9585 3
                await Task.Yield();
            }
        }
        finally
        {
            shares.Stop();
            if (help is not null) await help;
        }
        found.Sort();
        IndexedText.Forget(key);
        // RFC 5530 3: what others have expunged still has a number here, and cannot be judged any more
        return new(found, isShort || lane.HasMissed ? Outcome.Ok("EXPUNGEISSUED", "Some of the messages have been expunged") : Outcome.Done);
    }

    static async Task<(List<int> Found, bool IsShort)> HelpAsync(ImapSession session, Lane lane, SearchTurns.Turn turn)
    {
        var found = new List<int>();
        while (true)
        {
            await Task.Yield();
            using (turn)
                if (session.Cancel.IsCancellationRequested || lane.Judge(found, SearchTurns.HelpersSlice)) return (found, lane.HasMissed);
            await Task.Yield();
            if (session.Context.Searches.TryHelp() is { } next) turn = next;
            else
            {
                lane.Leave(); // to the one that is helped
                return (found, lane.HasMissed);
            }
        }
    }

    /// <summary>Judges one message after the other of the shares that it takes.</summary>
    sealed class Lane(ImapSession session, SelectedMailbox mailbox, SearchKey key, SearchShares shares)
    {
        readonly SearchCandidate candidate = new(mailbox);
        int end;

        public int Next { get; private set; }
        public bool HasMissed => candidate.HasMissed;

        /// <summary>One slice.</summary>
        /// <returns>Whether there is nothing left to take.</returns>
        public bool Judge(List<int> found, TimeSpan slice)
        {
            using var snapshot = session.Mail.Read();
            var began = Stopwatch.GetTimestamp();
            var reads = candidate.Reads = 0;
            try
            {
                do
                {
                    if (Next == end)
                    {
                        if (!shares.TryTake(out var from, out var to)) return true;
                        (Next, end) = (from, to);
                    }
                    candidate.MoveTo(Next, snapshot);
                    if (key.Matches(candidate)) found.Add(Next);
                    Next++;
                    if (candidate.Reads == reads && Next % ViewsALook != 0) continue;
                    reads = candidate.Reads;
                    if (reads >= ReadsASnapshot || Stopwatch.GetElapsedTime(began) > slice) return false;
                }
                while (true);
            }
            finally { candidate.Leave(); }
        }

        /// <summary>Leaves the rest of the share to another.</summary>
        public void Leave() => shares.GiveBack(Next, end);
    }
}

/// <summary>The messages of a mailbox in shares, for those that judge them side by side.</summary>
internal sealed class SearchShares(int count)
{
    /// <summary>What one of two takes next.</summary>
    const int Messages = 128;

    readonly Lock gate = new();
    readonly Stack<(int From, int To)> left = new();
    int next;

    /// <summary>Whether there are none left.</summary>
    public bool AreTaken
    {
        get { lock (gate) return next >= count && left.Count == 0; }
    }

    public bool TryTake(out int from, out int to)
    {
        lock (gate)
        {
            if (left.TryPop(out var share))
            {
                (from, to) = share;
                return true;
            }
            from = next;
            to = next = Math.Min(count, next + Messages);
            return from < to;
        }
    }

    public void GiveBack(int from, int to)
    {
        lock (gate)
            if (from < to) left.Push((from, to));
    }

    /// <summary>Nobody needs them any more.</summary>
    public void Stop()
    {
        lock (gate)
        {
            next = count;
            left.Clear();
        }
    }
}
