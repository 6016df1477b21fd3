using System.Buffers.Binary;

namespace CbaMail.Net;

/// <summary>Why <see cref="Inflater.Inflate"/> has stopped.</summary>
enum InflateStop
{
    /// <summary>All input is taken, and nothing is left to give.</summary>
    NeedsInput,
    /// <summary>There is no more room for what it has to give.</summary>
    OutputFull,
    /// <summary>The sender has flushed (an empty stored block, which ends at a whole octet): what comes next may be of another kind.</summary>
    Flushed,
    /// <summary>The last block has ended, at a whole octet.</summary>
    Finished,
    /// <summary>This is no deflate stream.</summary>
    Broken,
}

/// <summary>
/// Deflate streams (RFC 1951), decoded as they come in, in pieces of any size; total on any input. In place of the framework's: between two blocks
/// this one keeps as much as the sender has sent, and at most 32 KB of it, where zlib takes 48 KB for each connection from the beginning, and it
/// knows where a stream ends for which nobody has said so.
/// </summary>
sealed class Inflater
{
    const int WindowSize = 32 << 10;

    enum State { Header, StoredLength, Stored, TableSizes, LengthLengths, Lengths, Symbol, Length, Distance, DistanceExtra, Copy, Finished, Broken }

    // RFC 1951 3.2.5
    static ReadOnlySpan<ushort> LengthBase => [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
    static ReadOnlySpan<byte> LengthExtra => [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
    static ReadOnlySpan<ushort> DistanceBase => [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577];
    static ReadOnlySpan<byte> DistanceExtra => [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
    // RFC 1951 3.2.7
    static ReadOnlySpan<byte> LengthOrder => [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

    // RFC 1951 3.2.6
    static readonly HuffmanCode FixedSymbols = HuffmanCode.Make([.. Lengths(8, 144), .. Lengths(9, 112), .. Lengths(7, 24), .. Lengths(8, 8)])!;
    static readonly HuffmanCode FixedDistances = HuffmanCode.Make([.. Lengths(5, 32)])!;

    State state;
    ulong hold;  // bits that have been read and not used, the next one lowest
    int held;
    bool isLast; // the block that is being read
    int count, wanted, code; // what they count is the state's business
    int symbols, distances;  // of the codes that are being described
    byte[]? lengths;
    HuffmanCode? symbolCode, distanceCode;
    byte[] window = []; // the last octets that were given, at most 32 KB
    int windowed;

    static IEnumerable<byte> Lengths(byte length, int times) => Enumerable.Repeat(length, times);

    /// <summary>How many octets are kept for what the sender may repeat.</summary>
    internal int Kept => window.Length;

    /// <summary>Takes input and gives output until one of them is at its end, or the sender has flushed.</summary>
    public InflateStop Inflate(ReadOnlySpan<byte> input, Span<byte> output, out int consumed, out int given)
    {
        var run = new Run(this, input, output);
        var stop = run.Go();
        (consumed, given) = (run.Taken, run.Given);
        Remember(output[..given]);
        return stop;
    }

    void Remember(ReadOnlySpan<byte> given)
    {
        if (given.IsEmpty) return;
        if (given.Length > WindowSize) given = given[^WindowSize..];
        var keep = Math.Min(windowed, WindowSize - given.Length);
        if (keep + given.Length > window.Length)
        {
            var larger = new byte[Math.Min(WindowSize, Math.Max(256, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(keep + given.Length))))];
            window.AsSpan(windowed - keep, keep).CopyTo(larger);
            window = larger;
        }
        else
        {
            window.AsSpan(windowed - keep, keep).CopyTo(window);
        }
        given.CopyTo(window.AsSpan(keep));
        windowed = keep + given.Length;
    }

    /// <summary>One call: the spans cannot live in the class.</summary>
    ref struct Run(Inflater inflater, ReadOnlySpan<byte> input, Span<byte> output)
    {
        readonly ReadOnlySpan<byte> input = input;
        readonly Span<byte> output = output;

        public int Taken { get; private set; }
        public int Given { get; private set; }

        public InflateStop Go()
        {
            while (true)
            {
                if (Step() is not { } stop) continue;
                if (stop == InflateStop.NeedsInput) return stop;
                // what was read ahead of the need goes back, in whole octets: after a flush and the end somebody else may read on
                for (; inflater.held >= 8 && Taken > 0; inflater.held -= 8) Taken--;
                inflater.hold &= (1UL << inflater.held) - 1;
                return stop;
            }
        }

        /// <summary>Null: go on.</summary>
        InflateStop? Step()
        {
            switch (inflater.state)
            {
                case State.Header: return Header();
                case State.StoredLength: return StoredLength();
                case State.Stored: return Stored();
                case State.TableSizes: return TableSizes();
                case State.LengthLengths: return LengthLengths();
                case State.Lengths: return CodeLengths();
                case State.Symbol: return Symbol();
                case State.Length:
                    if (!TryBits(LengthExtra[inflater.code], out var longer)) return InflateStop.NeedsInput;
                    inflater.count = LengthBase[inflater.code] + longer;
                    inflater.state = State.Distance;
                    return null;
                case State.Distance:
                    if (!TrySymbol(inflater.distanceCode!, out inflater.code)) return InflateStop.NeedsInput;
                    if ((uint)inflater.code >= DistanceBase.Length) return Broken(); // RFC 1951 3.2.6: 30 and 31 never occur
                    inflater.state = State.DistanceExtra;
                    return null;
                case State.DistanceExtra:
                    if (!TryBits(DistanceExtra[inflater.code], out var further)) return InflateStop.NeedsInput;
                    inflater.wanted = DistanceBase[inflater.code] + further;
                    if (inflater.wanted > inflater.windowed + Given) return Broken(); // RFC 1951 3.2.5: not before the beginning
                    inflater.state = State.Copy;
                    return null;
                case State.Copy: return Copy();
                case State.Finished: return InflateStop.Finished;
                default: return InflateStop.Broken;
            }
        }

        InflateStop Broken()
        {
            inflater.state = State.Broken;
            inflater.lengths = null;
            return InflateStop.Broken;
        }

        // RFC 1951 3.2.3
        InflateStop? Header()
        {
            if (!TryBits(3, out var bits)) return InflateStop.NeedsInput;
            inflater.isLast = (bits & 1) != 0;
            switch (bits >> 1)
            {
                case 0:
                    Align();
                    inflater.state = State.StoredLength;
                    return null;
                case 1:
                    (inflater.symbolCode, inflater.distanceCode) = (FixedSymbols, FixedDistances);
                    inflater.state = State.Symbol;
                    return null;
                case 2:
                    inflater.state = State.TableSizes;
                    return null;
                default: return Broken();
            }
        }

        void Align()
        {
            inflater.hold >>= inflater.held & 7;
            inflater.held &= ~7;
        }

        // RFC 1951 3.2.4
        InflateStop? StoredLength()
        {
            if (!TryBits(32, out var bits)) return InflateStop.NeedsInput;
            inflater.count = bits & 0xFFFF;
            if (((uint)bits >> 16 ^ 0xFFFF) != (uint)inflater.count) return Broken();
            if (inflater.count > 0) inflater.state = State.Stored;
            else if (EndBlock() is { } end) return end;
            else return InflateStop.Flushed;
            return null;
        }

        InflateStop? Stored()
        {
            for (; inflater.held > 0 && inflater.count > 0; inflater.count--)
            {
                if (Given == output.Length) return InflateStop.OutputFull;
                output[Given++] = (byte)inflater.hold;
                inflater.hold >>= 8;
                inflater.held -= 8;
            }
            var many = Math.Min(inflater.count, Math.Min(input.Length - Taken, output.Length - Given));
            input.Slice(Taken, many).CopyTo(output[Given..]);
            Taken += many;
            Given += many;
            inflater.count -= many;
            return inflater.count == 0 ? EndBlock() : Given == output.Length ? InflateStop.OutputFull : InflateStop.NeedsInput;
        }

        InflateStop? EndBlock()
        {
            (inflater.symbolCode, inflater.distanceCode) = (null, null);
            inflater.state = State.Header;
            if (!inflater.isLast) return null;
            Align();
            inflater.state = State.Finished;
            return InflateStop.Finished;
        }

        // RFC 1951 3.2.7: HLIT, HDIST, HCLEN
        InflateStop? TableSizes()
        {
            if (!TryBits(14, out var bits)) return InflateStop.NeedsInput;
            (inflater.symbols, inflater.distances, inflater.wanted) = ((bits & 31) + 257, (bits >> 5 & 31) + 1, (bits >> 10) + 4);
            if (inflater.symbols > 286 || inflater.distances > 30) return Broken();
            inflater.lengths = new byte[286 + 30];
            inflater.count = 0;
            inflater.state = State.LengthLengths;
            return null;
        }

        InflateStop? LengthLengths()
        {
            for (; inflater.count < inflater.wanted; inflater.count++)
            {
                if (!TryBits(3, out var bits)) return InflateStop.NeedsInput;
                inflater.lengths![LengthOrder[inflater.count]] = (byte)bits;
            }
            inflater.symbolCode = HuffmanCode.Make(inflater.lengths.AsSpan(0, LengthOrder.Length));
            if (inflater.symbolCode is null) return Broken();
            inflater.lengths.AsSpan().Clear();
            (inflater.count, inflater.code) = (0, -1);
            inflater.state = State.Lengths;
            return null;
        }

        InflateStop? CodeLengths()
        {
            var all = inflater.symbols + inflater.distances;
            var lengths = inflater.lengths!;
            while (inflater.count < all)
            {
                if (inflater.code < 0 && !TrySymbol(inflater.symbolCode!, out inflater.code)) return InflateStop.NeedsInput;
                if ((uint)inflater.code > 18) return Broken();
                if (inflater.code < 16)
                {
                    lengths[inflater.count++] = (byte)inflater.code;
                    inflater.code = -1;
                    continue;
                }
                var (extra, least) = inflater.code switch { 16 => (2, 3), 17 => (3, 3), _ => (7, 11) };
                if (!TryBits(extra, out var more)) return InflateStop.NeedsInput;
                var times = least + more;
                if (inflater.count + times > all || (inflater.code == 16 && inflater.count == 0)) return Broken();
                lengths.AsSpan(inflater.count, times).Fill(inflater.code == 16 ? lengths[inflater.count - 1] : (byte)0);
                inflater.count += times;
                inflater.code = -1;
            }
            if (lengths[256] == 0) return Broken(); // a block that could not end
            inflater.symbolCode = HuffmanCode.Make(lengths.AsSpan(0, inflater.symbols));
            inflater.distanceCode = HuffmanCode.Make(lengths.AsSpan(inflater.symbols, inflater.distances));
            if (inflater.symbolCode is null || inflater.distanceCode is null) return Broken();
            inflater.lengths = null;
            inflater.state = State.Symbol;
            return null;
        }

        // RFC 1951 3.2.3, 3.2.5
        InflateStop? Symbol()
        {
            var codes = inflater.symbolCode!;
            while (true)
            {
                if (Given == output.Length) return InflateStop.OutputFull;
                if (!TrySymbol(codes, out var symbol)) return InflateStop.NeedsInput;
                if ((uint)symbol < 256)
                {
                    output[Given++] = (byte)symbol;
                    continue;
                }
                if (symbol == 256) return EndBlock();
                inflater.code = symbol - 257;
                if ((uint)inflater.code >= LengthBase.Length) return Broken(); // RFC 1951 3.2.6: 286 and 287 never occur
                inflater.state = State.Length;
                return null;
            }
        }

        InflateStop? Copy()
        {
            var (length, distance) = (Math.Min(inflater.count, output.Length - Given), inflater.wanted);
            inflater.count -= length;
            for (; length > 0 && distance > Given; length--, Given++) output[Given] = inflater.window[inflater.windowed + Given - distance];
            for (; length > 0; length--, Given++) output[Given] = output[Given - distance];
            if (inflater.count > 0) return InflateStop.OutputFull;
            inflater.state = State.Symbol;
            return null;
        }

        /// <returns>False: the input is at its end before.</returns>
        bool TryBits(int wanted, out int bits)
        {
            while (inflater.held < wanted)
            {
                if (Taken == input.Length) { bits = 0; return false; }
                inflater.hold |= (ulong)input[Taken++] << inflater.held;
                inflater.held += 8;
            }
            bits = (int)(inflater.hold & ((1UL << wanted) - 1));
            inflater.hold >>= wanted;
            inflater.held -= wanted;
            return true;
        }

        /// <param name="symbol">-1: no symbol has this code.</param>
        /// <returns>False: the input is at its end before.</returns>
        bool TrySymbol(HuffmanCode codes, out int symbol)
        {
            if (inflater.held < HuffmanCode.Longest) Fill();
            if (!codes.TryFind((uint)inflater.hold, inflater.held, out symbol, out var length))
            {
                symbol = -1;
                return false;
            }
            inflater.hold >>= length;
            inflater.held -= length;
            return true;
        }

        void Fill()
        {
            if (input.Length - Taken >= sizeof(ulong))
            {
                inflater.hold |= BinaryPrimitives.ReadUInt64LittleEndian(input[Taken..]) << inflater.held;
                var octets = (63 - inflater.held) >> 3;
                Taken += octets;
                inflater.held += octets * 8;
                inflater.hold &= (1UL << inflater.held) - 1;
                return;
            }
            for (; inflater.held <= 48 && Taken < input.Length; inflater.held += 8) inflater.hold |= (ulong)input[Taken++] << inflater.held;
        }
    }
}

/// <summary>A prefix code given by the lengths of its words (RFC 1951 3.2.2).</summary>
sealed class HuffmanCode
{
    internal const int Longest = 15;
    const int Quick = 9; // bits that one look decides about

    readonly ushort[] quick = new ushort[1 << Quick]; // symbol << 4 | length; 0: longer, or none
    readonly ushort[] sorted;                         // by length, then by value
    readonly ushort[] counts = new ushort[Longest + 1];

    HuffmanCode(int symbols) => sorted = new ushort[symbols];

    /// <summary>Null: these are the lengths of no code. One that leaves words unused is none either, unless it has one word or none at all.</summary>
    public static HuffmanCode? Make(ReadOnlySpan<byte> lengths)
    {
        var code = new HuffmanCode(lengths.Length);
        foreach (var length in lengths) code.counts[length]++;
        var (used, left) = (lengths.Length - code.counts[0], 1);
        for (var length = 1; length <= Longest; length++)
        {
            left = (left << 1) - code.counts[length];
            if (left < 0) return null;
        }
        if (left > 0 && used > 0 && (used > 1 || code.counts[1] != 1)) return null;

        Span<ushort> at = stackalloc ushort[Longest + 2], next = stackalloc ushort[Longest + 2];
        for (var length = 1; length <= Longest; length++)
        {
            at[length + 1] = (ushort)(at[length] + code.counts[length]);
            next[length + 1] = (ushort)((next[length] + code.counts[length]) << 1);
        }
        code.counts[0] = 0;
        for (var symbol = 0; symbol < lengths.Length; symbol++)
        {
            int length = lengths[symbol];
            if (length == 0) continue;
            code.sorted[at[length]++] = (ushort)symbol;
            int word = next[length]++;
            if (length > Quick) continue;
            for (var index = Reversed(word, length); index < 1 << Quick; index += 1 << length) code.quick[index] = (ushort)(symbol << 4 | length);
        }
        return code;
    }

    // RFC 1951 3.1.1: the words of a code begin with their highest bit, all else with the lowest
    static int Reversed(int word, int length)
    {
        var reversed = 0;
        for (; length > 0; length--, word >>= 1) reversed = reversed << 1 | word & 1;
        return reversed;
    }

    /// <summary>The symbol at the beginning of these bits.</summary>
    /// <param name="symbol">-1: there is none.</param>
    /// <returns>False: there are too few bits to say.</returns>
    public bool TryFind(uint bits, int held, out int symbol, out int length)
    {
        int entry = quick[bits & ((1 << Quick) - 1)];
        (symbol, length) = (entry >> 4, entry & 15);
        return length > 0 ? length <= held : TryFindLong(bits, held, out symbol, out length);
    }

    bool TryFindLong(uint bits, int held, out int symbol, out int length)
    {
        int word = 0, first = 0, index = 0;
        for (length = 1; length <= Longest; length++, bits >>= 1)
        {
            if (length > held) { symbol = -1; return false; }
            word |= (int)(bits & 1);
            var count = counts[length];
            if (word - count < first)
            {
                symbol = sorted[index + (word - first)];
                return true;
            }
            index += count;
            first = (first + count) << 1;
            word <<= 1;
        }
        (symbol, length) = (-1, 0);
        return true;
    }
}
