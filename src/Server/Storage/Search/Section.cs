namespace CbaMail.Storage.Search;

/// <summary>
/// What a segment keeps apart. Words of bodies and of most header fields stand as words; the fields that people search in stand as whole
/// values, so that any part of one is found without looking at the message.
/// </summary>
public enum Section
{
    /// <summary>Words of the text parts.</summary>
    Body,
    /// <summary>Words of all other header fields, those of parts included.</summary>
    Header,
    /// <summary>Names of the message's own header fields.</summary>
    Names,
    /// <summary>What is known of whole documents: <see cref="SearchMarks"/>.</summary>
    Marks,
    From, To, Cc, Bcc, Subject, ReplyTo, MessageId,
}

/// <summary>What stands in the section of marks.</summary>
public static class SearchMarks
{
    /// <summary>Not everything of the message is in the index: it was too long, or could not be read.</summary>
    public const string Partial = "partial";
    /// <summary>A word of the body, or of the header, was longer than a word can be here and stands in pieces.</summary>
    public const string LongBody = "long body", LongHeader = "long header";
}

/// <summary>Sections and bounds.</summary>
public static class Sections
{
    /// <summary>How many there are.</summary>
    public const int Count = (int)Section.MessageId + 1;
    /// <summary>Characters of a piece of a word.</summary>
    public const int Piece = 64;
    /// <summary>Characters of a header field that stands as a whole.</summary>
    public const int Value = 4000;
    /// <summary>The sections of whole values.</summary>
    public static readonly Section[] Values = [Section.From, Section.To, Section.Cc, Section.Bcc, Section.Subject, Section.ReplyTo, Section.MessageId];

    /// <summary>Where the values of a field stand as a whole, or null.</summary>
    public static Section? OfField(string name) => name.ToUpperInvariant() switch
    {
        "FROM" => Section.From,
        "TO" => Section.To,
        "CC" => Section.Cc,
        "BCC" => Section.Bcc,
        "SUBJECT" => Section.Subject,
        "REPLY-TO" => Section.ReplyTo,
        "MESSAGE-ID" => Section.MessageId,
        _ => null,
    };
}
