using System.Security.Cryptography;
using CbaMail.Mailboxes;
using CbaMail.Storage;
using CbaMail.Storage.Blobs;

namespace CbaMail.Backup;

/// <summary>Reads every body and every large part: header, checksums, decompression, size, hash, base, parts.</summary>
sealed class BodyCheck(Inspection inspection, PackCheck packs)
{
    const int RowsAtOnce = 100;
    const int BasesKept = 8;

    readonly List<(long Id, byte[] Bytes)> bases = [];
    byte[] piece = []; // the one that is looked at

    /// <summary>What is wrong with a record; or with its row, where the record is whole and so proves what is right.</summary>
    sealed record Wrong(string Fault, (RecordKind, long)? Because = null, Action<WriteTransaction>? Mend = null);

    public async Task RunAsync(RecordKind kind)
    {
        long last = 0, end;
        using (var read = inspection.Store.Read()) end = kind == RecordKind.Content ? VerifyTable.LastContent(read) : VerifyTable.LastObject(read);
        while (last < end)
        {
            var begun = inspection.Begin();
            List<StoredRow> rows;
            using (var read = inspection.Store.Read()) rows = VerifyTable.After(read, kind, last, RowsAtOnce);
            if (rows.Count == 0) break;
            foreach (var row in rows)
            {
                packs.Count(row.Location);
                Check(row);
            }
            last = rows[^1].Id;
            if (kind == RecordKind.Content) inspection.Bodies += rows.Count;
            else inspection.Parts += rows.Count;
            inspection.Advance(rows.Count);
            await inspection.RestAsync(begun);
        }
    }

    /// <summary>A damaged part damages every body that it was cut out of.</summary>
    public async Task SpreadAsync()
    {
        if (!inspection.Damages.Keys.Any(key => key.Kind == RecordKind.Object)) return;
        var begun = inspection.Begin();
        var hit = new List<(long Content, long Object)>();
        using (var read = inspection.Store.Read())
        {
            VerifyTable.Parts(read, (content, part) => { if (inspection.Damages.ContainsKey((RecordKind.Object, part))) hit.Add((content, part)); });
            foreach (var (content, part) in hit)
                inspection.Add(new Damage(RecordKind.Content, content, VerifyTable.Get(read, RecordKind.Content, content),
                    $"a large part of it is damaged: {inspection.Damages[(RecordKind.Object, part)].Fault}", (RecordKind.Object, part)));
        }
        await inspection.RestAsync(begun);
    }

    void Check(StoredRow row)
    {
        for (var again = false; ; again = true)
        {
            if (Look(row) is not { } wrong) return;
            StoredRow? now;
            using (var read = inspection.Store.Read()) now = VerifyTable.Get(read, row.Kind, row.Id);
            if (now is null) return; // removed meanwhile, and its pack perhaps with it
            if (!again || now.Location != row.Location) { row = now; continue; }
            if (wrong.Mend is { } mend) inspection.Report(new Finding("row", wrong.Fault) { Content = row.Kind == RecordKind.Content ? row.Id : null }, $"The row of {Name(row)} was set right by its record.", mend);
            else inspection.Add(new Damage(row.Kind, row.Id, row, wrong.Fault, wrong.Because));
            return;
        }
    }

    static string Name(StoredRow row) => $"{(row.Kind == RecordKind.Content ? "body" : "large part")} {row.Id}";

    static string At(PackLocation location) => $"the record at {location.Position} of pack {location.Pack}";

    Wrong? Look(StoredRow row)
    {
        var pack = inspection.Pack(row.Location.Pack);
        if (RecordReader.Head(pack, row.Location.Position, out var fault) is not { } head) return new($"{At(row.Location)} {fault}");
        if (head.Kind != row.Kind || head.Id != row.Id) return new($"{At(row.Location)} is that of another ({(head.Kind == RecordKind.Content ? "body" : "part")} {head.Id}, not {row.Id})");
        if (head.Stored != row.Location.Stored) return new($"{At(row.Location)} is {head.Stored} bytes long, not {row.Location.Stored}");
        ReadOnlySpan<byte> basis = default;
        if (head.BaseId is { } baseId)
        {
            if (Basis(baseId) is not { } bytes) return new($"body {baseId}, which it was compressed against, is damaged", (RecordKind.Content, baseId));
            basis = bytes;
        }
        using var hash = row.Kind == RecordKind.Object ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
        if (piece.Length < head.PieceLength(0)) piece = new byte[head.PieceLength(0)];
        for (var i = 0; i < head.Pieces; i++)
        {
            var raw = piece.AsSpan(0, head.PieceLength(i));
            if (!RecordReader.TryRaw(pack, head, row.Location.Position, i, basis, raw, out fault)) return new($"{At(row.Location)} {fault}");
            hash?.AppendData(raw);
        }
        inspection.Bytes += head.Raw;
        if (head.BaseId != row.Base)
            return new($"{Name(row)} was compressed against body {head.BaseId ?? 0}, its row says {row.Base ?? 0}", Mend: write => VerifyTable.SetBase(write, row.Id, head.BaseId));
        if (hash is null) return OfBody(row, head);
        if (head.Raw != row.Size) return new($"{Name(row)} is {head.Raw} bytes long, its row says {row.Size}", Mend: write => VerifyTable.SetSize(write, row, head.Raw));
        var found = hash.GetHashAndReset();
        return found.AsSpan().SequenceEqual(row.Hash) ? null : new($"{Name(row)} has another hash than its row says", Mend: write => VerifyTable.SetHash(write, row.Id, found));
    }

    // what was cut out has to fit in again
    Wrong? OfBody(StoredRow row, RecordHead head)
    {
        if (row.Parts.Length % 3 != 0) return new("the list of its large parts is no such list");
        long end = 0, sum = head.Raw;
        using (var read = row.Parts.Length > 0 ? inspection.Store.Read() : null)
            for (var i = 0; i < row.Parts.Length; i += 3)
            {
                var (position, length, id) = (row.Parts[i], row.Parts[i + 1], row.Parts[i + 2]);
                if (position < end || length <= 0) return new("the list of its large parts is no such list");
                end = position + length;
                sum += length;
                if (VerifyTable.Get(read!, RecordKind.Object, id) is not { } part) return new($"its large part {id} is gone", (RecordKind.Object, id));
                if (part.Size != length) return new($"its large part {id} is {part.Size} bytes long, not {length}");
            }
        if (end > sum) return new("a large part lies behind its end");
        return sum == row.Size ? null : new($"{Name(row)} is {sum} bytes long, its row says {row.Size}", Mend: write => VerifyTable.SetSize(write, row, sum));
    }

    /// <summary>The bytes of a base; it has none itself and is one piece.</summary>
    byte[]? Basis(long id)
    {
        foreach (var (known, bytes) in bases)
            if (known == id) return bytes;
        StoredRow? row;
        using (var read = inspection.Store.Read()) row = VerifyTable.Get(read, RecordKind.Content, id);
        if (row is null) return null;
        var pack = inspection.Pack(row.Location.Pack);
        if (RecordReader.Head(pack, row.Location.Position, out _) is not { BaseId: null, Pieces: 1 } head || head.Id != id) return null;
        if (RecordReader.Raw(pack, head, row.Location.Position, 0, [], out _) is not { } raw) return null;
        if (bases.Count == BasesKept) bases.RemoveAt(0);
        bases.Add((id, raw));
        return raw;
    }
}
