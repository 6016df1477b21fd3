namespace CbaMail.Tests.Server.Imap.Model;

/// <summary>The selected mailbox as one client knows it from what it has been told; it objects to what it cannot have been told.</summary>
sealed class ModelView(ModelWorld world, Box box, bool isReadOnly, int peer)
{
    public Box Box => box;
    public bool IsReadOnly => isReadOnly;
    public List<Entry> Entries { get; } = [];
    /// <summary>The highest that is known.</summary>
    public uint LastUid => Entries.FindLast(e => e.Uid > 0)?.Uid ?? 0;
    /// <summary>What comes while nothing is asked (IDLE) is told at moments that the model does not know.</summary>
    public bool IsBlind { get; set; }

    public bool IsUnsure => IsBlind || world.IsWild;

    public int IndexOf(uint uid) => Entries.FindIndex(e => e.Uid == uid);
    public Letter? LetterOf(Entry entry) => box.All.GetValueOrDefault(entry.Uid);

    /// <summary>"* n EXISTS": what is new comes at the end, by rising UID (RFC 9051 7.4.1).</summary>
    public void Exists(int count)
    {
        world.Demand(count > Entries.Count, $"EXISTS of {count}, but {Entries.Count} are known");
        if (IsUnsure)
        {
            while (Entries.Count < count) Entries.Add(new Entry(0, ModelFlags.Unknown, 0));
            return;
        }
        var last = LastUid;
        foreach (var letter in box.Letters.Values.Where(l => l.Uid > last)) Entries.Add(new Entry(letter.Uid, letter.Flags, letter.ModSeq));
        world.Demand(count == Entries.Count, $"EXISTS of {count}, expected {Entries.Count}");
    }

    /// <summary>"* n EXPUNGE" (RFC 9051 7.5.1).</summary>
    public void Expunge(int number)
    {
        world.Demand(number >= 1 && number <= Entries.Count, $"EXPUNGE of {number}, but there are {Entries.Count}");
        Remove(number - 1);
    }

    void Remove(int index)
    {
        var entry = Entries[index];
        if (!IsUnsure) world.Demand(LetterOf(entry) is { IsGone: true }, $"the message at {index + 1}, UID {entry.Uid}, is said to be gone and is there");
        Entries.RemoveAt(index);
    }

    /// <summary>"* VANISHED uids" (RFC 7162 3.2.10.2).</summary>
    public void Vanished(List<uint> uids)
    {
        foreach (var uid in uids)
        {
            var index = IndexOf(uid);
            if (index < 0 && IsUnsure) index = UnknownFor(uid);
            world.Demand(index >= 0, $"UID {uid} has vanished and was never there");
            Remove(index);
        }
    }

    // among those of which only the number is known, one that can have the UID: UIDs rise
    int UnknownFor(uint uid)
    {
        var above = Entries.FindIndex(e => e.Uid > uid);
        return Entries.FindLastIndex(above < 0 ? Entries.Count - 1 : above, e => e.Uid == 0);
    }

    /// <summary>A FETCH response about the message at an index.</summary>
    public void Fetched(int index, uint? uid, int? told, long? modseq, long? size)
    {
        world.Demand(index >= 0 && index < Entries.Count, $"FETCH of {index + 1}, but there are {Entries.Count}");
        var entry = Entries[index];
        if (uid is { } its) Learn(index, its);
        var letter = LetterOf(entry);
        if (size is not null && letter is not null) world.Demand(size == letter.Size, $"UID {entry.Uid} has {size} octets, expected {letter.Size}");
        if (modseq < entry.Known) throw world.Wrong($"MODSEQ {modseq} of UID {entry.Uid} is below {entry.Known} that was told before");
        if (told is { } flags)
        {
            entry.Flags = flags & ~ModelFlags.Recent;
            if ((flags & ModelFlags.Recent) != 0 && !isReadOnly && entry.Uid != 0) world.ClaimRecent(box.Validity, entry.Uid, this);
            if (!IsUnsure && letter is not null)
                entry.Known = letter.StateOf(entry.Known, entry.Flags, modseq)
                    ?? throw world.Wrong($"UID {entry.Uid} has not had ({ModelFlags.Text(flags)}) with MODSEQ {modseq} since {entry.Known}; it has ({ModelFlags.Text(letter.Flags)}) with {letter.ModSeq}");
        }
        else if (modseq is { } alone && !IsUnsure && letter is not null)
        {
            world.Demand(alone == entry.Known || alone == letter.ModSeq, $"MODSEQ {alone} of UID {entry.Uid} is neither {entry.Known} nor {letter.ModSeq}");
        }
        if (modseq > entry.Known) entry.Known = modseq.Value;
    }

    // UIDs rise with the numbers (RFC 9051 2.3.1.1)
    void Learn(int index, uint uid)
    {
        if (Entries[index].Uid == 0)
        {
            var below = Entries.Take(index).Select(e => e.Uid).DefaultIfEmpty().Max();
            world.Demand(uid > below && Entries.Skip(index + 1).All(e => e.Uid == 0 || e.Uid > uid), $"number {index + 1} has UID {uid}, out of order");
            Entries[index].Uid = uid;
        }
        world.Demand(Entries[index].Uid == uid, $"number {index + 1} has UID {uid}, expected {Entries[index].Uid}");
    }

    /// <summary>What the client itself concludes of a STORE that tells it nothing (.SILENT).</summary>
    public static void Assume(Entry entry, string mode, int flags)
    {
        if (entry.Flags != ModelFlags.Unknown || mode.Length == 0) entry.Flags = ModelFlags.Apply(entry.Flags, mode, flags);
    }

    /// <summary>After a command the client is to know all that there is (RFC 9051 5.2), but for expunges where they had to wait.</summary>
    public void Settle(bool expunges)
    {
        if (Entries.Exists(e => e.Uid == 0)) Name();
        var uids = Entries.Select(e => e.Uid).ToList();
        if (expunges) world.Demand(uids.SequenceEqual(box.Letters.Keys), $"{box}: the client knows UIDs {NumberSets.Write(uids)}; there are {NumberSets.Write(box.Letters.Keys)}");
        else world.Demand(box.Letters.Keys.All(uids.Contains), $"{box}: the client knows UIDs {NumberSets.Write(uids)}; it has not heard of all of {NumberSets.Write(box.Letters.Keys)}");
        foreach (var entry in Entries)
        {
            if (!box.Letters.TryGetValue(entry.Uid, out var letter)) continue;
            world.Demand(entry.Flags == letter.Flags || entry.Flags == ModelFlags.Unknown,
                $"{box}: client {peer} believes that UID {entry.Uid} has ({ModelFlags.Text(entry.Flags)}); it has ({ModelFlags.Text(letter.Flags)}), and nobody has said so");
            (entry.Flags, entry.Known) = (letter.Flags, letter.ModSeq);
        }
    }

    // those of which only the number has been told: the positions say which they are
    void Name()
    {
        world.Demand(Entries.Count == box.Letters.Count, $"{box}: the client counts {Entries.Count}");
        for (var i = 0; i < Entries.Count; i++)
        {
            world.Demand(Entries[i].Uid == 0 || Entries[i].Uid == box.Letters.Keys[i], $"{box}: number {i + 1} is UID {box.Letters.Keys[i]}, the client knows {Entries[i].Uid}");
            Entries[i].Uid = box.Letters.Keys[i];
        }
    }
}
