using CbaMail.Mime;

namespace CbaMail.Mailboxes;

/// <summary>
/// The header fields that stand in a content's row as they stand in the message: those that clients list messages by and people search for.
/// Clients ask for them of every message when they first see a mailbox, and a row costs a tenth of what reading a body costs. Trace and signatures
/// are most of a header, and nobody lists them.
/// </summary>
public static class KeptFields
{
    /// <summary>A message whose fields are longer has none in its row.</summary>
    const int Most = 2048;

    // bodies stored before a name was added do not have its field: a longer list is a new column
    static readonly string[] names =
    [
        "From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Content-Type", "MIME-Version",
        "Priority", "X-Priority", "Importance", "Newsgroups", "List-Id", "List-Unsubscribe", "List-Post", "Disposition-Notification-To", "X-Mailer", "User-Agent",
        "X-TUID", "X-K9mail-Identity", "Chat-Version", "X-Uniform-Type-Identifier", "X-Universally-Unique-Identifier", "X-Spam-Flag", "X-Spam-Status", "Auto-Submitted",
    ];
    static readonly HashSet<string> known = new(names, StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a field of that name is kept.</summary>
    public static bool Has(string name) => known.Contains(name);

    /// <summary>The kept fields of a message; null where its header has to be asked.</summary>
    internal static byte[]? Of(ReadOnlySpan<byte> message, MimePart root)
    {
        if (root.BodyOffset > HeaderReader.MaxBytes) return null;
        var header = message[..(int)root.BodyOffset];
        if (!FieldChoice.IsPlain(header)) return null;
        var fields = new byte[header.Length + 2];
        var length = FieldChoice.Copy(header, names, named: true, fields);
        return length > Most ? null : fields[..length];
    }
}
