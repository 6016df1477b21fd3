using CbaMail.Mailboxes;
using CbaMail.Mime;
using CbaMail.Storage.Blobs;

namespace CbaMail.Backup;

/// <summary>
/// Messages out of records whose rows are lost. Large parts lie in records of their own, before that of their message: where there are as
/// many of them as the message has gaps they are put in again, else the message is given without.
/// </summary>
sealed class LostBodies(Inspection inspection)
{
    /// <param name="wanted">By the place and the header of a record.</param>
    public IEnumerable<(RecordHead Head, byte[] Message)> Find(Func<PackLocation, RecordHead, bool> wanted)
    {
        var files = inspection.Store.Packs.Files;
        foreach (var pack in files.Numbers())
        {
            long length;
            using (var lease = files.Use(pack)) length = lease?.File.Length ?? 0;
            var read = inspection.Pack(pack);
            var parts = new List<(long Position, RecordHead Head)>();
            foreach (var (position, head) in RecordReader.All(read, length))
            {
                if (head.Kind == RecordKind.Object)
                {
                    parts.Add((position, head));
                    continue;
                }
                if (wanted(new PackLocation(pack, position, head.Stored), head) && Bytes(read, head, position) is { } rest) yield return (head, Fill(rest, read, parts));
                parts.Clear();
            }
        }
    }

    byte[]? Bytes(ReadAt read, RecordHead head, long position)
    {
        var basis = head.BaseId is { } id ? Basis(id) : [];
        if (basis is null) return null;
        var bytes = new byte[head.Raw];
        for (var i = 0; i < head.Pieces; i++)
        {
            if (RecordReader.Raw(read, head, position, i, basis, out _) is not { } piece) return null;
            piece.CopyTo(bytes, (long)i * PackRecord.PieceBytes);
        }
        return bytes;
    }

    byte[]? Basis(long id)
    {
        StoredRow? row;
        using (var read = inspection.Store.Read()) row = VerifyTable.Get(read, RecordKind.Content, id);
        if (row is null) return null;
        var pack = inspection.Pack(row.Location.Pack);
        return RecordReader.Head(pack, row.Location.Position, out _) is { BaseId: null, Pieces: 1 } head && head.Id == id
            ? RecordReader.Raw(pack, head, row.Location.Position, 0, [], out _) : null;
    }

    // a part that was cut out has left a leaf without a body
    byte[] Fill(byte[] rest, ReadAt read, List<(long Position, RecordHead Head)> parts)
    {
        if (parts.Count == 0) return rest;
        var gaps = MimeTree.Parse(rest).Walk().Where(part => part.Children.Count == 0 && part.BodyLength == 0).Select(part => (int)part.BodyOffset).ToList();
        if (gaps.Count != parts.Count) return rest;
        using var whole = new MemoryStream();
        var at = 0;
        for (var i = 0; i < gaps.Count; i++)
        {
            if (Bytes(read, parts[i].Head, parts[i].Position) is not { } part) return rest;
            whole.Write(rest, at, gaps[i] - at);
            whole.Write(part);
            at = gaps[i];
        }
        whole.Write(rest, at, rest.Length - at);
        return whole.ToArray();
    }
}
