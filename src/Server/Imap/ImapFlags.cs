using System.Text;
using CbaMail.Mailboxes;

namespace CbaMail.Imap;

/// <summary>Flags between the wire and <see cref="MessageFlags"/> (RFC 9051 2.3.2).</summary>
internal static class ImapFlags
{
    /// <summary>\Recent as a bit of our own, above those of the vault: it belongs to a session, not to a message (RFC 3501 2.3.2).</summary>
    public const byte Recent = 0x80;

    public const int MaxKeywordLength = 64;
    /// <summary>Keywords that one message may have.</summary>
    public const int MaxKeywords = Keywords.Most;

    public static readonly (MessageFlags Flag, string Name)[] Names =
    [
        (MessageFlags.Answered, "\\Answered"), (MessageFlags.Flagged, "\\Flagged"), (MessageFlags.Deleted, "\\Deleted"),
        (MessageFlags.Seen, "\\Seen"), (MessageFlags.Draft, "\\Draft"),
    ];

    /// <summary>"(\Seen \Recent" for each value of the flags byte, without what the keywords add and the closing parenthesis.</summary>
    public static readonly byte[][] Wire = [.. Enumerable.Range(0, 256).Select(WireOf)];

    /// <summary>The flag by its name in capitals without backslash; None for those that a client cannot set.</summary>
    public static MessageFlags System(string name) => name switch
    {
        "SEEN" => MessageFlags.Seen,
        "ANSWERED" => MessageFlags.Answered,
        "FLAGGED" => MessageFlags.Flagged,
        "DELETED" => MessageFlags.Deleted,
        "DRAFT" => MessageFlags.Draft,
        _ => MessageFlags.None,
    };

    static byte[] WireOf(int bits)
    {
        var words = Names.Where(n => (bits & (int)n.Flag) != 0).Select(n => n.Name);
        if ((bits & Recent) != 0) words = words.Append("\\Recent");
        return Encoding.ASCII.GetBytes("(" + string.Join(' ', words));
    }
}
