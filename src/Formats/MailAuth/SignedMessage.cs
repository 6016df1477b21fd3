using System.Text;
using CbaMail.MailAuth.Dkim;
using CbaMail.Mime;

namespace CbaMail.MailAuth;

/// <summary>
/// A message whose signatures are to be verified: the fields of its header and the hashes of its body, one pass for each way in which
/// some signature has it canonicalized, whatever the number of signatures. The header is kept by reference; the body is not kept.
/// </summary>
public sealed class SignedMessage : IDisposable
{
    /// <summary>DKIM signatures of one message that are verified; a message with more says nothing by the rest (RFC 6376 6.1).</summary>
    public const int MaxDkim = 16;
    // RFC 8617 4.2.1
    const int MaxArc = 50;

    readonly ReadOnlyMemory<byte> text;
    readonly List<FieldSpan> fields = [];
    readonly List<DkimSignature> dkim = [];
    readonly List<DkimSignature> arc = [];
    readonly BodyHash?[] bodies = new BodyHash?[2];

    /// <summary>Reads the header; what follows it in the same bytes is the body's beginning.</summary>
    public SignedMessage(ReadOnlyMemory<byte> message)
    {
        text = message;
        var span = message.Span;
        var reader = new HeaderReader(span, 0, top: true);
        while (reader.Next(out var field))
        {
            fields.Add(field);
            var name = span.Slice(field.Start, field.NameLength);
            if (Ascii.EqualsIgnoreCase(name, "dkim-signature"u8)) dkim.Add(Read(field, SignatureKind.Dkim, dkim.Count < MaxDkim));
            else if (Ascii.EqualsIgnoreCase(name, "arc-message-signature"u8) && arc.Count <= MaxArc) arc.Add(Read(field, SignatureKind.ArcMessage, true));
        }

        Names = new FieldNames(span, fields);
        var verified = dkim.Concat(arc).Where(s => s.Problem is null).ToList();
        foreach (var way in new[] { Canonicalization.Simple, Canonicalization.Relaxed })
            if (verified.Where(s => s.BodyWay == way).ToList() is { Count: > 0 } some)
                bodies[(int)way] = new BodyHash(way, some.Where(s => s.Length is not null).Select(s => s.Length!.Value));
        if (reader.Position < span.Length) Append(span[reader.Position..]);
    }

    DkimSignature Read(FieldSpan field, SignatureKind kind, bool verified) =>
        verified ? DkimSignature.Read(text, field, fields.Count - 1, kind) : DkimSignature.NotRead(text, field, fields.Count - 1);

    /// <summary>The header's fields in order.</summary>
    public IReadOnlyList<FieldSpan> Fields => fields;

    /// <summary>The DKIM signatures from the top down; malformed ones among them.</summary>
    public IReadOnlyList<DkimSignature> DkimSignatures => dkim;

    internal ReadOnlyMemory<byte> Text => text;
    internal IReadOnlyList<DkimSignature> ArcSignatures => arc;
    internal FieldNames Names { get; }

    /// <summary>The bytes of a field, with its name and line ends.</summary>
    public ReadOnlyMemory<byte> Field(FieldSpan field) => text[field.Start..field.End];

    /// <summary>The bytes of a field behind the colon.</summary>
    public ReadOnlyMemory<byte> Value(FieldSpan field) => text[field.ValueStart..field.End];

    /// <summary>The next piece of the body.</summary>
    public void Append(ReadOnlySpan<byte> body)
    {
        foreach (var hash in bodies) hash?.Append(body);
    }

    /// <summary>The body as a signature has it canonicalized. The body must have been appended whole.</summary>
    internal BodyHash Body(Canonicalization way)
    {
        var hash = bodies[(int)way] ?? throw new InvalidOperationException("No signature asks for this hash of the body.");
        hash.Finish();
        return hash;
    }

    public void Dispose()
    {
        foreach (var hash in bodies) hash?.Dispose();
    }
}
