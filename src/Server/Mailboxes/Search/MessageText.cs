using CbaMail.Mime;
using CbaMail.Text;

namespace CbaMail.Mailboxes.Search;

/// <summary>
/// The text of one message as searching sees it (RFC 9051 6.4.4): decoded header fields, decoded text parts, HTML as it stands and as
/// people see it, and for TEXT the header fields of parts with the names of attachments. What is in attachments is not looked into.
/// The index and the search without it both read messages through here, so that they find the same.
/// </summary>
/// <param name="content">The message.</param>
/// <param name="most">Octets that are read of a part, at most <see cref="MaxPart"/>.</param>
public sealed class MessageText(MessageContent content, int most = MessageText.MaxPart)
{
    // bounds of what is read of one message
    const int MaxPart = 4 << 20, MaxText = 16 << 20, MaxHeader = 1 << 20, MaxPartHeader = 64 << 10, MaxPartFields = 4 << 20, MaxParts = 1000;

    /// <summary>Up to here a message is one piece in its pack: what is decoded of it stays good while others of its parts are read.</summary>
    const int OnePiece = 128 << 10;

    HeaderList? header;
    List<string>? partFields;

    /// <summary>Something of it could not be read.</summary>
    public bool IsDamaged { get; private set; }

    /// <summary>Of some part less was read than a search reads.</summary>
    public bool IsCut { get; private set; }

    /// <summary>Decodes a small message once for all that is looked at until <see cref="Release"/>, and not anew for each of its parts.</summary>
    public void Hold()
    {
        if (content.Size <= OnePiece) content.Open();
    }

    public void Release() => content.Close();

    /// <summary>The message's own header fields.</summary>
    public HeaderList Header => header ??= HeaderList.Parse(Bytes(0, Math.Min(MaxHeader, content.Prefix.Length + content.Structure.BodyOffset)));

    /// <summary>"Name: value" of the header fields of parts, and the names of attachments.</summary>
    public IReadOnlyList<string> PartFields => partFields ??= ReadPartFields();

    /// <summary>A field as TEXT sees it.</summary>
    public static string Line(HeaderField field) => $"{field.Name}: {field.Value}";

    /// <summary>
    /// The addresses of a field where comments, quotes or spaces stand between their parts: without those they are searched too
    /// (RFC 9051 6.4.4: FROM and its kin are about the ENVELOPE).
    /// </summary>
    /// <param name="value">Of the field, decoded.</param>
    public static IReadOnlyList<string> PlainAddresses(HeaderField field, string value)
    {
        if (value.AsSpan().IndexOfAny('(', '\\') < 0 && !value.Contains(" @", StringComparison.Ordinal) && !value.Contains("@ ", StringComparison.Ordinal)) return [];
        if (!(field.Is("From") || field.Is("To") || field.Is("Cc") || field.Is("Bcc") || field.Is("Reply-To"))) return [];
        return [.. AddressList.Parse(field.Raw.Span).Mailboxes.Select(address => $"{address.Name} <{address.Address}>")];
    }

    /// <summary>Gives the text parts, and the header fields of enclosed messages, until no more is wanted.</summary>
    public void GiveBodies(ITextTaker taker)
    {
        long left = MaxText;
        foreach (var part in content.Structure.Walk())
        {
            if (part.IsMessage && part.Children.Count > 0)
            {
                // the header of an enclosed message is part of the body
                var inner = part.Children[0];
                if (!Give(string.Join("\r\n", HeaderList.Parse(Read(inner.HeaderOffset, inner.BodyOffset - inner.HeaderOffset, ref left)).Select(Line)), taker)) return;
            }
            if (part.Type != "text") continue;
            var length = Take(part.BodyLength, ref left);
            if (part.Subtype == "html" || !GivePieces(part, length, taker, out var more)) more = GiveWhole(part, length, taker);
            if (!more) return;
        }
    }

    static bool Give(string text, ITextTaker taker) => taker.Take(text) && taker.End();

    bool GivePieces(MimePart part, long length, ITextTaker taker, out bool more)
    {
        more = true;
        using var pieces = PartText.TryCreate(part.Encoding, part.Charset, other => Bytes(content.Prefix.Length + part.BodyOffset, length, other));
        if (pieces is null) return false;
        more = pieces.Give(taker) && taker.End();
        return true;
    }

    bool GiveWhole(MimePart part, long length, ITextTaker taker)
    {
        var text = Charset.Decode(TransferEncoding.Decode(Bytes(content.Prefix.Length + part.BodyOffset, length), part.Encoding), part.Charset);
        if (!Give(text, taker)) return false;
        // what people see, where tags and entities stand between the letters
        return part.Subtype != "html" || Give(HtmlText.ToPlainText(text), taker);
    }

    // RFC 9051 6.4.4, TEXT: "including MIME header fields"
    List<string> ReadPartFields()
    {
        var found = new List<string>();
        long left = MaxPartFields;
        foreach (var part in content.Structure.Walk().Take(MaxParts))
        {
            if (part.HeaderOffset > 0 && part.BodyOffset > part.HeaderOffset)
                found.AddRange(HeaderList.Parse(Read(part.HeaderOffset, Math.Min(MaxPartHeader, part.BodyOffset - part.HeaderOffset), ref left)).Select(Line));
            if (part.FileName is { Length: > 0 } name) found.Add(name); // decoded as RFC 2231 has it
        }
        return found;
    }

    /// <param name="left">What may still be read.</param>
    byte[] Read(long position, long length, ref long left) => Bytes(content.Prefix.Length + position, Take(length, ref left));

    /// <returns>How much of it is read.</returns>
    long Take(long length, ref long left)
    {
        // the index and the search stop at the same parts
        length = Math.Min(Math.Min(MaxPart, length), left);
        left -= length;
        IsCut |= length > most;
        return Math.Min(most, length);
    }

    void Bytes(long position, long length, IBodyTaker taker)
    {
        try
        {
            content.ReadTo(taker, position, length);
        }
        catch (Storage.Blobs.DamageError)
        {
            IsDamaged = true;
        }
    }

    // one damaged body is not found, and does not keep the others from being
    byte[] Bytes(long position, long length)
    {
        try
        {
            return content.Read(position, (int)length);
        }
        catch (Storage.Blobs.DamageError)
        {
            IsDamaged = true;
            return [];
        }
    }
}
