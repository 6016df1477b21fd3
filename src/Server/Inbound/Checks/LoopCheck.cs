using System.Text;
using CbaMail.Envelope;
using CbaMail.Mime;

namespace CbaMail.Inbound.Checks;

/// <summary>Whether the message has passed too many servers to be on its way anywhere (RFC 5321 6.3).</summary>
public sealed class LoopCheck(int hops) : Check
{
    public override ValueTask<Refusal?> AskAsync(Arrival arrival, CancellationToken cancel) =>
        ValueTask.FromResult(Count(arrival.Message.Span) > hops + 1 ? Refusal.LoopDetected : null); // one is our own

    internal static int Count(ReadOnlySpan<byte> message)
    {
        var count = 0;
        var reader = new HeaderReader(message);
        while (reader.Next(out var field))
            if (Ascii.EqualsIgnoreCase(message.Slice(field.Start, field.NameLength), "Received"u8)) count++;
        return count;
    }
}
