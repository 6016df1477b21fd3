using System.Collections.Concurrent;
using CbaMail.Mailboxes;

namespace CbaMail.Delivery;

/// <summary>
/// Remembers of each of our own people a message that they sent: the next one of a series (2,500 personalised letters from a script or a
/// spreadsheet's mail merge) is stored as what differs from it. Nothing is taken from one account to another's mail, and who sends
/// letters that do not resemble each other is tried ever more rarely.
/// </summary>
sealed class Likeness
{
    const int MostAuthors = 256;
    const int LeastBytes = 4096;
    readonly ConcurrentDictionary<long, Series> authors = new();

    sealed class Series(long content, long size)
    {
        public long Content => content;
        public long Size => size;
        public int Misses;
    }

    /// <summary>The content that the author's next message may resemble, or null.</summary>
    public long? Of(long author, int size)
    {
        if (size < LeastBytes || !authors.TryGetValue(author, out var series) || size > series.Size * 2 || size < series.Size / 2) return null;
        var misses = Volatile.Read(ref series.Misses);
        if (misses < 3 || misses % 16 == 0) return series.Content;
        Interlocked.Increment(ref series.Misses);
        return null;
    }

    /// <summary>Whether the staged message has become so small that it is worth hanging on another.</summary>
    public static bool Resembles(StagedMessage staged) => staged.Record.Length < staged.Size / 6;

    public void Hit(long author)
    {
        if (authors.TryGetValue(author, out var series)) Volatile.Write(ref series.Misses, 0);
    }

    public void Missed(long author)
    {
        if (authors.TryGetValue(author, out var series)) Interlocked.Increment(ref series.Misses);
    }

    /// <summary>A message that stands for itself has been stored: what comes may resemble it.</summary>
    public void Remember(long author, ContentRef content)
    {
        if (content.Size < LeastBytes) return;
        if (authors.Count >= MostAuthors && !authors.ContainsKey(author)) authors.Clear();
        var misses = authors.TryGetValue(author, out var before) ? Volatile.Read(ref before.Misses) : 0;
        authors[author] = new Series(content.Id, content.Size) { Misses = misses };
    }

    /// <summary>The body has gone from the vault.</summary>
    public void Forget(long author) => authors.TryRemove(author, out _);
}
