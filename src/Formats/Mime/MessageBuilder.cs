using System.Buffers;

namespace CbaMail.Mime;

/// <summary>A file to send: an attachment, or an inline image that the HTML names by <c>cid:</c>.</summary>
public sealed record MimeFile(string FileName, string ContentType, ReadOnlyMemory<byte> Content, string? ContentId = null);

/// <summary>
/// Writes a message: encoded and folded headers, alternative/related/mixed, attachments, legal line lengths
/// (RFC 5322 2.1.1). What is written reads back as what was given.
/// </summary>
public sealed class MessageBuilder
{
    /// <summary>Display name and address; the name may be empty.</summary>
    public (string Name, string Address) From { get; set; }
    public (string Name, string Address)? ReplyTo { get; set; }
    public List<(string Name, string Address)> To { get; } = [];
    public List<(string Name, string Address)> Cc { get; } = [];
    public string Subject { get; set; } = "";
    public DateTimeOffset Date { get; set; }
    /// <summary>Without angle brackets.</summary>
    public string MessageId { get; set; } = "";
    public string? Text { get; set; }
    public string? Html { get; set; }
    public List<MimeFile> Inline { get; } = [];
    public List<MimeFile> Attachments { get; } = [];
    /// <summary>Further header fields in order; values are encoded and folded as unstructured text.</summary>
    public List<(string Name, string Value)> Headers { get; } = [];

    public void WriteTo(IBufferWriter<byte> output) => throw new NotImplementedException();
}
