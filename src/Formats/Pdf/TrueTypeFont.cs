using System.Buffers.Binary;
using System.Text;

namespace CbaMail.Pdf;

/// <summary>
/// A TrueType font: which glyph stands for a character, how wide it is, and the part of the file that some glyphs need. Outlines in glyf alone
/// (ISO/IEC 14496-22 5.3), no shaping: for Latin, Cyrillic, Greek and the like. Thread-safe.
/// </summary>
public sealed class TrueTypeFont
{
    // what PDF wants of an embedded font (ISO 32000-1 9.9): no cmap, for text names glyphs
    static readonly string[] kept = ["cvt ", "fpgm", "glyf", "head", "hhea", "hmtx", "loca", "maxp", "prep"];

    readonly ReadOnlyMemory<byte> file;
    readonly Dictionary<string, (int Start, int Length)> tables = [];
    readonly Dictionary<int, ushort> glyphs = [];
    readonly int count, metrics, unitsPerEm;
    readonly bool longOffsets;

    TrueTypeFont(ReadOnlyMemory<byte> file)
    {
        this.file = file;
        var span = file.Span;
        for (int i = 0, tableCount = U16(4); i < tableCount; i++)
        {
            var row = 12 + 16 * i;
            var (start, length) = (BinaryPrimitives.ReadUInt32BigEndian(span[(row + 8)..]), BinaryPrimitives.ReadUInt32BigEndian(span[(row + 12)..]));
            if (start + (long)length > file.Length) throw new InvalidDataException("a table ends behind the file");
            tables[Encoding.ASCII.GetString(span.Slice(row, 4))] = ((int)start, (int)length);
        }
        foreach (var needed in (string[])["head", "hhea", "hmtx", "maxp", "loca", "glyf", "cmap"])
            if (!tables.ContainsKey(needed)) throw new InvalidDataException($"it has no table {needed}");
        var head = tables["head"].Start;
        (unitsPerEm, longOffsets) = (U16(head + 18), U16(head + 50) != 0);
        if (unitsPerEm == 0) throw new InvalidDataException("its em is nothing");
        Box = [.. Enumerable.Range(0, 4).Select(i => Em((short)U16(head + 36 + 2 * i)))];
        var hhea = tables["hhea"].Start;
        (Ascent, Descent, metrics) = (Em((short)U16(hhea + 4)), Em((short)U16(hhea + 6)), U16(hhea + 34));
        count = U16(tables["maxp"].Start + 4);
        if (metrics == 0 || metrics > count || tables["hmtx"].Length < metrics * 4 || tables["loca"].Length < (count + 1) * (longOffsets ? 4 : 2)) throw new InvalidDataException("its tables do not fit each other");
        ReadCharacters();
    }

    /// <summary>Heights above and below the line, and the box of all glyphs, in thousandths of the size.</summary>
    public int Ascent { get; }
    public int Descent { get; }
    public IReadOnlyList<int> Box { get; }

    /// <summary>Reads a .ttf file.</summary>
    /// <exception cref="InvalidDataException">It is none, or is damaged.</exception>
    public static TrueTypeFont Read(ReadOnlyMemory<byte> file)
    {
        if (file.Length < 12 || BinaryPrimitives.ReadUInt32BigEndian(file.Span) is not (0x00010000 or 0x74727565)) throw new InvalidDataException("This is no TrueType font");
        try { return new TrueTypeFont(file); }
        catch (Exception e) when (e is ArgumentOutOfRangeException or IndexOutOfRangeException or InvalidDataException) { throw new InvalidDataException($"The font is damaged: {e.Message}", e); }
    }

    int U16(int at) => BinaryPrimitives.ReadUInt16BigEndian(file.Span[at..]);
    int Em(int units) => (int)Math.Round(units * 1000.0 / unitsPerEm);

    void ReadCharacters()
    {
        var (cmap, _) = tables["cmap"];
        var best = 0;
        for (int i = 0, subtables = U16(cmap + 2); i < subtables; i++)
        {
            var row = cmap + 4 + 8 * i;
            var at = cmap + (int)BinaryPrimitives.ReadUInt32BigEndian(file.Span[(row + 4)..]);
            if ((U16(row), U16(row + 2), U16(at)) is (3, 10, 12) or (0, 4, 12) || best == 0 && (U16(row), U16(at)) is (3, 4) or (0, 4)) best = at;
        }
        if (best == 0) throw new InvalidDataException("it says nothing of Unicode");
        if (U16(best) == 12) ReadGroups(best); else ReadSegments(best);
    }

    void ReadGroups(int at)
    {
        var groups = BinaryPrimitives.ReadUInt32BigEndian(file.Span[(at + 12)..]);
        for (var i = 0; i < groups && glyphs.Count < 0x20000; i++)
        {
            var row = file.Span[(at + 16 + 12 * i)..];
            var (first, last, glyph) = (BinaryPrimitives.ReadUInt32BigEndian(row), BinaryPrimitives.ReadUInt32BigEndian(row[4..]), BinaryPrimitives.ReadUInt32BigEndian(row[8..]));
            for (var c = first; c <= last && c <= 0x10FFFF && glyph + (c - first) < count; c++) glyphs[(int)c] = (ushort)(glyph + (c - first));
        }
    }

    void ReadSegments(int at)
    {
        var segments = U16(at + 6) / 2;
        for (var i = 0; i < segments; i++)
        {
            var (last, first) = (U16(at + 14 + 2 * i), U16(at + 16 + 2 * (segments + i)));
            var (delta, offsetAt) = (U16(at + 16 + 2 * (2 * segments + i)), at + 16 + 2 * (3 * segments + i));
            var offset = U16(offsetAt);
            for (var c = first; c <= last && c != 0xFFFF; c++)
            {
                var glyph = offset == 0 ? c + delta : U16(offsetAt + offset + 2 * (c - first)) is > 0 and var found ? found + delta : 0;
                if ((glyph &= 0xFFFF) > 0 && glyph < count) glyphs[c] = (ushort)glyph;
            }
        }
    }

    /// <summary>The glyph of a character; 0, the empty box, where the font has none.</summary>
    public ushort Glyph(Rune character) => glyphs.GetValueOrDefault(character.Value);

    /// <summary>In thousandths of the size.</summary>
    public int Width(ushort glyph) => Em(U16(tables["hmtx"].Start + 4 * Math.Min(glyph, metrics - 1)));

    /// <summary>Of a text, in the unit of the size.</summary>
    public double Width(string text, double size)
    {
        var width = 0;
        foreach (var character in text.EnumerateRunes()) width += Width(Glyph(character));
        return width * size / 1000;
    }

    (int Start, int Length) Outline(int glyph)
    {
        var loca = tables["loca"].Start;
        long from = longOffsets ? BinaryPrimitives.ReadUInt32BigEndian(file.Span[(loca + 4 * glyph)..]) : 2 * U16(loca + 2 * glyph);
        long to = longOffsets ? BinaryPrimitives.ReadUInt32BigEndian(file.Span[(loca + 4 * glyph + 4)..]) : 2 * U16(loca + 2 * glyph + 2);
        var glyf = tables["glyf"];
        return from < to && to <= glyf.Length ? (glyf.Start + (int)from, (int)(to - from)) : (glyf.Start, 0);
    }

    /// <summary>A font file with these glyphs under their numbers, those that they are composed of, and the empty box.</summary>
    public byte[] Subset(IEnumerable<ushort> used)
    {
        var wanted = new SortedSet<ushort>(used) { 0 };
        var open = new Queue<ushort>(wanted);
        while (open.TryDequeue(out var glyph))
            foreach (var part in Parts(glyph))
                if (part < count && wanted.Add(part)) open.Enqueue(part);
        var glyf = new MemoryStream();
        var loca = new byte[4 * (count + 1)];
        for (var glyph = 0; glyph < count; glyph++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(loca.AsSpan(4 * glyph), (uint)glyf.Length);
            if (!wanted.Contains((ushort)glyph)) continue;
            var (start, length) = Outline(glyph);
            glyf.Write(file.Span.Slice(start, length));
            while (glyf.Length % 4 != 0) glyf.WriteByte(0);
        }
        BinaryPrimitives.WriteUInt32BigEndian(loca.AsSpan(4 * count), (uint)glyf.Length);
        var head = Table("head").ToArray();
        BinaryPrimitives.WriteInt16BigEndian(head.AsSpan(50), 1); // offsets are long
        return File([.. kept.Where(tables.ContainsKey).Select(name => (name, name switch { "glyf" => glyf.ToArray(), "loca" => loca, "head" => head, _ => Table(name).ToArray() }))]);
    }

    ReadOnlySpan<byte> Table(string name) => file.Span.Slice(tables[name].Start, tables[name].Length);

    /// <summary>Those that a glyph is composed of (ISO/IEC 14496-22 5.3.4, composite glyphs).</summary>
    List<ushort> Parts(ushort glyph)
    {
        var parts = new List<ushort>();
        var (start, length) = Outline(glyph);
        if (length < 10 || (short)U16(start) >= 0) return parts;
        for (int at = start + 10, flags = 0x20; (flags & 0x20) != 0 && at + 4 <= start + length;)
        {
            flags = U16(at);
            parts.Add((ushort)U16(at + 2));
            at += 4 + ((flags & 1) != 0 ? 4 : 2) + ((flags & 8) != 0 ? 2 : (flags & 0x40) != 0 ? 4 : (flags & 0x80) != 0 ? 8 : 0);
        }
        return parts;
    }

    static byte[] File(List<(string Name, byte[] Content)> content)
    {
        var log = (int)Math.Log2(content.Count);
        var header = new byte[12 + 16 * content.Count];
        BinaryPrimitives.WriteUInt32BigEndian(header, 0x00010000);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(4), (ushort)content.Count);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(6), (ushort)(16 << log));
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(8), (ushort)log);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(10), (ushort)(16 * content.Count - (16 << log)));
        var body = new MemoryStream();
        for (var i = 0; i < content.Count; i++)
        {
            var (name, bytes) = content[i];
            var row = header.AsSpan(12 + 16 * i);
            Encoding.ASCII.GetBytes(name, row);
            BinaryPrimitives.WriteUInt32BigEndian(row[4..], Sum(bytes));
            BinaryPrimitives.WriteUInt32BigEndian(row[8..], (uint)(header.Length + body.Length));
            BinaryPrimitives.WriteUInt32BigEndian(row[12..], (uint)bytes.Length);
            body.Write(bytes);
            while (body.Length % 4 != 0) body.WriteByte(0);
        }
        return [.. header, .. body.ToArray()];
    }

    static uint Sum(byte[] bytes)
    {
        uint sum = 0;
        for (var i = 0; i < bytes.Length; i += 4)
            for (var j = 0; j < 4; j++) sum += (i + j < bytes.Length ? (uint)bytes[i + j] : 0) << (24 - 8 * j);
        return sum;
    }
}
