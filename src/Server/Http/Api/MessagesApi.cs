using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Delivery;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Http.Api;

/// <summary>POST /api/v1/messages?to=ADDRESS[&amp;from=ADDRESS]: one RFC 5322 message through the delivery of local mail.</summary>
static class MessagesApi
{
    /// <param name="Size">Bytes.</param>
    sealed record PutIn(string To, long Size);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("POST", "/messages", Permissions.MessagesWrite, About.Server, "Put one RFC 5322 message through the delivery of local mail", DeliverAsync) { Query = ["to", "from"], TakesType = "message/rfc822", Streams = true, Gives = typeof(PutIn), GivesType = "application/json" },
    ];

    static async Task DeliverAsync(HttpContext context)
    {
        if (!Names.TryAddress(context.Request.Query["to"].ToString(), out var recipient))
        {
            await context.RefuseAsync(Refusal.BadAddress.Because($"\"{context.Request.Query["to"]}\" is not a valid address"));
            return;
        }
        MailAddress? sender = null;
        if (context.Request.Query["from"].ToString() is { Length: > 0 } from && !MailAddress.TryParse(from, out sender))
        {
            await context.RefuseAsync(Refusal.BadAddress.Because($"\"{from}\" is not a valid address"));
            return;
        }
        using var message = context.Room<Spool>().Create();
        var largest = context.Room<Settings>().Smtp.MessageSize;
        var buffer = new byte[32 * 1024];
        var lines = new LineEnds(message);
        while (await context.Request.Body.ReadAsync(buffer, context.RequestAborted) is > 0 and var count)
        {
            lines.Append(buffer.AsSpan(0, count));
            if (message.Length > largest) { await context.RefuseAsync(Refusal.TooLarge.Because($"The message is larger than {Sizes.Show(largest)}")); return; }
        }
        lines.End();
        if (message.Length == 0) { await context.RefuseAsync(Refusal.Invalid.Because("There is no message on standard input; give one with < FILE")); return; }
        var refusal = await context.Room<LocalDelivery>().DeliverAsync(sender, recipient, message.Content, context.RequestAborted);
        if (refusal is not null) await context.RefuseAsync(refusal.Because($"{recipient}: {context.Say(refusal)}"));
        else await context.JsonAsync(new PutIn(recipient.ToString(), message.Length));
    }

    /// <summary>
    /// Files have the line ends of their system; a message has CRLF (RFC 5322 2.1). Every LF, CR and CRLF becomes one line end,
    /// so that nothing is stored that could not have come by SMTP.
    /// </summary>
    internal sealed class LineEnds(SpooledMessage message)
    {
        bool afterCr, inLine;

        public void Append(ReadOnlySpan<byte> bytes)
        {
            while (!bytes.IsEmpty)
            {
                if (afterCr)
                {
                    afterCr = false;
                    message.Append("\r\n"u8);
                    inLine = false;
                    if (bytes[0] == '\n') { bytes = bytes[1..]; continue; }
                }
                var length = bytes.IndexOfAny((byte)'\r', (byte)'\n');
                var text = length < 0 ? bytes : bytes[..length];
                if (!text.IsEmpty) { message.Append(text); inLine = true; }
                if (length < 0) return;
                if (bytes[length] == '\r') afterCr = true;
                else { message.Append("\r\n"u8); inLine = false; }
                bytes = bytes[(length + 1)..];
            }
        }

        public void End()
        {
            if (afterCr || inLine) message.Append("\r\n"u8);
            (afterCr, inLine) = (false, false);
        }
    }
}
