using CbaMail.Mailboxes;

namespace CbaMail.Imap.Commands;

/// <summary>The octets that a URL of CATENATE stands for (RFC 4469 3).</summary>
internal sealed class UrlPart
{
    readonly MessageContent? content;
    readonly ReadOnlyMemory<byte> bytes;
    readonly long position;

    UrlPart(MessageContent content, long position, long length) => (this.content, this.position, Length) = (content, position, length);
    UrlPart(ReadOnlyMemory<byte> bytes) => (this.bytes, Length) = (bytes, bytes.Length);

    public long Length { get; }

    /// <summary>Null where it names nothing that this session can read.</summary>
    public static UrlPart? Find(ImapSession session, string text)
    {
        if (ImapUrl.Parse(text, session.Selected?.Name) is not { } url) return null;
        using var reader = session.Mail.Read();
        var refusal = session.Refusing(session.Find(reader, url.Mailbox), Rights.Read, out var access);
        if (refusal is not null || url.UidValidity is { } validity && validity != access.Mailbox.UidValidity) return null;
        if (reader.Message(access.Mailbox.Id, url.Uid) is not { } row || reader.Content(access.Mailbox.Id, row) is not { } content) return null;
        try
        {
            return FetchBody.Find(content, url.Section) is not { } found ? null : found.Bytes is { } bytes ? new UrlPart(bytes) : new UrlPart(content, found.Position, found.Length);
        }
        catch (Storage.Blobs.DamageError)
        {
            return null; // FETCH says which
        }
    }

    public async ValueTask ReadToAsync(IBodyTaker taker, CancellationToken cancel)
    {
        if (content is null) taker.Take(bytes.Span);
        else if (Length > 0) await content.ReadToAsync(taker, position, Length, cancel);
    }

    /// <summary>The URL as a response code can repeat it (RFC 4469 4.1, url-resp-text).</summary>
    public static string Quote(string url) =>
        string.Concat(url.Take(1000).Select(c => c is <= ' ' or ']' or > '~' ? Uri.HexEscape(c <= 255 ? c : '?') : c.ToString()));
}
