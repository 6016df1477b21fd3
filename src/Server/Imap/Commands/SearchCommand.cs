using System.Text;
using CbaMail.Mailboxes;
using CbaMail.Text;

namespace CbaMail.Imap.Commands;

/// <summary>SEARCH (RFC 9051 6.4.4, RFC 3501 6.4.4) with RETURN (ESEARCH, RFC 4731).</summary>
internal static class SearchCommand
{
    /// <summary>Reads of rows and bodies before the snapshot is renewed: an old one keeps the store from tidying up.</summary>
    const int ReadsASnapshot = 400;
    /// <summary>Messages judged from memory before others get the thread.</summary>
    const int ViewsATurn = 20_000;

    [Flags]
    enum Results { None = 0, Min = 1, Max = 2, All = 4, Count = 8 }

    sealed record Request(SearchKey Key, bool UsesModSeq, Results? Return, bool ByUid);

    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments) => Parse(session, ref arguments, byUid: false);
    public static ValueTask<Outcome> RunUid(ImapSession session, ref ImapReader arguments) => Parse(session, ref arguments, byUid: true);

    static ValueTask<Outcome> Parse(ImapSession session, ref ImapReader arguments, bool byUid)
    {
        arguments.Space();
        Results? returns = null;
        if (TakeWord(ref arguments, "RETURN"))
        {
            returns = Options(ref arguments);
            arguments.Space();
        }
        else if (session.Dialect.Rev2) returns = Results.All; // RFC 9051 6.4.4
        Encoding? charset = null;
        if (TakeWord(ref arguments, "CHARSET"))
        {
            var name = arguments.Astring();
            charset = Charset.Find(name);
            arguments.Space();
            // RFC 3501 6.4.4, 7.1
            if (charset is null && !arguments.Failed) return new(Outcome.No("This character set is not known here", "BADCHARSET (UTF-8 US-ASCII KOI8-R WINDOWS-1251 ISO-8859-1)"));
        }
        var keys = new SearchKeys(session.Selected!, charset, session.Context.Time.GetUtcNow(), session.Settings.MaxSearchKeys);
        var key = keys.All(ref arguments);
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments));
        if (keys.UsesModSeq) session.EnableCondStore(); // RFC 7162 3.1
        return SearchAsync(session, session.Selected!, new Request(key, keys.UsesModSeq, returns, byUid));
    }

    /// <summary>Takes "WORD " where it comes next.</summary>
    static bool TakeWord(ref ImapReader arguments, string word)
    {
        if (!char.IsAsciiLetter((char)arguments.Next)) return false;
        var ahead = arguments;
        if (ahead.Keyword() != word || !ahead.Take((byte)' ')) return false;
        arguments = ahead;
        return true;
    }

    // RFC 4731 3.1
    static Results Options(ref ImapReader arguments)
    {
        var results = Results.None;
        arguments.Open();
        if (arguments.TakeClose()) return Results.All;
        do
        {
            var word = arguments.Keyword();
            var result = word switch { "MIN" => Results.Min, "MAX" => Results.Max, "ALL" => Results.All, "COUNT" => Results.Count, _ => Results.None };
            if (result == Results.None) arguments.Refuse($"{word} is not a result that SEARCH can return here");
            results |= result;
        }
        while (!arguments.Failed && arguments.Take((byte)' '));
        arguments.Close();
        return results;
    }

    static async ValueTask<Outcome> SearchAsync(ImapSession session, SelectedMailbox mailbox, Request request)
    {
        var found = await FindAsync(session, mailbox, request.Key);
        if (request.Return is { } results) WriteExtended(session, mailbox, request, found, results);
        else await WriteAsync(session, mailbox, request, found);
        return Outcome.Done;
    }

    static async ValueTask<List<int>> FindAsync(ImapSession session, SelectedMailbox mailbox, SearchKey key)
    {
        var found = new List<int>();
        var candidate = new SearchCandidate(mailbox);
        for (var next = 0; next < mailbox.Count;)
        {
            session.Cancel.ThrowIfCancellationRequested();
            using (var snapshot = session.Mail.Read())
            {
                var end = Math.Min(mailbox.Count, next + ViewsATurn);
                for (candidate.Reads = 0; next < end && candidate.Reads < ReadsASnapshot; next++)
                {
                    candidate.MoveTo(next, snapshot);
                    if (key.Matches(candidate)) found.Add(next);
                }
            }
            if (next >= mailbox.Count) break;
            await session.ProgressAsync(next, mailbox.Count); // RFC 9585 3
            await Task.Yield();
        }
        return found;
    }

    static long Number(SelectedMailbox mailbox, Request request, int index) => request.ByUid ? mailbox.Uid(index) : index + 1;

    // RFC 3501 7.2.5; RFC 7162 3.1.5 for MODSEQ
    static async ValueTask WriteAsync(ImapSession session, SelectedMailbox mailbox, Request request, List<int> found)
    {
        var writer = session.Writer;
        writer.Write("* SEARCH"u8);
        foreach (var index in found)
        {
            writer.Space().Write(Number(mailbox, request, index));
            if (writer.IsFull) await writer.FlushAsync(session.Cancel);
        }
        if (request.UsesModSeq && found.Count > 0) writer.Write(" (MODSEQ "u8).Write(found.Max(mailbox.ModSeqOf)).Write(")"u8);
        writer.EndLine();
    }

    // RFC 4731 3.1; RFC 9051 7.3.4: nothing found means no MIN, MAX or ALL
    static void WriteExtended(ImapSession session, SelectedMailbox mailbox, Request request, List<int> found, Results results)
    {
        var writer = session.Writer;
        writer.Write("* ESEARCH (TAG "u8).String(session.Tag).Write(request.ByUid ? ") UID"u8 : ")"u8);
        if (found.Count > 0)
        {
            if (results.HasFlag(Results.Min)) writer.Write(" MIN "u8).Write(Number(mailbox, request, found[0]));
            if (results.HasFlag(Results.Max)) writer.Write(" MAX "u8).Write(Number(mailbox, request, found[^1]));
            if (results.HasFlag(Results.All)) writer.Write(" ALL "u8).Write(ImapWriter.Set([.. found.Select(i => (uint)Number(mailbox, request, i))]));
        }
        if (results.HasFlag(Results.Count)) writer.Write(" COUNT "u8).Write(found.Count);
        if (request.UsesModSeq && found.Count > 0) writer.Write(" MODSEQ "u8).Write(HighestModSeq(mailbox, found, results));
        writer.EndLine();
    }

    // RFC 4731 3.2: with MIN or MAX alone it is that of the messages returned
    static long HighestModSeq(SelectedMailbox mailbox, List<int> found, Results results)
    {
        if ((results & ~(Results.Min | Results.Max)) != 0) return found.Max(mailbox.ModSeqOf);
        var highest = 0L;
        if (results.HasFlag(Results.Min)) highest = mailbox.ModSeqOf(found[0]);
        if (results.HasFlag(Results.Max)) highest = Math.Max(highest, mailbox.ModSeqOf(found[^1]));
        return highest;
    }
}
