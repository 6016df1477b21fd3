using System.Buffers;
using System.Globalization;
using System.Text;
using CbaMail.Queue;

namespace CbaMail.Delivery;

/// <summary>What a notice says.</summary>
public enum NoticeKind { Failed, Delayed, Relayed, Delivered }

/// <summary>A notice to the sender of a message that was to leave.</summary>
/// <param name="Hostname">Ours.</param>
/// <param name="Id">Unique, for Message-ID and boundary: letters and digits.</param>
/// <param name="Original">The message, whole (RET=FULL) or its header fields.</param>
/// <param name="Whole">Whether <paramref name="Original"/> is the whole message.</param>
public sealed record Notice(
    NoticeKind Kind, QueuedMessage Message, IReadOnlyList<RecipientOutcome> Outcomes, string Hostname, string Id,
    DateTimeOffset Now, ReadOnlyMemory<byte> Original, bool Whole);

/// <summary>Writes delivery status notifications: multipart/report (RFC 6522) with message/delivery-status (RFC 3464), text in Russian and English.</summary>
public static class Bounce
{
    /// <summary>The bytes of the notice, with CRLF; it is sent from &lt;&gt; (RFC 3461 6.1).</summary>
    public static byte[] Write(Notice notice)
    {
        var output = new ArrayBufferWriter<byte>(4096 + notice.Original.Length);
        var boundary = $"=_dsn_{notice.Id}";
        var eightBit = notice.Original.Span.ContainsAnyExceptInRange((byte)0, (byte)127);
        var international = eightBit && HasUtf8Header(notice.Original.Span);

        var sender = notice.Message.ReversePath!.ToString();
        Line(output, $"From: {Word("Почтовая служба / Mail delivery")} <postmaster@{notice.Hostname}>");
        Line(output, $"To: {sender}");
        Line(output, $"Subject: {Word(Subject(notice.Kind))}");
        Line(output, $"Date: {Date(notice.Now)}");
        Line(output, $"Message-ID: <{notice.Id}.dsn@{notice.Hostname}>");
        // RFC 3834 5: no vacation notice answers it
        Line(output, "Auto-Submitted: auto-replied");
        if (OriginalId(notice.Original.Span) is { } original)
        {
            Line(output, $"In-Reply-To: {original}");
            Line(output, $"References: {original}");
        }
        Line(output, "MIME-Version: 1.0");
        Line(output, $"Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"{boundary}\"");
        if (eightBit) Line(output, "Content-Transfer-Encoding: 8bit");
        Line(output, "");

        Line(output, $"--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n");
        Line(output, Convert.ToBase64String(Encoding.UTF8.GetBytes(Text(notice)), Base64FormattingOptions.InsertLineBreaks));
        // RFC 6533 3: with addresses in UTF-8 the report is of the global kind
        var global = notice.Outcomes.Any(outcome => !outcome.Recipient.Address.IsAscii);
        Line(output, $"--{boundary}\r\nContent-Type: message/{(global ? "global-" : "")}delivery-status{(global ? "\r\nContent-Transfer-Encoding: 8bit" : "")}\r\n");
        Status(output, notice, global);
        Line(output, $"--{boundary}");
        Line(output, notice.Whole ? $"Content-Type: message/{(international ? "global" : "rfc822")}" : $"Content-Type: {(international ? "message/global-headers" : "text/rfc822-headers")}");
        if (eightBit) Line(output, "Content-Transfer-Encoding: 8bit");
        Line(output, "");
        output.Write(notice.Original.Span);
        if (!notice.Original.Span.EndsWith("\r\n"u8)) Line(output, "");
        Line(output, $"--{boundary}--");
        return output.WrittenSpan.ToArray();
    }

    static void Line(ArrayBufferWriter<byte> output, string text)
    {
        Encoding.UTF8.GetBytes(text, output);
        output.Write("\r\n"u8);
    }

    // RFC 2047 2: words of at most 75 characters; cut between characters
    static string Word(string text)
    {
        var words = new List<string>();
        var part = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (Encoding.UTF8.GetByteCount(part.ToString()) + rune.Utf8SequenceLength > 42)
            {
                words.Add(part.ToString());
                part.Clear();
            }
            part.Append(rune);
        }
        words.Add(part.ToString());
        return string.Join("\r\n ", words.Select(word => $"=?utf-8?B?{Convert.ToBase64String(Encoding.UTF8.GetBytes(word))}?="));
    }

    static string Subject(NoticeKind kind) => kind switch
    {
        NoticeKind.Failed => "Письмо не доставлено / Undelivered mail",
        NoticeKind.Delayed => "Доставка письма задерживается / Delayed mail",
        NoticeKind.Delivered => "Письмо доставлено / Mail delivered",
        _ => "Письмо передано / Mail relayed",
    };

    static string Date(DateTimeOffset time) => time.ToString("ddd, dd MMM yyyy HH:mm:ss ", CultureInfo.InvariantCulture) + time.ToString("zzz", CultureInfo.InvariantCulture).Replace(":", "");

    static string Text(Notice notice)
    {
        var (russian, english) = notice.Kind switch
        {
            NoticeKind.Failed => (
                "Ваше письмо не удалось доставить следующим получателям. Повторных попыток не будет.",
                "Your message could not be delivered to the following recipients. It will not be tried again."),
            NoticeKind.Delivered => (
                "Ваше письмо доставлено в почтовые ящики следующих получателей.",
                "Your message was delivered to the mailboxes of the following recipients."),
            NoticeKind.Delayed => (
                $"Ваше письмо пока не удалось доставить следующим получателям. Делать ничего не нужно: попытки продолжатся до {notice.Message.Expires:yyyy-MM-dd HH:mm zzz}.",
                $"Your message could not yet be delivered to the following recipients. You need not do anything: it will be tried until {notice.Message.Expires:yyyy-MM-dd HH:mm zzz}."),
            _ => (
                "Ваше письмо передано серверам следующих получателей. Эти серверы не сообщают о доставке, поэтому других уведомлений не будет.",
                "Your message was handed to the servers of the following recipients. Those servers do not report on delivery, so this is the last notice."),
        };
        var text = new StringBuilder();
        foreach (var (sentence, said) in (ReadOnlySpan<(string, string)>)[(russian, "Ответ"), (english, "Reply")])
        {
            text.Append(sentence).Append("\r\n\r\n");
            foreach (var outcome in notice.Outcomes)
            {
                text.Append("  ").Append(outcome.Recipient.Address).Append("\r\n    ").Append(said).Append(": ").Append(outcome.Reply);
                if (outcome.Host.Length > 0) text.Append(" (").Append(outcome.Host).Append(')');
                text.Append("\r\n");
            }
            text.Append("\r\n");
        }
        text.Append("-- \r\n").Append(notice.Hostname);
        if (notice.Message.Id != 0) text.Append(CultureInfo.InvariantCulture, $", {notice.Message.Id}");
        return text.Append("\r\n").ToString();
    }

    /// <summary>RFC 3464 2.2 and 2.3.</summary>
    static void Status(ArrayBufferWriter<byte> output, Notice notice, bool global)
    {
        Line(output, $"Reporting-MTA: dns; {notice.Hostname}");
        // RFC 3461 6.3 (a): decoded
        if (notice.Message.EnvelopeId is { } envelopeId) Line(output, $"Original-Envelope-Id: {Plain(Xtext(envelopeId))}");
        Line(output, $"Arrival-Date: {Date(notice.Message.Created)}");
        if (notice.Message.Id != 0) Line(output, $"X-Queue-Id: {notice.Message.Id}"); // what went into a mailbox was in no queue
        foreach (var outcome in notice.Outcomes)
        {
            Line(output, "");
            // RFC 3464 2.3.1, with the address decoded (RFC 3461 6.3 (f))
            if (outcome.Recipient.OriginalRecipient is { } original && original.IndexOf(';') is > 0 and var at)
                Line(output, $"Original-Recipient: {Plain(original[..at])}; {Plain(Xtext(original[(at + 1)..]))}");
            Line(output, $"Final-Recipient: {(global ? "utf-8" : "rfc822")}; {outcome.Recipient.Address}");
            Line(output, $"Action: {notice.Kind switch { NoticeKind.Failed => "failed", NoticeKind.Delayed => "delayed", NoticeKind.Delivered => "delivered", _ => "relayed" }}");
            Line(output, $"Status: {outcome.Status}");
            if (outcome.Host.Length > 0) Line(output, $"Remote-MTA: dns; {Plain(outcome.Host.Split('[')[0])}");
            // RFC 3464 2.3.6: what the peer said; our own findings are of no protocol
            var fromPeer = outcome.Host.Length > 0 && outcome.Reply.Length > 3 && outcome.Reply[..3].All(char.IsAsciiDigit);
            Line(output, $"Diagnostic-Code: {(fromPeer ? "smtp" : "x-cbamail")}; {Fold(Plain(outcome.Reply, ascii: !global))}");
            Line(output, $"Last-Attempt-Date: {Date(outcome.At)}");
            if (notice.Kind == NoticeKind.Delayed) Line(output, $"Will-Retry-Until: {Date(notice.Message.Expires)}");
        }
        Line(output, "");
    }

    static string Plain(string text, bool ascii = true) => string.Concat(text.Select(c => char.IsControl(c) ? ' ' : ascii && c > '~' ? '?' : c));

    // RFC 5322 2.1.1: lines of at most 998 octets
    static string Fold(string text)
    {
        var result = new StringBuilder();
        var column = 0;
        foreach (var word in text.Split(' '))
        {
            if (column > 0 && column + word.Length > 70)
            {
                result.Append("\r\n ");
                column = 1;
            }
            else if (column > 0) result.Append(' ');
            result.Append(word.Length > 900 ? word[..900] : word);
            column += word.Length + 1;
        }
        return result.ToString();
    }

    /// <summary>RFC 3461 4: "+" and two hexadecimal digits stand for an octet.</summary>
    static string Xtext(string text)
    {
        var bytes = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '+' && i + 2 < text.Length && byte.TryParse(text.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, null, out var value))
            {
                bytes.Add(value);
                i += 2;
            }
            else bytes.Add(text[i] < 0x80 ? (byte)text[i] : (byte)'?');
        }
        return Encoding.UTF8.GetString([.. bytes]);
    }

    /// <summary>The header fields of a message, the empty line left off.</summary>
    public static ReadOnlyMemory<byte> Header(ReadOnlyMemory<byte> message)
    {
        var end = message.Span.IndexOf("\r\n\r\n"u8);
        return end < 0 ? message : message[..(end + 2)];
    }

    static bool HasUtf8Header(ReadOnlySpan<byte> message)
    {
        var end = message.IndexOf("\r\n\r\n"u8);
        return (end < 0 ? message : message[..end]).ContainsAnyExceptInRange((byte)0, (byte)127);
    }

    static string? OriginalId(ReadOnlySpan<byte> message)
    {
        var reader = new Mime.HeaderReader(message);
        while (reader.Next(out var field))
        {
            if (!Ascii.EqualsIgnoreCase(message.Slice(field.Start, field.NameLength), "Message-ID"u8)) continue;
            // RFC 5322 2.2.3: long ones stand on a line of their own
            var value = Encoding.Latin1.GetString(message[field.ValueStart..field.End]).Trim();
            return value.Length is > 2 and < 900 && value[0] == '<' && value[^1] == '>' && Ascii.IsValid(value) && !value.Any(c => char.IsControl(c) || c == ' ') ? value : null;
        }
        return null;
    }
}
