using System.Buffers;
using System.Text;
using CbaMail.Storage.Search;
using CbaMail.Text;

namespace CbaMail.Mailboxes.Search;

/// <summary>Takes texts that come in pieces.</summary>
public interface ITextTaker
{
    /// <param name="piece">Of any length; it ends with no half of a pair.</param>
    /// <returns>Whether more is wanted, of this text or of others.</returns>
    bool Take(ReadOnlySpan<char> piece);

    /// <summary>The text is at its end.</summary>
    /// <returns>Whether another is wanted.</returns>
    bool End();
}

/// <summary>Brings pieces into the form of <see cref="Casemap"/>, in a buffer that does not grow with the text.</summary>
public abstract class KeyTaker : ITextTaker, IDisposable
{
    private protected const int Piece = 16 << 10;

    char[] key = ArrayPool<char>.Shared.Rent(Piece + (Piece >> 2));
    int held;

    /// <summary>Looks at what has come, and at what of before is still to be looked at.</summary>
    /// <param name="isEnd">The text ends with it.</param>
    /// <returns>How much need not come again in front of what follows, or -1 where nothing is to follow.</returns>
    private protected abstract int Look(ReadOnlySpan<char> key, bool isEnd);

    public virtual bool Take(ReadOnlySpan<char> piece)
    {
        while (!piece.IsEmpty)
        {
            var length = Casemap.Write(SearchWords.Take(ref piece, Piece), ref key, held);
            held = 0;
            var used = Look(key.AsSpan(0, length), isEnd: false);
            if (used < 0) return false;
            held = length - used;
            key.AsSpan(used, held).CopyTo(key);
        }
        return true;
    }

    public bool End()
    {
        var more = held == 0 || Look(key.AsSpan(0, held), isEnd: true) >= 0;
        held = 0;
        return more;
    }

    public void Dispose()
    {
        if (key.Length > 0) ArrayPool<char>.Shared.Return(key);
        key = [];
    }
}

/// <summary>Whether one of the texts holds another.</summary>
/// <param name="needle">In the form of <see cref="Casemap"/>.</param>
public sealed class TextFinder(string needle) : KeyTaker
{
    public bool Found { get; private set; }

    private protected override int Look(ReadOnlySpan<char> key, bool isEnd)
    {
        if (isEnd) return key.Length; // it has been looked at
        Found = key.IndexOf(needle) >= 0;
        return Found ? -1 : Math.Max(0, key.Length - needle.Length + 1);
    }
}

/// <summary>Cuts texts into words as <see cref="SearchWords"/> does, wherever the pieces end.</summary>
public abstract class WordTaker : KeyTaker
{
    /// <param name="word">A word, or a piece of a long one.</param>
    /// <returns>Whether more is wanted.</returns>
    private protected abstract bool Word(ReadOnlySpan<char> word);

    /// <summary>The word at hand is longer than one can be (<see cref="Sections.Piece"/>).</summary>
    private protected virtual void IsLong() { }

    private protected override int Look(ReadOnlySpan<char> key, bool isEnd)
    {
        for (var at = 0; ;)
        {
            while (at < key.Length && !SearchWords.IsPart(key[at])) at++;
            var end = at;
            while (end < key.Length && SearchWords.IsPart(key[end])) end++;
            var word = key[at..end];
            if (word.Length > Sections.Piece) IsLong();
            // what stands at the end may go on
            var least = end == key.Length && !isEnd ? Sections.Piece : 0;
            while (word.Length > least)
                if (!Word(SearchWords.Take(ref word, Sections.Piece))) return -1;
            if (end == key.Length) return end - word.Length;
            at = end;
        }
    }
}

/// <summary>Whether the texts have every word in some form (RFC 6203 3).</summary>
public sealed class WordFinder(IEnumerable<FuzzyWord> words) : WordTaker
{
    readonly List<FuzzyWord> missing = [.. words];

    public bool Found => missing.Count == 0;

    private protected override bool Word(ReadOnlySpan<char> word)
    {
        for (var i = missing.Count - 1; i >= 0; i--)
            if (missing[i].Fit(word) > 0) missing.RemoveAt(i);
        return missing.Count > 0;
    }
}

/// <summary>Texts as a whole, for those that are asked more than once.</summary>
public sealed class GatheredTexts : ITextTaker
{
    readonly List<string> all = [];
    readonly StringBuilder last = new();

    public IReadOnlyList<string> All => all;

    public bool Take(ReadOnlySpan<char> piece)
    {
        last.Append(piece);
        return true;
    }

    public bool End()
    {
        all.Add(last.ToString());
        last.Clear();
        return true;
    }

    public void GiveTo(ITextTaker taker)
    {
        foreach (var text in all)
            if (!taker.Take(text) || !taker.End()) return;
    }
}
