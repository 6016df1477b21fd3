using System.Buffers;
using System.Text;
using CbaMail.Envelope;
using CbaMail.Mime;

namespace CbaMail.Lists;

/// <summary>What is done to a post on its way through a list.</summary>
/// <param name="Author">Null: its From stays. Else it comes from the list in the name of him.</param>
/// <param name="Changes">Prefix, footer and Reply-To are put in.</param>
sealed record ListEdit(HeaderAddress? Author, bool Changes);

/// <summary>
/// The text of a post as it goes out. All copies share it; what differs a member (how to unsubscribe) stands before it.
/// </summary>
static class ListText
{
    // RFC 2369 4: only the list that hands it on has these; requests for receipts would tell a thousand people's doings
    static readonly string[] Removed =
    [
        "List-Id", "List-Post", "List-Help", "List-Subscribe", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Owner", "List-Archive", "Precedence",
        "Disposition-Notification-To", "Return-Receipt-To", "X-Confirm-Reading-To", "Return-Path", "Bcc",
    ];

    /// <summary>Fields that are added, and that a signature may cover by their absence.</summary>
    public static bool Touches(string field) => Array.Exists(Removed, name => name.Equals(field, StringComparison.OrdinalIgnoreCase));

    /// <param name="messageId">Where the post has none: without brackets.</param>
    /// <param name="root">What links begin with.</param>
    public static byte[] Write(MailList list, ReadOnlySpan<byte> message, ListEdit edit, string? messageId, string root)
    {
        var header = HeaderList.Parse(message);
        var output = new ArrayBufferWriter<byte>(message.Length + 2048);
        var writer = new HeaderWriter(output);
        WriteListFields(writer, list, root);
        var answers = edit.Changes && list.Profile.ReplyTo == "list";
        var subject = edit.Changes && list.Profile.Prefix is { } prefix ? Prefixed(header.Value("Subject")?.Trim() ?? "", prefix) : null;
        if (edit.Author is { } author)
        {
            // RFC 5322 3.6.2: who is responsible for it now; the author's own domain forbids others to write in its name (RFC 7489 6.3)
            var name = author.Name.Trim() is { Length: > 0 } known ? known : author.LocalPart;
            writer.Addresses("From", ($"{name} via {list.Title}", list.Address.ToString()));
            if (!answers && header.Find("Reply-To") is null) writer.Addresses("Reply-To", (author.Name, author.Address));
            writer.Structured("X-Original-From", author.Address);
        }
        if (answers) writer.Addresses("Reply-To", (list.Title, list.Address.ToString()));
        if (subject is not null) writer.Text("Subject", subject);
        if (messageId is not null) writer.Structured("Message-ID", $"<{messageId}>");
        foreach (var field in header)
        {
            if (Touches(field.Name) || (edit.Author is not null && field.Is("Sender")) || (edit.Author is not null && field.Is("From")) || (answers && field.Is("Reply-To")) || (subject is not null && field.Is("Subject")) || (messageId is not null && field.Is("Message-ID"))) continue;
            output.Write(message[field.Span.Start..field.Span.End]);
        }
        // without the empty line, what follows would be read as the header
        output.Write("\r\n"u8);
        output.Write(message[header.BodyOffset..]);
        if (!edit.Changes || list.Profile.Footer is not { } footer) return output.WrittenSpan.ToArray();
        var below = new ArrayBufferWriter<byte>(output.WrittenCount + footer.Length + 64);
        return new Footer("-- \n" + footer, null).TryWrite(output.WrittenSpan, below) ? below.WrittenSpan.ToArray() : output.WrittenSpan.ToArray();
    }

    public static void WriteListFields(HeaderWriter writer, MailList list, string root)
    {
        string To(ListCommand command) => $"<mailto:{list.For(command)}>";
        // RFC 2919 3
        if (list.Profile.Name is { } name) writer.Addresses("List-Id", (name, list.Identifier));
        else writer.Structured("List-Id", $"<{list.Identifier}>");
        // RFC 2369 3.4: nobody is to answer to a list that only announces
        writer.Structured("List-Post", list.IsAnnouncement ? "NO" : To(ListCommand.Post));
        writer.Structured("List-Help", To(ListCommand.Help));
        if (list.Profile.Subscription != "closed") writer.Structured("List-Subscribe", To(ListCommand.Subscribe));
        writer.Structured("List-Owner", To(ListCommand.Owner));
        if (list.Profile.HasArchive) writer.Structured("List-Archive", $"<{list.ArchiveUrl(root)}>"); // RFC 2369 3.6
        writer.Structured("Precedence", "list"); // RFC 3834 2: automatic answers stay away
        writer.Structured("X-Loop", list.Address.ToString()); // another list on the way takes our List-Id away, this it leaves
    }

    /// <summary>How this member leaves: the link alone does it where it is his own copy (RFC 8058), else by mail (RFC 2369 3.2).</summary>
    public static byte[] Top(MailList list, string? link)
    {
        var mail = $"<mailto:{list.For(ListCommand.Unsubscribe)}>";
        // the link on the field's first line, where simple readers look for it
        return Encoding.UTF8.GetBytes(link is null ? $"List-Unsubscribe: {mail}\r\n" : $"List-Unsubscribe: <{link}>,\r\n {mail}\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n");
    }

    // a subject that has it, behind a "Re:" too, keeps it where it is
    static string? Prefixed(string subject, string prefix) => subject.Contains(prefix, StringComparison.OrdinalIgnoreCase) ? null : subject.Length == 0 ? prefix : prefix + " " + subject;

    /// <summary>Whether it is signed or encrypted by its author: nothing in it is to change (RFC 8551, RFC 3156).</summary>
    public static bool IsSealed(ReadOnlySpan<byte> message) =>
        Footer.Protects(message) || message.IndexOf("\n-----BEGIN PGP SIGNED MESSAGE-----"u8) >= 0 || message.IndexOf("\n-----BEGIN PGP MESSAGE-----"u8) >= 0;

    /// <summary>Why a message is no post of a person, but goes round or was written by a program; or null. RFC 3834 2, RFC 5321 6.3.</summary>
    public static string? LoopIn(MailList list, MailAddress? reversePath, HeaderList header)
    {
        if (reversePath is null) return "a bounce";
        foreach (var field in header)
        {
            if (field.Is("List-Id") && field.RawValue.Contains($"<{list.Identifier}>", StringComparison.OrdinalIgnoreCase)) return "a loop: it has been through this list";
            if ((field.Is("X-Loop") || field.Is("Delivered-To")) && field.RawValue.Trim().Equals(list.Address.ToString(), StringComparison.OrdinalIgnoreCase)) return "a loop: it has been here";
            if (field.Is("Auto-Submitted") && !field.RawValue.Trim().Equals("no", StringComparison.OrdinalIgnoreCase)) return "an automatic message";
            if (field.Is("X-Autoreply") || field.Is("X-Autorespond") || (field.Is("Precedence") && field.RawValue.Trim().ToLowerInvariant() is "auto_reply" or "junk")) return "an automatic message";
            if (field.Is("Content-Type") && field.RawValue.TrimStart().StartsWith("multipart/report", StringComparison.OrdinalIgnoreCase)) return "a report";
        }
        return reversePath.LocalPart.ToLowerInvariant() is "mailer-daemon" or "noreply" or "no-reply" && header.Find("Precedence") is not null ? "an automatic message" : null;
    }
}
