using System.Globalization;
using System.Text;
using CbaMail.Mime;

namespace CbaMail.MailAuth.Dkim;

/// <summary>
/// Signs messages (RFC 6376 5), with each identity a signature of its own over one hash of the body and one canonicalized header. What
/// is signed must be what receivers get: CRLF, and 7 bits where a relay might convert (RFC 6376 5.3); whether it is so is the caller's
/// affair, nothing is changed here. The same message, time and keys give the same bytes.
/// </summary>
public sealed class DkimSigner(IReadOnlyList<SigningIdentity> identities, SigningRules rules)
{
    /// <summary>The hash of a body for <see cref="Sign(ReadOnlyMemory{byte}, ReadOnlySpan{byte}, DateTimeOffset)"/>: many messages may share it.</summary>
    public byte[] HashBody(ReadOnlySpan<byte> body) => BodyHash.Of(body, rules.BodyWay);

    /// <summary>The DKIM-Signature fields to put before a message, each with its line end.</summary>
    public byte[] Sign(ReadOnlyMemory<byte> message, DateTimeOffset now)
    {
        var header = new SigningHeader(message);
        return Sign(header, HashBody(message.Span[header.BodyStart..]), now);
    }

    /// <summary>The DKIM-Signature fields to put before a header whose body has the given hash.</summary>
    public byte[] Sign(ReadOnlyMemory<byte> header, ReadOnlySpan<byte> bodyHash, DateTimeOffset now) => Sign(new SigningHeader(header), bodyHash, now);

    byte[] Sign(SigningHeader header, ReadOnlySpan<byte> bodyHash, DateTimeOffset now)
    {
        var names = rules.NamesFor(header.Names);
        using var hash = new HeaderHash();
        header.Append(hash, names, rules.HeaderWay);
        var gathered = hash.Written.Length;
        var (fields, body, time) = (string.Join(':', names), Convert.ToBase64String(bodyHash), now.ToUnixTimeSeconds());
        var output = new StringBuilder(1024);
        foreach (var identity in identities)
        {
            List<(string, string)> tags =
            [
                ("v", "1"), ("a", identity.Key.Algorithm.Name()), ("c", $"{Word(rules.HeaderWay)}/{Word(rules.BodyWay)}"),
                ("d", identity.Domain), ("s", identity.Selector), ("t", time.ToString(CultureInfo.InvariantCulture)),
            ];
            if (rules.Lifetime is { } life) tags.Add(("x", (time + Math.Max(1, (long)life.TotalSeconds)).ToString(CultureInfo.InvariantCulture)));
            tags.AddRange([("h", fields), ("bh", body), ("b", "")]);
            hash.Truncate(gathered);
            hash.AppendOwn(SignatureText.Write("DKIM-Signature", tags, ""), rules.HeaderWay);
            output.Append(SignatureText.Write("DKIM-Signature", tags, Convert.ToBase64String(identity.Key.Sign(hash.Hash()))));
        }

        return Encoding.UTF8.GetBytes(output.ToString());
    }

    internal static string Word(Canonicalization way) => way == Canonicalization.Relaxed ? "relaxed" : "simple";
}

/// <summary>The header of a message that is about to be signed.</summary>
sealed class SigningHeader
{
    readonly ReadOnlyMemory<byte> text;
    readonly List<FieldSpan> fields = new(32);

    public SigningHeader(ReadOnlyMemory<byte> message)
    {
        text = message;
        var reader = new HeaderReader(message.Span, 0, top: true);
        while (reader.Next(out var field)) fields.Add(field);
        BodyStart = reader.Position;
        Names = new FieldNames(message.Span, fields);
    }

    public FieldNames Names { get; }
    public IReadOnlyList<FieldSpan> Fields => fields;
    public int BodyStart { get; }
    public ReadOnlyMemory<byte> Text => text;

    /// <summary>Gathers the fields that the names mean.</summary>
    public void Append(HeaderHash hash, IEnumerable<string> names, Canonicalization way)
    {
        foreach (var index in Names.Pick(names)) Append(hash, fields[index], way);
    }

    /// <summary>Gathers one field.</summary>
    public void Append(HeaderHash hash, FieldSpan field, Canonicalization way) =>
        hash.Append(text.Span[field.Start..field.End], field.NameLength, field.ValueStart - field.Start, way);
}
