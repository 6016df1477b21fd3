using System.Buffers;
using System.Globalization;
using CbaMail.Envelope;
using CbaMail.Mime;
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

/// <summary>Delivery status notifications: what is known of the outcomes, put into a report (RFC 3464) that <see cref="ReportBuilder"/> writes.</summary>
public static class Bounce
{
    const int LongestWord = 900;

    /// <summary>The bytes of the notice, with CRLF; it is sent from &lt;&gt; (RFC 3461 6.1).</summary>
    public static byte[] Write(Notice notice)
    {
        var output = new ArrayBufferWriter<byte>(4096 + notice.Original.Length);
        new ReportBuilder
        {
            From = ("Почтовая служба / Mail delivery", "postmaster@" + notice.Hostname),
            To = ("", notice.Message.ReversePath!.ToString()),
            Subject = BounceText.Subject(notice.Kind),
            Date = notice.Now,
            MessageId = $"{notice.Id}.dsn@{notice.Hostname}",
            Text = BounceText.Of(notice),
            Status = new DeliveryStatus(notice.Hostname, [.. notice.Outcomes.Select(outcome => Status(notice, outcome))])
            {
                // RFC 3461 6.3 (a): decoded
                OriginalEnvelopeId = notice.Message.EnvelopeId is { } id ? Plain(Decode(id)) : null,
                ArrivalDate = notice.Message.Created,
                DeliverByDate = notice.Message.By?.Deadline,
                FutureReleaseRequest = notice.Message.HoldRequest,
            },
            Original = notice.Original,
            ReturnFull = notice.Whole,
        }.WriteTo(output);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>RFC 3464 2.3.</summary>
    static RecipientStatus Status(Notice notice, RecipientOutcome outcome)
    {
        var action = notice.Kind switch { NoticeKind.Failed => "failed", NoticeKind.Delayed => "delayed", NoticeKind.Delivered => "delivered", _ => "relayed" };
        // RFC 3464 2.3.6: what the peer said; our own findings are of no protocol
        var fromPeer = outcome.Host.Length > 0 && outcome.Reply.Length > 3 && outcome.Reply[..3].All(char.IsAsciiDigit);
        // RFC 2852 4.1.3: the time that was asked for is over, whatever the peer says
        var late = notice.Kind == NoticeKind.Delayed && notice.Message.By is { Return: false } by && by.Deadline <= outcome.At;
        return new RecipientStatus(outcome.Recipient.Address.ToString(), action, late ? "4.4.7" : outcome.Status)
        {
            // RFC 3464 2.3.1, with the address decoded (RFC 3461 6.3 (f))
            OriginalRecipient = outcome.Recipient.OriginalRecipient is { } original && original.IndexOf(';') is > 0 and var at
                ? $"{Plain(original[..at])}; {Plain(Decode(original[(at + 1)..]))}" : null,
            RemoteMta = outcome.Host.Length > 0 ? Plain(outcome.Host.Split('[')[0]) : null,
            DiagnosticType = fromPeer ? "smtp" : "x-cbamail",
            DiagnosticCode = Short(outcome.Reply),
            LastAttempt = outcome.At,
            FinalLogId = notice.Message.Id != 0 ? notice.Message.Id.ToString(CultureInfo.InvariantCulture) : null, // what went into a mailbox was in no queue
            WillRetryUntil = notice.Kind == NoticeKind.Delayed ? notice.Message.Expires : null,
        };
    }

    static string Plain(string text) => string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c > '~' ? '?' : c));

    // RFC 5322 2.1.1: lines of at most 998 octets
    static string Short(string reply) => string.Join(' ', reply.Split(' ').Select(word => word.Length > LongestWord ? word[..LongestWord] : word));

    /// <summary>RFC 3461 4: "+" and two hexadecimal digits stand for an octet.</summary>
    static string Decode(string text) => Xtext.Decode(text) ?? text;

    /// <summary>The header fields of a message, the empty line left off.</summary>
    public static ReadOnlyMemory<byte> Header(ReadOnlyMemory<byte> message)
    {
        var end = message.Span.IndexOf("\r\n\r\n"u8);
        return end < 0 ? message : message[..(end + 2)];
    }
}
