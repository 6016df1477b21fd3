using System.Net;
using CbaMail.Envelope;
using CbaMail.Mime;

namespace CbaMail.Mailings;

/// <summary>A letter that somebody wrote to an address of a course, as a mailing: its text, pictures and files. What looks like a merge field in it is text.</summary>
static class CourseLetter
{
    const int MostFiles = 100;

    /// <param name="from">Who the mailing is from, as in "Name &lt;teacher@example.org&gt;".</param>
    public static Result<NewMailing> Read(ReadOnlySpan<byte> message, CourseAddress address, string from)
    {
        var header = HeaderList.Parse(message);
        var tree = MimeTree.Parse(message);
        if (tree.Walk().Any(part => part is { Type: "multipart", Subtype: "encrypted" } or { Type: "application", Subtype: "pkcs7-mime" or "x-pkcs7-mime" })) return Refusal.NotPossible.Because("What is encrypted cannot become a mailing");
        MimePart? text = null, html = null;
        var files = new List<NewFile>();
        var shown = new List<(string Id, string Name)>();
        foreach (var part in tree.Walk())
        {
            if (part.IsMultipart || part.Subtype is "pgp-signature" or "pkcs7-signature" or "x-pkcs7-signature") continue;
            if (part is { Type: "text", Subtype: "plain" } && text is null && part.Disposition != "attachment") { text = part; continue; }
            if (part is { Type: "text", Subtype: "html" } && html is null && part.Disposition != "attachment") { html = part; continue; }
            if (files.Count >= MostFiles) return Refusal.TooLarge.Because($"A mailing has at most {MostFiles} files");
            var name = Free(Path.GetFileName(part.FileName is { Length: > 0 } given ? given : $"{part.Type}-{files.Count + 1}"), files);
            if (part.ContentId?.Trim('<', '>', ' ') is { Length: > 0 } id) shown.Add((id, name));
            files.Add(new(name, part.IsMessage ? part.Body(message).ToArray() : ContentDecoder.Bytes(message, part)));
        }
        var page = html is null ? null : ContentDecoder.Text(message, html);
        foreach (var (id, name) in shown) page = page?.Replace("cid:" + id, "cid:" + Uri.EscapeDataString(name), StringComparison.OrdinalIgnoreCase).Replace("cid:" + Uri.EscapeDataString(id), "cid:" + Uri.EscapeDataString(name), StringComparison.OrdinalIgnoreCase);
        var plain = text is null ? null : ContentDecoder.Text(message, text);
        if (string.IsNullOrWhiteSpace(plain)) plain = null;
        if (plain is null && page is null) return Refusal.Invalid.Because("The letter has no text");
        var subject = WebUtility.HtmlDecode(header.Value("Subject")?.Trim() ?? "");
        if (subject.Length == 0) return Refusal.Invalid.Because("The letter has no subject");
        return new NewMailing(address.Course, from, Literal(header.Value("Subject")!.Trim()), page is null ? null : Literal(page), plain is null ? null : Literal(plain), files, To: $"run \"{address.Run}\"");
    }

    static string Literal(string text) => text.Replace("{{", "\\{{", StringComparison.Ordinal);

    static string Free(string name, List<NewFile> files)
    {
        var free = name;
        for (var i = 2; files.Exists(file => file.Name.Equals(free, StringComparison.OrdinalIgnoreCase)); i++) free = $"{Path.GetFileNameWithoutExtension(name)}-{i}{Path.GetExtension(name)}";
        return free;
    }
}
