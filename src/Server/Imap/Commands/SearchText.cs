using CbaMail.Imap.Searching;
using CbaMail.Mailboxes;
using CbaMail.Mime;
using CbaMail.Text;

namespace CbaMail.Imap.Commands;

/// <summary>
/// The text of one message for SEARCH: decoded header fields and decoded text parts, compared without regard to case
/// (RFC 9051 6.4.4). Attachments are not looked into.
/// </summary>
internal sealed class SearchText(MessageContent content)
{
    // bounds of what is read of one message
    const int MaxHeader = 1 << 20, MaxPart = 4 << 20;

    HeaderList? header;
    List<string>? texts;

    HeaderList Header => header ??= HeaderList.Parse(Bytes(0, Math.Min(MaxHeader, content.Prefix.Length + content.Structure.BodyOffset)));

    /// <summary>The day of the Date field as its writer saw it: time and zone are disregarded.</summary>
    public DateOnly? SentOn =>
        Header.Find("Date") is { } found && MailDate.TryParse(found.Raw.Span, out var date) ? DateOnly.FromDateTime(date.DateTime)
        : content.Sent is { } sent ? DateOnly.FromDateTime(sent.UtcDateTime) : null;

    /// <summary>Whether a field of that name has the text; the empty text asks for the field alone.</summary>
    public bool FieldContains(string name, Needle needle)
    {
        foreach (var field in Header)
            if (field.Is(name) && Contains(field, needle)) return true;
        return false;
    }

    public bool HeaderContains(Needle needle)
    {
        foreach (var field in Header)
            if (Contains(field, needle) || needle.IsIn($"{field.Name}: {field.Value}")) return true;
        return false;
    }

    static bool Contains(HeaderField field, Needle needle) =>
        needle.IsEmpty || needle.IsIn(field.Value) || needle.IsIn(field.RawValue);

    public bool BodyContains(Needle needle)
    {
        if (needle.IsEmpty) return true;
        foreach (var text in texts ??= Texts())
            if (needle.IsIn(text)) return true;
        return false;
    }

    List<string> Texts()
    {
        var found = new List<string>();
        foreach (var part in content.Structure.Walk())
        {
            if (part.IsMessage && part.Children.Count > 0)
            {
                // the header of an enclosed message is part of the body
                var inner = part.Children[0];
                var fields = HeaderList.Parse(Read(inner.HeaderOffset, inner.BodyOffset - inner.HeaderOffset));
                found.Add(string.Join("\r\n", fields.Select(f => $"{f.Name}: {f.Value}")));
            }
            if (part.Type != "text") continue;
            var text = Charset.Decode(TransferEncoding.Decode(Read(part.BodyOffset, part.BodyLength), part.Encoding), part.Charset);
            found.Add(text);
            // what people see, where tags and entities stand between the letters
            if (part.Subtype == "html") found.Add(HtmlText.ToPlainText(text));
        }
        return found;
    }

    byte[] Read(long position, long length) => Bytes(content.Prefix.Length + position, Math.Min(MaxPart, length));

    // one damaged body is not found, and does not keep the others from being
    byte[] Bytes(long position, long length)
    {
        try { return content.Read(position, (int)length); }
        catch (Storage.Blobs.DamageError) { return []; }
    }
}
