using CbaMail.Storage;
using CbaMail.Storage.Blobs;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Mailboxes;

/// <summary>What is known of a stored body.</summary>
/// <param name="Parts">Large parts that were cut out, by position.</param>
/// <param name="Base">Where the body lies that this one was compressed against, or null.</param>
sealed record ContentRow(
    long Id, PackLocation Location, long Size, IReadOnlyList<CutPart> Parts, (long Id, PackLocation Location)? Base,
    byte[] Envelope, byte[] Structure, string Preview, DateTimeOffset? Sent, string? MessageId)
{
    /// <summary>Some of its header (<see cref="KeptFields"/>); null where it was not asked for, or is not there.</summary>
    public byte[]? Fields { get; init; }
}

/// <summary>A large part: where it stood in the message, and the object that holds its encoded bytes.</summary>
readonly record struct CutPart(long Position, long Length, long ObjectId, PackLocation Location);

/// <summary>SQL of bodies and of the large parts that they share.</summary>
static class ContentTable
{
    public static long Insert(WriteTransaction write, StagedMessage staged)
    {
        var parts = Parts(write, staged); // their records come before
        var location = write.Reserve(staged.Record);
        write.Prepare("""
            INSERT INTO content (refs, pack, position, stored, size, base, parts, envelope, structure, preview, sent, message_id, conversation, lineage, fields)
            VALUES (0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """).Bind(1, location.Pack).Bind(2, location.Position).Bind(3, location.Stored)
            .Bind(4, staged.Size).Bind(5, staged.Record.BaseId).Bind(6, parts).Bind(7, staged.Envelope).Bind(8, staged.Structure)
            .Bind(9, staged.Preview).Bind(10, staged.Sent).Bind(11, staged.MessageId).Bind(12, staged.Conversation).Bind(13, staged.Lineage).BindOrNull(14, staged.Fields).Run();
        var id = write.LastInsertId;
        write.Append(staged.Record, id); // the row's id stands in the record
        if (staged.LineEnds != 0 || staged.Surrogate is not null) WireTable.Insert(write, id, staged.LineEnds, staged.Surrogate);
        if (staged.Record.BaseId is { } basis) Changes.Refer(write, basis, 1);
        return id;
    }

    // (position, length, object id) as three 64-bit numbers each
    static ReadOnlySpan<byte> Parts(WriteTransaction write, StagedMessage staged)
    {
        if (staged.Cut.Count == 0) return default;
        var numbers = new long[staged.Cut.Count * 3];
        for (var i = 0; i < staged.Cut.Count; i++)
        {
            var (position, part) = staged.Cut[i];
            (numbers[3 * i], numbers[3 * i + 1], numbers[3 * i + 2]) = (position, part.Length, Object(write, part));
        }
        return System.Runtime.InteropServices.MemoryMarshal.AsBytes(numbers.AsSpan());
    }

    static long Object(WriteTransaction write, StagedPart part)
    {
        using (var found = write.Prepare("UPDATE object SET refs = refs + 1 WHERE hash = ? RETURNING id").Bind(1, part.Hash))
            if (found.Step()) return found.Int64(0);
        var location = write.Reserve(part.Record);
        write.Prepare("INSERT INTO object (hash, refs, pack, position, stored, size) VALUES (?, 1, ?, ?, ?, ?)")
            .Bind(1, part.Hash).Bind(2, location.Pack).Bind(3, location.Position).Bind(4, location.Stored).Bind(5, part.Length).Run();
        var id = write.LastInsertId;
        write.Append(part.Record, id);
        return id;
    }

    /// <exception cref="InvalidOperationException">The body has been removed meanwhile.</exception>
    public static void AddReference(WriteTransaction write, long id, int count) => AddReferences(write, id, id, count);

    /// <summary>The same for a run of bodies, each of which must be there.</summary>
    public static void AddReferences(WriteTransaction write, long first, long last, int count)
    {
        // those that have just come: their rows are being written, and theirs are the highest numbers
        var fresh = write.Prepare("UPDATE content SET refs = refs + ? WHERE id BETWEEN ? AND ? AND refs <= 0").Bind(1, count).Bind(2, first).Bind(3, last).Run();
        var others = last - first + 1 - fresh;
        if (others > 0 && HeldTable.Add(write, first, last - fresh, count) != others)
            throw new InvalidOperationException($"Content {first} to {last} is gone, or some of it; nothing can refer to it.");
    }

    /// <summary>Takes references away; with the last one the body, its share of large parts and of its base go too.</summary>
    public static void DropReference(WriteTransaction write, long id, int count) => DropReferences(write, id, id, count);

    /// <summary>The same for each of a run of bodies.</summary>
    public static void DropReferences(WriteTransaction write, long first, long last, int count)
    {
        // first of all, because a body that goes may let go of one of the same run, its base
        var held = HeldTable.Take(write, first, last, count);
        foreach (var (id, lacking) in held)
        {
            if (first < id) Release(write, first, id - 1, count);
            if (lacking > 0) Release(write, id, id, lacking);
            first = id + 1;
        }
        if (first <= last) Release(write, first, last, count);
    }

    // of bodies whose references all stand in their rows
    static void Release(WriteTransaction write, long first, long last, int count)
    {
        var bases = new List<long>();
        var parts = new List<long>();
        long gone = 0;
        using (var row = write.Prepare("SELECT pack, position, stored, base, parts FROM content WHERE id BETWEEN ? AND ? AND refs <= ?").Bind(1, first).Bind(2, last).Bind(3, count))
        {
            while (row.Step())
            {
                gone++;
                write.Drop(Location(row, 0));
                if (!row.IsNull(3)) bases.Add(row.Int64(3));
                var numbers = Numbers(row.Blob(4));
                for (var i = 2; i < numbers.Length; i += 3) parts.Add(numbers[i]);
            }
        }
        if (gone > 0)
        {
            WireTable.DeleteUnused(write, first, last, count);
            write.Prepare("DELETE FROM content WHERE id BETWEEN ? AND ? AND refs <= ?").Bind(1, first).Bind(2, last).Bind(3, count).Run();
        }
        if (count > 0 && gone <= last - first) write.Prepare("UPDATE content SET refs = refs - ? WHERE id BETWEEN ? AND ?").Bind(1, count).Bind(2, first).Bind(3, last).Run();
        foreach (var part in parts) DropObject(write, part);
        foreach (var basis in bases) DropReference(write, basis, 1);
    }

    static void DropObject(WriteTransaction write, long id) => AdjustObject(write, id, -1);

    /// <summary>Changes the references of a large part; with the last one it goes.</summary>
    public static void AdjustObject(WriteTransaction write, long id, long difference)
    {
        using (var row = write.Prepare("UPDATE object SET refs = refs + ? WHERE id = ? RETURNING refs, pack, position, stored").Bind(1, difference).Bind(2, id))
        {
            if (!row.Step() || row.Int64(0) > 0) return;
            write.Drop(Location(row, 1));
        }
        write.Prepare("DELETE FROM object WHERE id = ?").Bind(1, id).Run();
    }

    public static ContentRow? Get(ReadTransaction read, long id)
    {
        using var row = read.Prepare("SELECT pack, position, stored, base, parts, size, envelope, structure, preview, sent, message_id FROM content WHERE id = ?").Bind(1, id);
        if (!row.Step()) return null;
        var content = new ContentRow(id, default, row.Int64(5), [], null, row.Blob(6).ToArray(), row.Blob(7).ToArray(), row.String(8), row.TimeOrNull(9), row.Text(10));
        return WithBody(read, content, row, 0);
    }

    /// <summary>The row with where its body lies, from the columns pack, position, stored, base, parts.</summary>
    public static ContentRow WithBody(ReadTransaction read, ContentRow content, Statement row, int column)
    {
        long? basis = row.IsNull(column + 3) ? null : row.Int64(column + 3);
        var parts = Numbers(row.Blob(column + 4));
        content = content with { Location = Location(row, column) };
        if (parts.Length > 0)
        {
            var cut = new CutPart[parts.Length / 3];
            for (var i = 0; i < cut.Length; i++) cut[i] = new CutPart(parts[3 * i], parts[3 * i + 1], parts[3 * i + 2], Place(read, RecordKind.Object, parts[3 * i + 2]) ?? default);
            content = content with { Parts = cut };
        }
        return basis is { } from ? content with { Base = (from, BodyLocation(read, from) ?? default) } : content; // one that is gone reads as damaged
    }

    /// <summary>Where a body lies.</summary>
    public static PackLocation? BodyLocation(ReadTransaction read, long id) => Place(read, RecordKind.Content, id);

    /// <summary>Where a record lies, or null where its row is gone.</summary>
    public static PackLocation? Place(ReadTransaction read, RecordKind kind, long id) => Place(read.Prepare(PlaceSql(kind)).Bind(1, id));

    static string PlaceSql(RecordKind kind) =>
        kind == RecordKind.Content ? "SELECT pack, position, stored FROM content WHERE id = ?" : "SELECT pack, position, stored FROM object WHERE id = ?";

    static PackLocation? Place(Statement statement)
    {
        using var row = statement;
        return row.Step() ? Location(row, 0) : null;
    }

    /// <summary>Copies a record to the end of the current pack, if its row still names the place that it was read from.</summary>
    public static bool Move(WriteTransaction write, RecordKind kind, long id, PackLocation from, ReadOnlySpan<byte> record)
    {
        if (Place(write.Prepare(PlaceSql(kind)).Bind(1, id)) != from) return false;
        var to = write.Append(record);
        write.Prepare(kind == RecordKind.Content ? "UPDATE content SET pack = ?, position = ? WHERE id = ?" : "UPDATE object SET pack = ?, position = ? WHERE id = ?")
            .Bind(1, to.Pack).Bind(2, to.Position).Bind(3, id).Run();
        write.Drop(from);
        return true;
    }

    /// <summary>Bytes of records in a pack by the rows themselves: a walk over all of them, for when the statistics are in doubt.</summary>
    public static long Live(Func<string, Statement> prepare, int pack) =>
        prepare("SELECT (SELECT coalesce(sum(stored), 0) FROM content WHERE pack = ?1) + (SELECT coalesce(sum(stored), 0) FROM object WHERE pack = ?1)").Bind(1, pack).Scalar() ?? 0;

    /// <summary>The base of a content, or null where it has none.</summary>
    public static long? BaseOf(ReadTransaction read, long id) => read.Prepare("SELECT base FROM content WHERE id = ?").Bind(1, id).Scalar();

    static PackLocation Location(Statement row, int column) => new(row.Int32(column), row.Int64(column + 1), row.Int32(column + 2));

    static long[] Numbers(ReadOnlySpan<byte> blob) => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, long>(blob).ToArray();

    // ---- after a crash: rows whose record may not have been flushed

    /// <summary>Contents whose record was never whole, the newest first; the walk over the rows ends at the first that is certainly safe.</summary>
    /// <remarks>
    /// Why nothing lost lies beyond that end. Ids rise with the positions at which records are first appended. A safe row that has never been moved
    /// stands before what may be damaged, and so does every row of a lower id that has never been moved. A safe row that was moved stood earlier
    /// before, since copies are appended too: again every lower id that has never been moved stands earlier still. And no row that was moved is
    /// lost, whatever its id: its copy was flushed before the commit that names it, together with all that stands before it in its pack, so the
    /// walk over the packs reached it; the original is removed only after that commit is durable.
    /// </remarks>
    /// <summary>Whole records behind the safe position that the database has never heard of: their numbers are above all that it gave out.</summary>
    public static int Unnamed(WriteTransaction write, PackGap gap)
    {
        var (content, part) = (Given(write.Prepare, "content"), Given(write.Prepare, "object"));
        return gap.Whole.Values.Count(record => record.Id > (record.Kind == RecordKind.Content ? content : part));
    }

    /// <summary>The highest number that the table has given out, to rows that are gone too.</summary>
    public static long Given(Func<string, Statement> prepare, string table) => prepare("SELECT seq FROM sqlite_sequence WHERE name = ?").Bind(1, table).Scalar() ?? 0;

    public static List<long> Lost(WriteTransaction write, PackGap gap) => Lost(write.Prepare("SELECT id, pack, position, stored FROM content ORDER BY id DESC"), RecordKind.Content, gap);

    public static List<long> LostObjects(WriteTransaction write, PackGap gap) => Lost(write.Prepare("SELECT id, pack, position, stored FROM object ORDER BY id DESC"), RecordKind.Object, gap);

    static List<long> Lost(Statement statement, RecordKind kind, PackGap gap)
    {
        using var row = statement;
        var lost = new List<long>();
        while (row.Step())
        {
            var location = Location(row, 1);
            if (gap.IsBefore(location)) break;
            if (!gap.Holds(location, kind, row.Int64(0))) lost.Add(row.Int64(0));
        }
        return lost;
    }

    /// <summary>Every row of the body goes, and clients that have seen it are told; UIDs and modification sequences stay used.</summary>
    public static void Erase(WriteTransaction write, long contentId)
    {
        write.Prepare("""
            UPDATE usage SET modseq = usage.modseq + 1, bytes = usage.bytes - lost.bytes, messages = usage.messages - lost.n FROM
            (SELECT b.account_id AS account, sum(m.size) AS bytes, count(*) AS n FROM message m JOIN mailbox b ON b.id = m.mailbox_id WHERE m.content_id = ?1 GROUP BY 1) AS lost
            WHERE usage.account_id = lost.account
            """).Bind(1, contentId).Run();
        write.Prepare("""
            UPDATE mailbox SET messages = mailbox.messages - lost.n, unseen = mailbox.unseen - lost.unseen, deleted = mailbox.deleted - lost.deleted, bytes = mailbox.bytes - lost.bytes,
            modseq = (SELECT modseq FROM usage WHERE account_id = mailbox.account_id) FROM
            (SELECT mailbox_id, count(*) AS n, sum(flags & 1 = 0) AS unseen, sum(flags & 8 != 0) AS deleted, sum(size) AS bytes FROM message WHERE content_id = ?1 GROUP BY 1) AS lost
            WHERE mailbox.id = lost.mailbox_id
            """).Bind(1, contentId).Run();
        write.Prepare("INSERT OR IGNORE INTO expunged (mailbox_id, modseq, uid, at) SELECT m.mailbox_id, b.modseq, m.uid, m.saved FROM message m JOIN mailbox b ON b.id = m.mailbox_id WHERE m.content_id = ?").Bind(1, contentId).Run();
        write.Prepare("DELETE FROM message WHERE content_id = ?").Bind(1, contentId).Run();
        KeptTable.Erase(write, contentId);
        HeldTable.Forget(write, contentId);
        write.Prepare("UPDATE content SET refs = 1 WHERE id = ?").Bind(1, contentId).Run();
        DropReference(write, contentId, 1);
    }

    /// <summary>
    /// The row of a large part that was never whole. Who shares it stands behind it in the packs (a part is appended before the first body
    /// that names it), is lost like it, and has given up its share by now; a row that is left is one that nothing names.
    /// </summary>
    public static void EraseObject(WriteTransaction write, long objectId)
    {
        using var row = write.Prepare("DELETE FROM object WHERE id = ? RETURNING pack, position, stored").Bind(1, objectId);
        if (row.Step()) write.Drop(Location(row, 0));
    }
}
