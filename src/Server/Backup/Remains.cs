using System.Buffers;
using System.Globalization;
using System.Text;
using CbaMail.Mailboxes;
using CbaMail.Mime;
using CbaMail.Storage.Blobs;

namespace CbaMail.Backup;

/// <summary>
/// What is left of a lost message: its envelope, which stands in the row, and of its parts those whose bytes can be read. They become a
/// letter that says so.
/// </summary>
sealed class Remains
{
    readonly Damage damage;
    readonly StoredEnvelope envelope;
    readonly ContentRow? row;
    readonly DateTimeOffset received;
    readonly string account;
    readonly List<MimeFile> files = [];
    readonly List<string> lost = [];
    string? text;
    byte[] message = [];
    readonly List<(long From, long To)> gaps = [];

    Remains(Damage damage, ContentRow? row, DateTimeOffset received, string account)
    {
        (this.damage, this.row, this.received, this.account) = (damage, row, received, account);
        envelope = StoredEnvelope.Parse(row?.Envelope);
    }

    public string Subject => envelope.Subject;

    /// <summary>For people: what could be saved.</summary>
    public string Saved => row is null ? "nothing"
        : "its header" + (text is not null ? ", text" : "") + (files.Count > 0 ? string.Create(CultureInfo.InvariantCulture, $", {files.Count} of {files.Count + lost.Count} attachments") : "");

    public static Remains Gather(Inspection inspection, Damage damage, ContentRow? row, MessageRow? message, string account)
    {
        var remains = new Remains(damage, row, message?.Received ?? DateTimeOffset.UnixEpoch, account);
        if (row is not null && damage.Row is { } stored && row.Size is >= 0 and < int.MaxValue / 2) remains.Read(inspection, stored);
        return remains;
    }

    void Read(Inspection inspection, StoredRow stored)
    {
        message = new byte[stored.Size];
        // the parts that were cut out, then the rest around them, piece by piece
        var cuts = new List<(long Position, long Length)>();
        for (var i = 0; i + 2 < stored.Parts.Length; i += 3)
        {
            var (position, length, id) = (stored.Parts[i], stored.Parts[i + 1], stored.Parts[i + 2]);
            if (position < 0 || length < 0 || position + length > message.Length) { gaps.Add((0, message.Length)); return; }
            cuts.Add((position, length));
            StoredRow? part;
            using (var read = inspection.Store.Read()) part = VerifyTable.Get(read, RecordKind.Object, id);
            var at = position;
            foreach (var (from, piece) in Pieces(inspection, part, length))
                if (piece is not null) piece.CopyTo(message.AsSpan((int)(position + from)));
                else gaps.Add((at + from, Math.Min(at + from + PackRecord.PieceBytes, at + length)));
        }
        var rest = message.Length - cuts.Sum(cut => cut.Length);
        foreach (var (from, piece) in Pieces(inspection, stored, rest)) Place(from, Math.Min(PackRecord.PieceBytes, rest - from), piece, cuts);
        Keep(MimeParts());
    }

    IEnumerable<MimePart> MimeParts()
    {
        try { return Structure.Decode(row!.Structure).Walk().Where(part => part.Children.Count == 0 && !part.IsMultipart).ToList(); }
        catch (Exception e) when (e is FormatException or ArgumentException or InvalidOperationException or IndexOutOfRangeException or InvalidDataException) { return []; }
    }

    // a range of the rest, spread around the cuts
    void Place(long from, long length, byte[]? piece, List<(long Position, long Length)> cuts)
    {
        long before = 0, done = 0;
        foreach (var (position, cut) in cuts.Append((message.Length, 0)))
        {
            var end = position - before; // of the rest, up to this cut
            var take = Math.Min(length - done, end - (from + done));
            if (take > 0)
            {
                var to = from + done + before;
                if (piece is null) gaps.Add((to, to + take));
                else piece.AsSpan((int)done, (int)take).CopyTo(message.AsSpan((int)to));
                done += take;
            }
            before += cut;
        }
    }

    /// <summary>The pieces of a record by their position; null where one cannot be read.</summary>
    static IEnumerable<(long From, byte[]? Piece)> Pieces(Inspection inspection, StoredRow? stored, long raw)
    {
        RecordHead? head = null;
        ReadAt? read = null;
        if (stored is not null)
        {
            read = inspection.Pack(stored.Location.Pack);
            head = RecordReader.Head(read, stored.Location.Position, out _) ?? RecordReader.Rebuild(read, stored.Location, stored.Kind, stored.Id, stored.Base, (int)raw);
            if (head is not null && (head.Id != stored.Id || head.Kind != stored.Kind || head.Raw != raw)) head = null;
        }
        for (long from = 0, index = 0; from < raw; from += PackRecord.PieceBytes, index++)
        {
            byte[]? piece = null;
            if (head is not null && RecordReader.Stored(read!, head, stored!.Location.Position, (int)index, out _) is { } bytes)
                piece = bytes.Length == head.PieceLength((int)index) ? bytes
                    : head.BaseId is null ? RecordReader.Raw(read!, head, stored.Location.Position, (int)index, [], out _) : null; // its base is what is lost
            yield return (from, piece);
        }
    }

    bool IsWhole(long from, long to) => !gaps.Exists(gap => gap.From < to && gap.To > from);

    void Keep(IEnumerable<MimePart> parts)
    {
        foreach (var part in parts)
        {
            var name = part.FileName is { Length: > 0 } given ? given : $"part.{(part.Type == "text" ? part.Subtype == "html" ? "html" : "txt" : "bin")}";
            if (part.BodyOffset < 0 || part.BodyLength < 0 || part.BodyOffset + part.BodyLength > message.Length) { lost.Add(name); continue; }
            var bytes = message.AsSpan((int)part.BodyOffset, (int)part.BodyLength);
            var whole = IsWhole(part.BodyOffset, part.BodyOffset + part.BodyLength);
            if (!whole && (part.Type != "text" || part.Encoding is "base64")) { lost.Add(name); continue; }
            if (!whole) bytes = Readable(part);
            if (bytes.IsEmpty) { if (part.BodyLength > 0) lost.Add(name); continue; }
            var content = TransferEncoding.Decode(bytes, part.Encoding);
            if (text is null && part is { Type: "text", Subtype: "plain" } && part.Disposition != "attachment") text = Text.Charset.Decode(content, part.Charset);
            else files.Add(new MimeFile(name, part.IsMessage ? "application/octet-stream" : $"{part.Type}/{part.Subtype}{(part.Charset is { } charset ? $"; charset=\"{charset}\"" : "")}", content));
        }
    }

    // the readable stretches of a text, with a mark where something is missing
    byte[] Readable(MimePart part)
    {
        var kept = new ArrayBufferWriter<byte>();
        var (at, end) = (part.BodyOffset, part.BodyOffset + part.BodyLength);
        foreach (var (from, to) in gaps.Where(gap => gap.From < end && gap.To > at).Order().ToList())
        {
            if (from > at) kept.Write(message.AsSpan((int)at, (int)(from - at)));
            kept.Write("\r\n[...]\r\n"u8);
            at = Math.Max(at, to);
        }
        if (at < end) kept.Write(message.AsSpan((int)at, (int)(end - at)));
        return kept.WrittenCount > 12 ? kept.WrittenSpan.ToArray() : [];
    }

    /// <summary>The message that takes the place of the lost one.</summary>
    public byte[] Letter()
    {
        var domain = account[(account.IndexOf('@', StringComparison.Ordinal) + 1)..].Split(' ')[0];
        var builder = new MessageBuilder
        {
            From = envelope.From.Count > 0 ? envelope.From[0] : ("", $"postmaster@{domain}"),
            Subject = row is null ? "A message that was lost / Утраченное письмо" : envelope.Subject,
            Date = MailDate.TryParse(Encoding.UTF8.GetBytes(envelope.Date), out var date) ? date : row?.Sent ?? received,
            MessageId = envelope.MessageId,
            Text = Note(),
        };
        builder.To.AddRange(envelope.To);
        builder.Cc.AddRange(envelope.Cc);
        if (envelope.InReplyTo.Length > 0) builder.Headers.Add(("In-Reply-To", envelope.InReplyTo));
        builder.Headers.Add(("X-CBA-Mail-Salvaged", string.Create(CultureInfo.InvariantCulture, $"body {damage.Id}")));
        builder.Attachments.AddRange(files);
        var output = new ArrayBufferWriter<byte>();
        builder.WriteTo(output);
        return output.WrittenSpan.ToArray();
    }

    string Note()
    {
        var note = new StringBuilder();
        note.Append("Part of this message was lost on the server, because a disk damaged it; what could still be read is below and attached.\r\n");
        note.Append("Ask the sender for it again if you need the rest.\r\n\r\n");
        note.Append("Часть этого письма утрачена на сервере: её повредил диск. Всё, что удалось прочесть, приведено ниже и приложено.\r\n");
        note.Append("Если нужно остальное, попросите отправителя прислать письмо ещё раз.\r\n");
        if (lost.Count > 0) note.Append("\r\nLost / утрачено: ").AppendJoin(", ", lost).Append("\r\n");
        if (text is not null) note.Append("\r\n----\r\n\r\n").Append(text);
        return note.ToString();
    }
}
