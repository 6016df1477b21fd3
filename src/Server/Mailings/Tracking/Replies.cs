using CbaMail.Envelope;
using CbaMail.Mime;
using CbaMail.Storage;

namespace CbaMail.Mailings.Tracking;

/// <summary>Somebody has answered a copy, or a program of his has.</summary>
public sealed record FoundReply(long LedgerId, string MessageId, bool IsAutomatic);

/// <summary>
/// Finds answers to mailings in what arrives: they name the copy in In-Reply-To or References (RFC 5322 3.6.4), whose Message-ID nobody can guess.
/// An answer is the reader's own, or a direct one that is not the sender's: he answers answers.
/// </summary>
public sealed class Replies(Store store, TimeProvider time)
{
    const int MostNamed = 50, LongestId = 500;

    /// <summary>The copy that a message answers, or null. Mail that names none costs a look through its header.</summary>
    /// <param name="fromNobody">It came under the null return path.</param>
    public FoundReply? Find(ReadOnlySpan<byte> message, bool fromNobody)
    {
        var end = message.IndexOf("\r\n\r\n"u8);
        var head = end < 0 ? message : message[..end];
        if (!NamesCopy(head)) return null;
        var header = HeaderList.Parse(message);
        if (header.Find("Content-Type") is { } type && type.RawValue.Contains("multipart/report", StringComparison.OrdinalIgnoreCase)) return null; // RFC 6522: a notice, no answer
        var direct = Ids(header, "In-Reply-To");
        var from = header.Addresses("From").Mailboxes.Select(mailbox => MailAddress.TryParse(mailbox.Address, out var address) ? address.Key : null).FirstOrDefault(key => key is not null);
        using var read = store.Read();
        foreach (var id in direct.Concat(Ids(header, "References").Reverse()).Distinct().Take(MostNamed))
        {
            if (CopyTable.Find(read, id) is not { } copy) continue;
            var his = MailAddress.TryParse(copy.Address, out var reader) && reader.Key == from;
            if (!his && (!direct.Contains(id) || from is null || MailAddress.TryParse(copy.Sender, out var sender) && sender.Key == from)) continue;
            var own = Ids(header, "Message-ID").FirstOrDefault("");
            return new(copy.LedgerId, own.Length > LongestId ? own[..LongestId] : own, fromNobody || IsAutomatic(header));
        }
        return null;
    }

    /// <summary>Whether a Message-ID as copies bear it is in the header.</summary>
    static bool NamesCopy(ReadOnlySpan<byte> head)
    {
        for (int at; (at = head.IndexOf("<m"u8)) >= 0; head = head[(at + 2)..])
            if (at + 2 < head.Length && char.IsAsciiDigit((char)head[at + 2])) return true;
        return false;
    }

    static IReadOnlyList<string> Ids(HeaderList header, string name) => header.Find(name) is { } field ? MessageId.ParseList(field.Raw.Span) : [];

    // RFC 3834 5, and what programs wrote before and beside it
    static bool IsAutomatic(HeaderList header) =>
        header.Find("Auto-Submitted") is { } auto && !auto.RawValue.Trim().StartsWith("no", StringComparison.OrdinalIgnoreCase)
        || header.Find("Precedence")?.RawValue.Trim().ToLowerInvariant() is "bulk" or "junk" or "list" or "auto_reply"
        || header.Find("X-Autoreply") is not null || header.Find("X-Autorespond") is not null;

    /// <summary>Notes it, in the transaction that places the answer; the same twice is one.</summary>
    public void Record(WriteTransaction write, FoundReply found)
    {
        var now = time.GetUtcNow();
        LedgerEventTable.Add(write, found.LedgerId, found.IsAutomatic ? "auto-replied" : "replied", found.MessageId, "", null, now, once: true);
        if (!found.IsAutomatic) LedgerEventTable.SetReplied(write, found.LedgerId, now);
    }
}
