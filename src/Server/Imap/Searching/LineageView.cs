namespace CbaMail.Imap.Searching;

/// <summary>Who answers whom in a mailbox, as messages say; what threading without subjects needs, and what does not change when mail comes.</summary>
/// <param name="Ends">Where the ancestors of each end.</param>
internal sealed record LineageView(ViewShape Shape, long[] Ids, long[] Received, int[] Ends, long[] Ancestors)
{
    public long Bytes => 20L * Ids.Length + 8L * Ancestors.Length + 500;

    public static LineageView Of(ViewShape shape, List<ThreadMessage> messages)
    {
        var ancestors = new long[messages.Sum(message => message.References.Length)];
        var view = new LineageView(shape, new long[messages.Count], new long[messages.Count], new int[messages.Count], ancestors);
        for (var (i, at) = (0, 0); i < messages.Count; i++)
        {
            messages[i].References.CopyTo(ancestors.AsMemory(at));
            at += messages[i].References.Length;
            (view.Ids[i], view.Received[i], view.Ends[i]) = (messages[i].Id, messages[i].Received, at);
        }
        return view;
    }

    public IEnumerable<ThreadMessage> Messages()
    {
        for (var i = 0; i < Ids.Length; i++)
        {
            var from = i == 0 ? 0 : Ends[i - 1];
            yield return new(i, Ids[i], Ancestors.AsMemory(from, Ends[i] - from), "", false, Received[i], Received[i]);
        }
    }
}
