using System.Globalization;

namespace CbaMail.Tests.Server.Imap.Model;

/// <summary>Flags of the model as bits.</summary>
static class ModelFlags
{
    public static readonly string[] Names = ["\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft", "$Forwarded", "$Label1", "Work"];
    public const int Seen = 1, Deleted = 8, Recent = 1 << 10;
    /// <summary>What the client has not been told.</summary>
    public const int Unknown = -1;

    public static int Parse(string words)
    {
        var bits = 0;
        foreach (var word in words.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var index = Array.IndexOf(Names, word);
            if (index < 0 && word != "\\Recent") throw new FormatException("a flag that nobody has set: " + word);
            bits |= index < 0 ? Recent : 1 << index;
        }
        return bits;
    }

    public static string Text(int bits) => bits == Unknown ? "?" : string.Join(' ', Names.Where((_, i) => (bits & (1 << i)) != 0));

    /// <summary>STORE's "+", "-" or "".</summary>
    public static int Apply(int flags, string mode, int change) => mode switch { "+" => flags | change, "-" => flags & ~change, _ => change };
}

/// <summary>A message as it must be in its mailbox.</summary>
/// <param name="size">Tells it from all others but its copies.</param>
sealed class Letter(uint uid, long size, int flags)
{
    readonly List<(long ModSeq, int Flags)> past = [];

    public uint Uid => uid;
    public long Size => size;
    public int Flags { get; private set; } = flags;
    public long ModSeq { get; private set; }
    public bool IsGone { get; set; }
    /// <summary>Changed by the step that runs: it must get a higher modification sequence.</summary>
    public bool IsTouched { get; private set; } = true;

    public void Change(int flags)
    {
        if (flags == Flags) return;
        (Flags, IsTouched) = (flags, true);
    }

    public void Learn(long modseq)
    {
        (ModSeq, IsTouched) = (modseq, false);
        past.Add((modseq, Flags));
    }

    /// <summary>As after a time in which nobody watched.</summary>
    public void Reload(int flags, long modseq)
    {
        Flags = flags;
        if (modseq == ModSeq) return;
        past.Clear();
        Learn(modseq);
    }

    /// <summary>The first state from one on that looks so, or null: it never did.</summary>
    public long? StateOf(long since, int flags, long? modseq)
    {
        foreach (var state in past)
            if (state.ModSeq >= since && state.Flags == flags && (modseq is null || modseq == state.ModSeq)) return state.ModSeq;
        return null;
    }
}

/// <summary>A mailbox as it must be.</summary>
sealed class Box(string name)
{
    public string Name { get; set; } = name;
    public long Id { get; set; }
    public uint Validity { get; set; }
    public uint UidNext { get; set; } = 1;
    public long ModSeq { get; set; }
    public bool IsDeleted { get; set; }
    /// <summary>Its HIGHESTMODSEQ has to rise.</summary>
    public bool IsTouched { get; set; } = true;
    /// <summary>By rising UID.</summary>
    public SortedList<uint, Letter> Letters { get; } = [];
    /// <summary>Those too that are gone.</summary>
    public Dictionary<uint, Letter> All { get; } = [];

    public Letter Add(long size, int flags)
    {
        var letter = new Letter(UidNext++, size, flags);
        Put(letter);
        return letter;
    }

    public void Put(Letter letter)
    {
        Letters.Add(letter.Uid, letter);
        All[letter.Uid] = letter;
        IsTouched = true;
    }

    public void Remove(Letter letter)
    {
        letter.IsGone = true;
        Letters.Remove(letter.Uid);
        IsTouched = true;
    }

    public void Change(Letter letter, int flags)
    {
        letter.Change(flags);
        IsTouched |= letter.IsTouched;
    }

    public override string ToString() => $"{Name} ({Letters.Count} of {UidNext - 1})";
}

/// <summary>A message as a client knows it.</summary>
/// <param name="uid">0: not told yet.</param>
/// <param name="known">The state of the message that it is to have heard of.</param>
sealed class Entry(uint uid, int flags, long known)
{
    public uint Uid { get; set; } = uid;
    public int Flags { get; set; } = flags;
    public long Known { get; set; } = known;
}

/// <summary>What a QRESYNC client had kept when it left a mailbox.</summary>
sealed record Keepsake(string Name, uint Validity, long ModSeq, SortedList<uint, int> Flags);

/// <summary>Numbers of responses and commands.</summary>
static class NumberSets
{
    public static uint Number(string digits) => uint.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);

    /// <summary>In the order in which they stand.</summary>
    public static List<uint> Parse(string set)
    {
        var numbers = new List<uint>();
        foreach (var range in set.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = range.IndexOf(':', StringComparison.Ordinal);
            var from = Number(colon < 0 ? range : range[..colon]);
            var to = colon < 0 ? from : Number(range[(colon + 1)..]);
            if (to - from > 100_000) throw new FormatException("a range that is too long or falls: " + range);
            for (var n = from; n <= to; n++) numbers.Add(n);
        }
        return numbers;
    }

    public static string Write(IEnumerable<uint> numbers) => string.Join(',', numbers);
}
