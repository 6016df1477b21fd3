namespace CbaMail.Imap.Searching;

/// <summary>Writes what has been found: SEARCH, SORT or ESEARCH. Long answers go out as they are written.</summary>
/// <param name="ByUid">UIDs instead of sequence numbers.</param>
/// <param name="UsesModSeq">With the highest modification sequence.</param>
internal sealed record SearchAnswer(ImapSession Session, SelectedMailbox Mailbox, bool ByUid, bool UsesModSeq)
{
    /// <summary>Correlators after the TAG (RFC 7377 2.1), or null.</summary>
    public Action<ImapWriter>? Correlators { get; init; }

    /// <summary>How well messages fit fuzzy keys, where there are some (RFC 6203 4).</summary>
    public Relevancy? Relevancy { get; init; }

    /// <summary>Nothing is answered, whatever was asked for.</summary>
    public bool IsSilent { get; init; }

    uint Number(int index) => ByUid ? Mailbox.Uid(index) : (uint)index + 1;

    /// <summary>"* SEARCH 2 3 (MODSEQ 917162500)", "* SORT ..." (RFC 3501 7.2.5; RFC 5256 4; RFC 7162 3.1.5, 3.1.6).</summary>
    public async ValueTask WriteListAsync(string name, List<int> found)
    {
        var writer = Session.Writer;
        writer.Write("* "u8).Write(name);
        foreach (var index in found)
        {
            writer.Space().Write(Number(index));
            if (writer.IsFull) await writer.FlushAsync(Session.Cancel);
        }
        if (UsesModSeq && found.Count > 0) writer.Write(" (MODSEQ "u8).Write(found.Max(Mailbox.ModSeqOf)).Write(")"u8);
        writer.EndLine();
    }

    /// <summary>ESEARCH (RFC 4731 3.1, RFC 9051 7.3.4): nothing found means no MIN, MAX or ALL.</summary>
    /// <param name="found">In the order of the results; MIN is the first of it, MAX the last (RFC 5267 3.1).</param>
    public async ValueTask WriteExtendedAsync(ReturnOptions options, List<int> found)
    {
        var writer = Session.Writer;
        writer.Write("* ESEARCH (TAG "u8).String(Session.Tag);
        Correlators?.Invoke(writer);
        writer.Write(ByUid ? ") UID"u8 : ")"u8);
        if (found.Count > 0)
        {
            if (options.Has(SearchResults.Min)) writer.Write(" MIN "u8).Write(Number(found[0]));
            if (options.Has(SearchResults.Max)) writer.Write(" MAX "u8).Write(Number(found[^1]));
        }
        if (found.Count > 0 && options.Has(SearchResults.All))
        {
            writer.Write(" ALL "u8);
            await WriteSetAsync(found);
        }
        if (options.Has(SearchResults.Count)) writer.Write(" COUNT "u8).Write(found.Count);
        // RFC 9394 3.1
        var piece = options.Has(SearchResults.Partial) ? options.Partial.Of(found) : found;
        if (options.Has(SearchResults.Partial)) await WritePartialAsync(options.Partial, piece);
        if (options.Has(SearchResults.Relevancy)) await WriteRelevancyAsync(piece);
        if (UsesModSeq && found.Count > 0) writer.Write(" MODSEQ "u8).Write(HighestModSeq(found, options));
        writer.EndLine();
    }

    // RFC 9394 3.1: NIL where there is nothing in the range
    async ValueTask WritePartialAsync(PartialRange range, List<int> piece)
    {
        Session.Writer.Write(" PARTIAL ("u8).Write(range.Text).Space();
        if (piece.Count == 0) Session.Writer.Write("NIL"u8);
        else await WriteSetAsync(piece);
        Session.Writer.Write(")"u8);
    }

    // RFC 6203 4, 7: one for each result, in their order
    async ValueTask WriteRelevancyAsync(List<int> results)
    {
        var writer = Session.Writer;
        writer.Write(" RELEVANCY ("u8);
        for (var i = 0; i < results.Count; i++)
        {
            if (i > 0) writer.Space();
            writer.Write(Relevancy?.Of(results[i]) ?? Searching.Relevancy.Most);
            if (writer.IsFull) await writer.FlushAsync(Session.Cancel);
        }
        writer.Write(")"u8);
    }

    // 1:3,5 in the order of the results; what falls is not folded (RFC 5267 3.2)
    async ValueTask WriteSetAsync(List<int> found)
    {
        var writer = Session.Writer;
        for (var i = 0; i < found.Count;)
        {
            var last = i;
            while (last + 1 < found.Count && Number(found[last + 1]) == Number(found[last]) + 1) last++;
            if (i > 0) writer.Write(","u8);
            writer.Write(Number(found[i]));
            if (last > i) writer.Write(":"u8).Write(Number(found[last]));
            i = last + 1;
            if (writer.IsFull) await writer.FlushAsync(Session.Cancel);
        }
    }

    // RFC 4731 3.2: with MIN or MAX alone it is that of the messages returned
    long HighestModSeq(List<int> found, ReturnOptions options)
    {
        if (!options.Has(SearchResults.Min | SearchResults.Max) || options.Has(SearchResults.All | SearchResults.Count | SearchResults.Partial)) return found.Max(Mailbox.ModSeqOf);
        var highest = 0L;
        if (options.Has(SearchResults.Min)) highest = Mailbox.ModSeqOf(found[0]);
        if (options.Has(SearchResults.Max)) highest = Math.Max(highest, Mailbox.ModSeqOf(found[^1]));
        return highest;
    }
}
