using System.Text;
using CbaMail.Mailboxes;

namespace CbaMail.Imap.Commands;

/// <summary>What can be fetched (RFC 9051 6.4.5, RFC 3501 6.4.5; SAVEDATE: RFC 8514; PREVIEW: RFC 8970; MODSEQ: RFC 7162; EMAILID, THREADID: RFC 8474 5.3).</summary>
[Flags]
internal enum FetchData
{
    None = 0, Uid = 1, Flags = 2, ModSeq = 4, InternalDate = 8, Size = 16, SaveDate = 32, Envelope = 64, Body = 128, BodyStructure = 256, Preview = 512,
    EmailId = 1024, ThreadId = 2048,
    /// <summary>Known without asking the store.</summary>
    OfView = Uid | Flags | ModSeq,
    /// <summary>Kept with each content.</summary>
    OfContent = Envelope | Body | BodyStructure | Preview,
    /// <summary>Identifiers.</summary>
    Ids = EmailId | ThreadId,
}

/// <summary>What of a part is meant.</summary>
internal enum SectionText { All, Header, HeaderFields, HeaderFieldsNot, Text, Mime }

/// <summary>As it is stored, or without its transfer encoding (RFC 3516 4.2).</summary>
internal enum SectionForm { Stored, Binary, BinarySize }

/// <summary>BODY[...] and its relatives.</summary>
/// <param name="Label">As the answer names it.</param>
/// <param name="Path">Part numbers; empty for the whole message.</param>
internal sealed record BodySection(string Label, IReadOnlyList<uint> Path, SectionText Text, IReadOnlyList<string> Fields, bool Peek, (long Offset, long Count)? Partial, SectionForm Form = SectionForm.Stored)
{
    /// <summary>Whether it is the message's header, or of it.</summary>
    public bool IsHeader { get; } = Path.Count == 0 && Text is SectionText.Header or SectionText.HeaderFields or SectionText.HeaderFieldsNot;

    /// <summary>Whether the row of a content answers, body unread, where it has fields (<see cref="KeptFields"/>).</summary>
    public bool IsKept { get; } = Path.Count == 0 && Text == SectionText.HeaderFields && Form == SectionForm.Stored && Fields.All(KeptFields.Has);
}

/// <summary>The parsed list of items.</summary>
internal sealed class FetchItems
{
    /// <summary>Sections of one FETCH.</summary>
    const int MaxSections = 100;
    /// <summary>Depth of a part number.</summary>
    const int MaxPath = 100;
    const int MaxFields = 1000;

    public FetchData Data { get; set; }
    public List<BodySection> Sections { get; } = [];

    /// <summary>The client takes UTF-8 in ENVELOPE (RFC 6855 3).</summary>
    public bool Utf8 { get; set; }

    public bool SetsSeen => Sections.Exists(s => !s.Peek);
    public bool NeedsContent => Sections.Count > 0 || (Data & FetchData.OfContent) != 0;
    public bool NeedsRow => NeedsContent || (Data & ~FetchData.OfView) != 0;

    /// <summary>What has to be known of contents.</summary>
    public ContentParts Parts
    {
        get
        {
            var parts = ContentParts.None;
            if ((Data & FetchData.Envelope) != 0) parts |= ContentParts.Envelope | (Utf8 ? ContentParts.Fields : 0);
            if ((Data & (FetchData.Body | FetchData.BodyStructure)) != 0) parts |= ContentParts.Structure;
            if ((Data & FetchData.Preview) != 0) parts |= ContentParts.Preview;
            foreach (var section in Sections)
                parts |= section.IsKept ? ContentParts.Fields : ContentParts.Body | (section is { Path.Count: 0, Text: SectionText.All } ? 0 : ContentParts.Structure);
            return parts;
        }
    }

    /// <summary>A macro, one item, or a list of items.</summary>
    public static FetchItems Parse(ref ImapReader arguments)
    {
        var items = new FetchItems();
        if (arguments.TakeOpen())
        {
            do items.Item(ref arguments, arguments.Word());
            while (!arguments.Failed && arguments.Take((byte)' '));
            arguments.Close();
        }
        else if (!items.Macro(ref arguments, out var word)) items.Item(ref arguments, word);
        return items;
    }

    // RFC 9051 6.4.5: a macro stands alone, never among other items
    bool Macro(ref ImapReader arguments, out string word)
    {
        const FetchData Fast = FetchData.Flags | FetchData.InternalDate | FetchData.Size;
        word = arguments.Word();
        switch (word)
        {
            case "ALL": Data = Fast | FetchData.Envelope; return true;
            case "FAST": Data = Fast; return true;
            case "FULL": Data = Fast | FetchData.Envelope | FetchData.Body; return true;
            default: return false;
        }
    }

    void Item(ref ImapReader arguments, string item)
    {
        switch (item)
        {
            case "UID": Data |= FetchData.Uid; break;
            case "FLAGS": Data |= FetchData.Flags; break;
            case "MODSEQ": Data |= FetchData.ModSeq; break;
            case "INTERNALDATE": Data |= FetchData.InternalDate; break;
            case "RFC822.SIZE": Data |= FetchData.Size; break;
            case "SAVEDATE": Data |= FetchData.SaveDate; break;
            case "ENVELOPE": Data |= FetchData.Envelope; break;
            case "BODYSTRUCTURE": Data |= FetchData.BodyStructure; break;
            case "BODY" when arguments.Next == '[': Section(ref arguments, "BODY", peek: false); break;
            case "BODY": Data |= FetchData.Body; break;
            case "BODY.PEEK": Section(ref arguments, "BODY", peek: true); break;
            case "BINARY": Section(ref arguments, "BINARY", peek: false, SectionForm.Binary); break;
            case "BINARY.PEEK": Section(ref arguments, "BINARY", peek: true, SectionForm.Binary); break;
            case "BINARY.SIZE": Section(ref arguments, "BINARY.SIZE", peek: true, SectionForm.BinarySize); break;
            case "EMAILID": Data |= FetchData.EmailId; break;
            case "THREADID": Data |= FetchData.ThreadId; break;
            case "PREVIEW": Data |= FetchData.Preview; Lazy(ref arguments); break;
            // RFC 3501 6.4.5: the old names
            case "RFC822": Sections.Add(new("RFC822", [], SectionText.All, [], false, null)); break;
            case "RFC822.HEADER": Sections.Add(new("RFC822.HEADER", [], SectionText.Header, [], true, null)); break;
            case "RFC822.TEXT": Sections.Add(new("RFC822.TEXT", [], SectionText.Text, [], false, null)); break;
            case var word: arguments.Refuse($"{word} cannot be fetched"); break;
        }
        if (Sections.Count > MaxSections) arguments.Refuse("Too many sections");
    }

    // RFC 8970 4.1: our previews are always at hand, LAZY or not
    static void Lazy(ref ImapReader arguments)
    {
        var after = arguments;
        if (!after.Take((byte)' ') || !after.TakeOpen()) return;
        arguments = after;
        do
            if (arguments.Keyword() != "LAZY") arguments.Fail("LAZY");
        while (!arguments.Failed && arguments.Take((byte)' '));
        arguments.Close();
    }

    /// <summary>"[1.MIME]&lt;0.100&gt;" as BODY.PEEK would take it; null where it does not parse.</summary>
    public static BodySection? SectionOf(ReadOnlySpan<byte> text)
    {
        var items = new FetchItems();
        var reader = new ImapReader(text);
        items.Section(ref reader, "BODY", peek: true);
        reader.End();
        return reader.Failed ? null : items.Sections[0];
    }

    // RFC 9051 9: section, section-part, section-text; section-binary has no text (RFC 3516 7)
    void Section(ref ImapReader arguments, string name, bool peek, SectionForm form = SectionForm.Stored)
    {
        arguments.Expect((byte)'[');
        var path = new List<uint>();
        var text = SectionText.All;
        var fields = new List<string>();
        while (char.IsAsciiDigit((char)arguments.Next))
        {
            path.Add(arguments.NonZero());
            if (path.Count > MaxPath) arguments.Refuse("The part number is too long");
            if (!arguments.Take((byte)'.')) break;
            if (arguments.Next == ']') arguments.Fail("a part number");
        }
        if (arguments.Next != ']' && form == SectionForm.Stored)
        {
            text = arguments.Word() switch
            {
                "HEADER" => SectionText.Header,
                "HEADER.FIELDS" => SectionText.HeaderFields,
                "HEADER.FIELDS.NOT" => SectionText.HeaderFieldsNot,
                "TEXT" => SectionText.Text,
                "MIME" when path.Count > 0 => SectionText.Mime,
                _ => SectionText.All,
            };
            if (text == SectionText.All) arguments.Fail("HEADER, HEADER.FIELDS, TEXT or MIME");
            if (text is SectionText.HeaderFields or SectionText.HeaderFieldsNot) FieldNames(ref arguments, fields);
        }
        arguments.Expect((byte)']');
        (long, long)? partial = null;
        if (form != SectionForm.BinarySize && arguments.Take((byte)'<'))
        {
            // RFC 9051 9, partial: 64 bits
            var offset = arguments.Number64();
            arguments.Expect((byte)'.');
            partial = (offset, arguments.Number64());
            if (partial is (_, 0)) arguments.Fail("a number above zero");
            arguments.Expect((byte)'>');
        }
        if (arguments.Failed) return;
        Sections.Add(new(Label(name, path, text, fields, partial?.Item1), path, text, fields, peek, partial, form));
    }

    static void FieldNames(ref ImapReader arguments, List<string> fields)
    {
        arguments.Space();
        arguments.Open();
        do fields.Add(arguments.Astring());
        while (!arguments.Failed && arguments.Take((byte)' ') && fields.Count <= MaxFields);
        arguments.Close();
        foreach (var field in fields)
            if (field.AsSpan().IndexOfAnyExceptInRange('!', '~') >= 0) arguments.Refuse("A field name is made of printable ASCII");
    }

    // RFC 9051 7.5.2: the answer repeats the section and where it begins
    static string Label(string name, List<uint> path, SectionText text, List<string> fields, long? offset)
    {
        var label = new StringBuilder(name).Append('[').AppendJoin('.', path);
        if (text != SectionText.All && path.Count > 0) label.Append('.');
        label.Append(text switch
        {
            SectionText.Header => "HEADER",
            SectionText.HeaderFields => "HEADER.FIELDS",
            SectionText.HeaderFieldsNot => "HEADER.FIELDS.NOT",
            SectionText.Text => "TEXT",
            SectionText.Mime => "MIME",
            _ => "",
        });
        if (fields.Count > 0) label.Append(" (").AppendJoin(' ', fields.Select(Astring)).Append(')');
        label.Append(']');
        if (offset is { } at) label.Append('<').Append(at).Append('>');
        return label.ToString();
    }

    static string Astring(string name) =>
        name.AsSpan().IndexOfAny("(){%*\"\\]") < 0 && name.Length > 0 ? name : "\"" + name.Replace("\\", "\\\\").Replace("\"", "\\\"") + "\"";
}
