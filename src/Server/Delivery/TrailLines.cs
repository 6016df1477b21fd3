using System.Text;
using CbaMail.Envelope;
using CbaMail.Mailboxes;
using CbaMail.Mime;
using CbaMail.Queue;
using CbaMail.Text;

namespace CbaMail.Delivery;

/// <summary>What was done with a message, as the trail keeps it: a line a recipient.</summary>
static class TrailLines
{
    /// <summary>One commit of an order.</summary>
    /// <param name="from">The first row of this commit.</param>
    /// <param name="end">Behind the last.</param>
    /// <param name="late">Rows that were refused and are tried again by the queue.</param>
    /// <param name="queued">What the queue has got first.</param>
    public static TrailEntry Of(
        DeliveryOrder order, Effects effects, string? messageId, int from, int end, List<(Effects.Row Row, Refusal Refusal)> refused, List<Effects.Row> late, (long Id, List<QueueRecipient> Recipients)? queued)
    {
        string lines;
        if (end - from == 1 && refused.Count == 0 && queued is null) lines = Line(order, effects.Rows[from]);
        else
        {
            var text = new StringBuilder();
            for (var i = from; i < end; i++)
            {
                var row = effects.Rows[i];
                if (late.Contains(row)) continue; // told as queued
                var refusal = refused.Count == 0 ? null : refused.Find(one => one.Row.Equals(row)).Refusal;
                Next(text).Append(refusal is null ? Line(order, row) : $"{order.Recipients[row.Recipient].Address}\trefused {refusal}");
            }
            if (queued is not null)
                foreach (var recipient in queued.Value.Recipients) Next(text).Append(recipient.Address).Append("\tqueued");
            if (text.Length == 0)
                foreach (var recipient in order.Recipients) Next(text).Append(recipient.Address).Append("\tread by the server");
            lines = text.ToString();
        }
        return new TrailEntry(TrailKind.Placed, order.Id, messageId, order.ReversePath?.ToString() ?? "", lines, order.Message.Length, queued?.Id, order.Door.Length > 0 ? order.Door : order.Origin, order.Verdict);
    }

    /// <summary>What was queued under a further id.</summary>
    public static TrailEntry OfQueued(DeliveryOrder order, MailAddress? sender, List<QueueRecipient> recipients, string? messageId, long queueId) =>
        new(TrailKind.Placed, order.Id, messageId, sender?.ToString() ?? "", string.Join('\n', recipients.Select(recipient => recipient.Address + "\tqueued")),
            order.Message.Length, queueId, order.Door.Length > 0 ? order.Door : order.Origin, order.Verdict);

    /// <summary>What a room of the server has read and answered.</summary>
    public static TrailEntry OfAnswered(DeliveryOrder order, List<DeliveryRecipient> recipients) =>
        new(TrailKind.Placed, order.Id, MessageFields.Of(order.Message.Span).MessageId, order.ReversePath?.ToString() ?? "", string.Join('\n', recipients.Select(recipient => recipient.Address + "\tread by the server")),
            order.Message.Length, null, order.Door.Length > 0 ? order.Door : order.Origin, order.Verdict);

    static StringBuilder Next(StringBuilder text) => text.Length > 0 ? text.Append('\n') : text;

    static string Line(DeliveryOrder order, Effects.Row row)
    {
        var (address, account) = (order.Recipients[row.Recipient].Address.ToString(), row.Account.Address.ToString());
        return string.Concat(address, order.Junk ? "\tjunk " : "\tmailbox ", account);
    }

    /// <summary>The subject for people, or null.</summary>
    public static string? Subject(ReadOnlySpan<byte> message)
    {
        var reader = new HeaderReader(message);
        while (reader.Next(out var field))
            if (Ascii.EqualsIgnoreCase(message.Slice(field.Start, field.NameLength), "Subject"u8))
                return LineFolding.Squeeze(EncodedWord.Decode(message[field.ValueStart..Math.Min(field.End, field.ValueStart + 2000)]));
        return null;
    }
}
