using System.Runtime.InteropServices;

namespace CbaMail.Storage.Search;

/// <summary>A set of the documents of one segment.</summary>
sealed class DocumentSet(int size)
{
    readonly ulong[] bits = new ulong[(size + 63) / 64];

    public int Size => size;
    public bool this[int document] => (bits[document >> 6] >> (document & 63) & 1) != 0;
    public void Add(int document) => bits[document >> 6] |= 1UL << (document & 63);
    public void Remove(int document) => bits[document >> 6] &= ~(1UL << (document & 63));

    /// <summary>Takes over another from a multiple of 64 on, where nothing is yet.</summary>
    public void Put(DocumentSet other, int first) => other.bits.CopyTo(bits.AsSpan(first / 64));

    public bool IsEmpty => !bits.AsSpan().ContainsAnyExcept(0UL);

    public void AddAll()
    {
        bits.AsSpan().Fill(ulong.MaxValue);
        if (size % 64 != 0) bits[^1] = (1UL << (size % 64)) - 1;
    }

    public void Or(DocumentSet other)
    {
        for (var i = 0; i < bits.Length; i++) bits[i] |= other.bits[i];
    }

    public void And(DocumentSet other)
    {
        for (var i = 0; i < bits.Length; i++) bits[i] &= other.bits[i];
    }

    public int Count
    {
        get
        {
            var count = 0;
            foreach (var piece in bits) count += System.Numerics.BitOperations.PopCount(piece);
            return count;
        }
    }

    /// <summary>Adds the bits of a bitmap of bytes.</summary>
    public void OrBytes(ReadOnlySpan<byte> map)
    {
        var bytes = MemoryMarshal.AsBytes(bits.AsSpan());
        if (map.Length > bytes.Length) throw new IndexDamage("A list of a search index is too long.");
        var whole = MemoryMarshal.Cast<byte, ulong>(map);
        for (var i = 0; i < whole.Length; i++) bits[i] |= whole[i];
        for (var i = 8 * whole.Length; i < map.Length; i++) bytes[i] |= map[i];
        if (size % 64 != 0 && bits[^1] >> (size % 64) != 0) throw new IndexDamage("A list of a search index names what is not there.");
    }
}

/// <summary>In which documents a word stands: their numbers as differences, or a bitmap where they are many.</summary>
static class Postings
{
    /// <summary>Adds the documents of a list to a set.</summary>
    /// <exception cref="IndexDamage"/>
    public static void AddTo(DocumentSet set, ReadOnlySpan<byte> list, bool isBitmap)
    {
        if (isBitmap)
        {
            set.OrBytes(list);
            return;
        }
        var document = -1;
        for (var at = 0; at < list.Length;)
        {
            document += 1 + Step(list, ref at, set.Size);
            if (document >= set.Size) throw new IndexDamage("A list of a search index names what is not there.");
            set.Add(document);
        }
    }

    // a byte, mostly
    static int Step(ReadOnlySpan<byte> list, ref int at, int most)
    {
        if (list[at] < 0x80) return list[at++];
        var reader = new ByteReader(list[at..]);
        var step = reader.Count(most);
        at += reader.At;
        return step;
    }

    /// <summary>Adds documents of a list, renumbered, to rising numbers.</summary>
    /// <param name="renumber">The new number of each document, or -1 for those that go.</param>
    public static void Translate(ReadOnlySpan<byte> list, bool isBitmap, int[] renumber, List<int> to)
    {
        if (isBitmap)
        {
            for (var i = 0; i < list.Length; i++)
                for (var left = (uint)list[i]; left != 0; left &= left - 1)
                    Add(8 * i + System.Numerics.BitOperations.TrailingZeroCount(left), renumber, to);
            return;
        }
        var document = -1;
        for (var at = 0; at < list.Length;)
        {
            document += 1 + Step(list, ref at, renumber.Length);
            Add(document, renumber, to);
        }
    }

    static void Add(int document, int[] renumber, List<int> to)
    {
        if (document >= renumber.Length) throw new IndexDamage("A list of a search index names what is not there.");
        if (renumber[document] >= 0) to.Add(renumber[document]);
    }

    /// <summary>Writes rising numbers in the shorter form.</summary>
    /// <returns>Whether as a bitmap.</returns>
    public static bool Write(ByteWriter output, List<int> documents)
    {
        if (documents.Count <= (documents[^1] + 8) / 8)
        {
            var last = -1;
            foreach (var document in documents)
            {
                output.Number((ulong)(document - last - 1));
                last = document;
            }
            return false;
        }
        var map = new byte[documents[^1] / 8 + 1];
        foreach (var document in documents) map[document >> 3] |= (byte)(1 << (document & 7));
        output.Raw(map);
        return true;
    }
}
