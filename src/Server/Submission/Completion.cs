using CbaMail.Mime;
using CbaMail.Storage;

namespace CbaMail.Submission;

/// <summary>What is changed in a message of our own people before it goes anywhere.</summary>
/// <param name="Added">Whole header fields to put on top, or empty.</param>
/// <param name="Removed">Fields to leave out, in the order in which they stand.</param>
public sealed record Completion(byte[] Added, IReadOnlyList<FieldSpan> Removed, Footer? Footer)
{
    public static readonly Completion Nothing = new([], [], null);

    public bool IsNothing => Added.Length == 0 && Removed.Count == 0 && Footer is null;

    /// <summary>Writes the message as it is to be into a spool.</summary>
    /// <param name="received">Our own fields on top of it, which stay as they are.</param>
    /// <param name="open">Opens a spool; the caller disposes all of them.</param>
    public ReadOnlyMemory<byte> Apply(ReadOnlyMemory<byte> received, ReadOnlyMemory<byte> own, Func<SpooledMessage> open)
    {
        if (Footer is not null)
        {
            var spool = open();
            using var writer = new SpoolWriter(spool);
            if (Footer.TryWrite(own.Span, writer))
            {
                writer.Flush();
                // the fields stand where they stood, unless the text itself was the first part: then they are looked for again
                return new Completion(Added, Found(spool.Content.Span, own.Span), null).Apply(received, spool.Content, open);
            }
            if (Added.Length == 0 && Removed.Count == 0) return default;
        }
        return Join(received.Span, own.Span, open());
    }

    ReadOnlyMemory<byte> Join(ReadOnlySpan<byte> received, ReadOnlySpan<byte> own, SpooledMessage into)
    {
        into.Append(received);
        into.Append(Added);
        // a text without any field needs the empty line that ends the header (RFC 5322 2.1)
        if (Added.Length > 0 && !StartsWithField(own)) into.Append("\r\n"u8);
        var done = 0;
        foreach (var field in Removed)
        {
            into.Append(own[done..field.Start]);
            done = field.End;
        }
        into.Append(own[done..]);
        return into.Content;
    }

    // the same fields in the text with its footer: by their bytes
    List<FieldSpan> Found(ReadOnlySpan<byte> now, ReadOnlySpan<byte> before)
    {
        var found = new List<FieldSpan>(Removed.Count);
        var next = 0;
        var reader = new HeaderReader(now);
        while (next < Removed.Count && reader.Next(out var field))
        {
            var wanted = Removed[next];
            if (!now[field.Start..field.End].SequenceEqual(before[wanted.Start..wanted.End])) continue;
            found.Add(field);
            next++;
        }
        return found;
    }

    static bool StartsWithField(ReadOnlySpan<byte> own)
    {
        if (own.StartsWith("\r\n"u8)) return true;
        var reader = new HeaderReader(own);
        return reader.Next(out _);
    }
}
