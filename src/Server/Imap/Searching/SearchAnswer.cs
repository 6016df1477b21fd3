namespace CbaMail.Imap.Searching;

/// <summary>Writes what has been found: SEARCH, SORT or ESEARCH.</summary>
/// <param name="ByUid">UIDs instead of sequence numbers.</param>
/// <param name="UsesModSeq">With the highest modification sequence.</param>
internal sealed record SearchAnswer(ImapSession Session, SelectedMailbox Mailbox, bool ByUid, bool UsesModSeq)
{
    /// <summary>Correlators after the TAG (RFC 7377 2.1), or null.</summary>
    public Action<ImapWriter>? Correlators { get; init; }

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
    public void WriteExtended(ReturnOptions options, List<int> found)
    {
        var writer = Session.Writer;
        writer.Write("* ESEARCH (TAG "u8).String(Session.Tag);
        Correlators?.Invoke(writer);
        writer.Write(ByUid ? ") UID"u8 : ")"u8);
        if (found.Count > 0)
        {
            if (options.Has(SearchResults.Min)) writer.Write(" MIN "u8).Write(Number(found[0]));
            if (options.Has(SearchResults.Max)) writer.Write(" MAX "u8).Write(Number(found[^1]));
            if (options.Has(SearchResults.All)) writer.Write(" ALL "u8).Write(Set(found));
        }
        if (options.Has(SearchResults.Count)) writer.Write(" COUNT "u8).Write(found.Count);
        if (options.Has(SearchResults.Partial))
        {
            // RFC 9394 3.1: NIL where there is nothing in the range
            var piece = options.Partial.Of(found);
            writer.Write(" PARTIAL ("u8).Write(options.Partial.Text).Space().Write(piece.Count == 0 ? "NIL" : Set(piece)).Write(")"u8);
        }
        if (UsesModSeq && found.Count > 0) writer.Write(" MODSEQ "u8).Write(HighestModSeq(found, options));
        writer.EndLine();
    }

    string Set(List<int> indexes) => ImapWriter.Set([.. indexes.Select(Number)]);

    // RFC 4731 3.2: with MIN or MAX alone it is that of the messages returned
    long HighestModSeq(List<int> found, ReturnOptions options)
    {
        if (options.Has(SearchResults.All | SearchResults.Count | SearchResults.Partial)) return found.Max(Mailbox.ModSeqOf);
        var highest = 0L;
        if (options.Has(SearchResults.Min)) highest = Mailbox.ModSeqOf(found[0]);
        if (options.Has(SearchResults.Max)) highest = Math.Max(highest, Mailbox.ModSeqOf(found[^1]));
        return highest;
    }
}
