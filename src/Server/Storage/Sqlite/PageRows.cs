using System.Buffers.Binary;
using System.Text;

namespace CbaMail.Storage.Sqlite;

/// <summary>A row as it stands in a page: its rowid (0 in a table without) and its values: null, long, double, string or byte[].</summary>
readonly record struct PageRow(long RowId, object?[] Values);

/// <summary>What kind of tree a page belongs to.</summary>
enum PageKind { None, TableInterior = 5, TableLeaf = 13, IndexInterior = 2, IndexLeaf = 10 }

/// <summary>Rows out of single pages of a database, whatever is wrong with those around them. A cell that makes no sense is left out.</summary>
sealed class PageRows(DatabasePages pages)
{
    const int MostColumns = 100;
    const int MostPayload = 64 << 20;

    /// <summary>Cells and pages that could not be read.</summary>
    public int Failures { get; private set; }

    public static PageKind KindOf(int number, byte[] page) => page[Head(number)] switch
    {
        2 => PageKind.IndexInterior,
        5 => PageKind.TableInterior,
        10 => PageKind.IndexLeaf,
        13 => PageKind.TableLeaf,
        _ => PageKind.None,
    };

    static int Head(int number) => number == 1 ? 100 : 0;

    /// <summary>The rows of a tree, as far as it can be walked from its root; each page that was met is noted.</summary>
    public IEnumerable<PageRow> Walk(int root, HashSet<int> met)
    {
        var next = new Stack<int>();
        next.Push(root);
        while (next.TryPop(out var number))
        {
            if (!met.Add(number)) continue; // a page in two places: once is enough
            var page = pages.Read(number);
            if (page is null || KindOf(number, page) == PageKind.None)
            {
                Failures++;
                continue;
            }
            foreach (var child in Children(number, page)) next.Push(child);
            foreach (var row in Of(number, page)) yield return row;
        }
    }

    IEnumerable<int> Children(int number, byte[] page)
    {
        if (KindOf(number, page) is not (PageKind.TableInterior or PageKind.IndexInterior)) yield break;
        yield return (int)BinaryPrimitives.ReadUInt32BigEndian(page.AsSpan(Head(number) + 8));
        foreach (var cell in Cells(number, page)) yield return (int)BinaryPrimitives.ReadUInt32BigEndian(page.AsSpan(cell));
    }

    // where the cells begin
    List<int> Cells(int number, byte[] page)
    {
        var head = Head(number);
        var first = head + (KindOf(number, page) is PageKind.TableInterior or PageKind.IndexInterior ? 12 : 8);
        int count = BinaryPrimitives.ReadUInt16BigEndian(page.AsSpan(head + 3));
        if (first + 2 * count > pages.Usable)
        {
            Failures++;
            return [];
        }
        var cells = new List<int>(count);
        for (var i = 0; i < count; i++)
        {
            int at = BinaryPrimitives.ReadUInt16BigEndian(page.AsSpan(first + 2 * i));
            if (at >= first + 2 * count && at + 4 <= pages.Usable) cells.Add(at);
            else Failures++;
        }
        return cells;
    }

    /// <summary>The rows that stand in a page; of the inner pages of a tree only those of an index hold any.</summary>
    public IEnumerable<PageRow> Of(int number, byte[] page)
    {
        var kind = KindOf(number, page);
        if (kind is PageKind.None or PageKind.TableInterior) yield break;
        foreach (var cell in Cells(number, page))
        {
            if (Row(page, cell, kind) is { } row) yield return row;
            else Failures++;
        }
    }

    PageRow? Row(byte[] page, int at, PageKind kind)
    {
        if (kind == PageKind.IndexInterior) at += 4;
        long rowId = 0;
        if (!Varint(page, ref at, pages.Usable, out var length) || (kind == PageKind.TableLeaf && !Varint(page, ref at, pages.Usable, out rowId))) return null;
        if (length is <= 0 or > MostPayload || Payload(page, at, (int)length, kind == PageKind.TableLeaf) is not { } payload) return null;
        return Values(payload) is { } values ? new PageRow(rowId, values) : null;
    }

    // fileformat2, "Cell Payload Overflow Pages"
    byte[]? Payload(byte[] page, int at, int length, bool isTable)
    {
        var usable = pages.Usable;
        var most = isTable ? usable - 35 : (usable - 12) * 64 / 255 - 23;
        var least = (usable - 12) * 32 / 255 - 23;
        var local = length;
        if (length > most)
        {
            local = least + (length - least) % (usable - 4);
            if (local > most) local = least;
        }
        if (at + local + (local < length ? 4 : 0) > usable) return null;
        var payload = new byte[length];
        page.AsSpan(at, local).CopyTo(payload);
        var have = local;
        for (var next = local < length ? (int)BinaryPrimitives.ReadUInt32BigEndian(page.AsSpan(at + local)) : 0; have < length;)
        {
            if (pages.Read(next) is not { } more) return null;
            var take = Math.Min(usable - 4, length - have);
            more.AsSpan(4, take).CopyTo(payload.AsSpan(have));
            have += take;
            next = (int)BinaryPrimitives.ReadUInt32BigEndian(more);
        }
        return payload;
    }

    // fileformat2, "Record Format"
    static object?[]? Values(byte[] payload)
    {
        var at = 0;
        if (!Varint(payload, ref at, payload.Length, out var head) || head < at || head > payload.Length) return null;
        var types = new List<long>();
        while (at < head)
        {
            if (!Varint(payload, ref at, (int)head, out var type) || type is < 0 or 10 or 11 || types.Count == MostColumns) return null;
            types.Add(type);
        }
        var values = new object?[types.Count];
        for (var i = 0; i < values.Length; i++)
        {
            var size = types[i] switch { 0 or 8 or 9 => 0, <= 4 => types[i], 5 => 6, 6 or 7 => 8, var large => (large - 12) / 2 };
            if (size > payload.Length - at) return null;
            values[i] = Value(types[i], payload.AsSpan(at, (int)size));
            at += (int)size;
        }
        return at == payload.Length ? values : null;
    }

    static object? Value(long type, ReadOnlySpan<byte> bytes)
    {
        switch (type)
        {
            case 0: return null;
            case 8: return 0L;
            case 9: return 1L;
            case 7: return BinaryPrimitives.ReadDoubleBigEndian(bytes);
            case >= 12: return type % 2 == 0 ? bytes.ToArray() : Encoding.UTF8.GetString(bytes);
        }
        long number = (sbyte)bytes[0];
        foreach (var value in bytes[1..]) number = number << 8 | value;
        return number;
    }

    static bool Varint(ReadOnlySpan<byte> bytes, ref int at, int end, out long value)
    {
        value = 0;
        for (var i = 0; i < 9; i++)
        {
            if (at >= end) return false;
            var next = bytes[at++];
            if (i == 8)
            {
                value = value << 8 | next;
                return true;
            }
            value = value << 7 | (next & 0x7fL);
            if (next < 0x80) return true;
        }
        return false;
    }
}
