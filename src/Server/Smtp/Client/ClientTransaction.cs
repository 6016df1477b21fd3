using System.Globalization;
using System.Text;
using CbaMail.Envelope;

namespace CbaMail.Smtp.Client;

/// <summary>One mail transaction (RFC 5321 3.3): MAIL, RCPT, DATA in one flight where the peer pipelines (RFC 2920 3.1), else in turn.</summary>
internal sealed class ClientTransaction(SmtpClient client, ClientMessage message)
{
    readonly ClientReply?[] replies = new ClientReply?[message.Recipients.Count];
    readonly string[] addresses = new string[message.Recipients.Count];
    string sender = "";
    bool utf8;
    bool answered;
    bool dotSent;

    public async Task<ClientResult> RunAsync(CancellationToken cancel)
    {
        if (Prepare() is { } refusal) return All(refusal);
        if (Array.TrueForAll(replies, reply => reply is not null)) return Result();
        try
        {
            if (await EnvelopeAsync(cancel)) await ContentAsync(cancel);
        }
        catch (ClientFailure failure)
        {
            client.Usable = false;
            // A kept connection that the peer had closed: nothing of this message was seen.
            if (!answered && client.Kept) return new ClientResult([.. replies.Select(reply => reply ?? failure.Reply)], Begun: false);
            Fill(failure.Reply);
            return Result() with { Broken = !dotSent, Unclear = dotSent };
        }
        client.Kept = true;
        return Result();
    }

    /// <summary>What the peer's extensions forbid is seen before anything is sent.</summary>
    ClientReply? Prepare()
    {
        var offered = client.Extensions;
        // RFC 1870 6.1
        if (offered.MaxSize > 0 && message.Size > offered.MaxSize)
            return ClientReply.Local(552, "5.3.4", $"{client.Target} takes messages of at most {offered.MaxSize} bytes; this one has {message.Size}");
        if (message.By is { Return: true } by && OutOfTime(by) is { } untimely) return untimely;
        // RFC 6152 3
        if (message.EightBit && !offered.EightBitMime && client.Options.Times.ReturnEightBit)
            return ClientReply.Local(554, "5.6.3", $"{client.Target} does not take 8-bit text");
        utf8 = offered.SmtpUtf8 && (message.SmtpUtf8 || message.ReversePath is { IsAscii: false } || message.Recipients.Any(recipient => !recipient.Address.IsAscii));
        // RFC 6531 3.5: without the extension a message with UTF-8 in its header or reverse-path cannot go there
        if (!offered.SmtpUtf8 && message.SmtpUtf8) return ClientReply.Local(553, "5.6.7", $"{client.Target} does not take international header fields (SMTPUTF8)");
        if (Wire(message.ReversePath) is not { } path) return ClientReply.Local(553, "5.6.7", $"{client.Target} does not take international addresses (SMTPUTF8)");
        sender = path;
        for (var i = 0; i < addresses.Length; i++)
        {
            if (Wire(message.Recipients[i].Address) is { } address) addresses[i] = address;
            else replies[i] = ClientReply.Local(553, "5.6.7", $"{client.Target} does not take international addresses (SMTPUTF8)");
            // RFC 9422 4.2: the rest goes with the next transaction
            if (offered.MaxRecipients > 0 && i >= offered.MaxRecipients) replies[i] ??= ClientReply.Local(452, "4.5.3", "more recipients than the server takes at once");
        }
        return null;
    }

    /// <summary>RFC 2852 4.1.4.1: who does not know of deadlines, or of none as near, is not asked; and no other server of the domain is tried for it (RFC 2852 7).</summary>
    ClientReply? OutOfTime(ClientDeadline by)
    {
        var (offered, left) = (client.Extensions, by.Left());
        if (left <= 0) return ClientReply.Local(550, "5.4.7", "Not delivered within the time that was asked for");
        if (!offered.DeliverBy) return ClientReply.Local(550, "5.3.3", $"{client.Target} does not know of deadlines (DELIVERBY), and the message was to be returned rather than come late");
        return left < offered.MinimumBy ? ClientReply.Local(550, "5.3.3", $"{client.Target} takes no message that must be there within less than {offered.MinimumBy} seconds (DELIVERBY); {left} were left") : null;
    }

    /// <summary>The address as the peer can read it; null where only SMTPUTF8 could carry it.</summary>
    string? Wire(MailAddress? address)
    {
        if (address is null) return "";
        if (utf8 || address.IsAscii) return address.ToString();
        if (!Ascii.IsValid(address.LocalPart)) return null;
        try
        {
            // RFC 5891 4.4: only the domain is international, and that has an ASCII form
            return (address with { Domain = new IdnMapping().GetAscii(address.Domain) }).ToString();
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    string Mail()
    {
        var line = new StringBuilder("MAIL FROM:<").Append(sender).Append('>');
        if (client.Extensions.Size && message.Size > 0) line.Append(" SIZE=").Append(message.Size);
        if (message.EightBit && client.Extensions.EightBitMime) line.Append(" BODY=8BITMIME");
        if (utf8) line.Append(" SMTPUTF8");
        // RFC 8689 2: only where the session has what the option promises
        if (message.RequireTls && client.Extensions.RequireTls && client.IsProven) line.Append(" REQUIRETLS");
        // RFC 2852 4, RFC 6710 4
        if (message.By is { } by && client.Extensions.DeliverBy) line.Append(" BY=").Append(by.Word);
        if (message.Priority != 0 && client.Extensions.MtPriority) line.Append(" MT-PRIORITY=").Append(message.Priority);
        if (client.Extensions.Dsn)
        {
            // RFC 3461 5.2.1: passed on as they came
            if (IsWord(message.Return)) line.Append(" RET=").Append(message.Return);
            if (IsWord(message.EnvelopeId)) line.Append(" ENVID=").Append(message.EnvelopeId);
        }
        return line.Append("\r\n").ToString();
    }

    string Rcpt(int i)
    {
        var line = new StringBuilder("RCPT TO:<").Append(addresses[i]).Append('>');
        if (client.Extensions.Dsn)
        {
            if (Notify(message.Recipients[i].Notify) is { } notify && IsWord(notify)) line.Append(" NOTIFY=").Append(notify);
            if (IsWord(message.Recipients[i].OriginalRecipient)) line.Append(" ORCPT=").Append(message.Recipients[i].OriginalRecipient);
        }
        return line.Append("\r\n").ToString();
    }

    /// <summary>RFC 2852 4.1.4.2: who knows nothing of the deadline is to tell of delays in its place.</summary>
    string? Notify(string? notify) =>
        message.By is not { Return: false } by || client.Extensions.DeliverBy || message.ReversePath is null || by.Left() <= 0 ? notify
        : string.IsNullOrEmpty(notify) ? "FAILURE,DELAY"
        : notify.Split(',').Any(word => word.Equals("NEVER", StringComparison.OrdinalIgnoreCase) || word.Equals("DELAY", StringComparison.OrdinalIgnoreCase)) ? notify
        : notify + ",DELAY";

    // nothing that could begin another parameter or line
    static bool IsWord(string? text) => !string.IsNullOrEmpty(text) && text.All(c => c is > ' ' and < '\x7f');

    /// <returns>Whether the peer waits for the content.</returns>
    async Task<bool> EnvelopeAsync(CancellationToken cancel)
    {
        var asked = Enumerable.Range(0, replies.Length).Where(i => replies[i] is null).ToArray();
        return client.Extensions.Pipelining ? await FlightAsync(asked, cancel) : await InTurnAsync(asked, cancel);
    }

    async Task<bool> FlightAsync(int[] asked, CancellationToken cancel)
    {
        var flight = new StringBuilder(client.NeedsReset ? "RSET\r\n" : "").Append(Mail());
        foreach (var i in asked) flight.Append(Rcpt(i));
        flight.Append("DATA\r\n");
        await client.Wire.WriteAsync(Encoding.UTF8.GetBytes(flight.ToString()), client.Options.Times.CommandTimeout, "MAIL", cancel);

        if (client.NeedsReset) await ReadAsync("RSET", cancel);
        client.NeedsReset = false;
        var mail = await ReadAsync("MAIL", cancel);
        foreach (var i in asked)
        {
            var reply = await ReadAsync("RCPT", cancel);
            if (!mail.IsPositive) reply = mail; // 503 for the recipients says nothing
            if (!reply.IsPositive) replies[i] = AsTooMany(reply);
        }
        var data = await client.Wire.ReadAsync(client.Options.Times.DataTimeout, "DATA", cancel);
        var accepted = asked.Any(i => replies[i] is null);
        if (data.Code == 354 && !accepted)
        {
            // RFC 2920 3.1: a peer that says 354 without any recipient gets an empty message
            await client.Wire.WriteAsync(".\r\n"u8.ToArray(), client.Options.Times.BlockTimeout, "DATA", cancel);
            Closing(await client.Wire.ReadAsync(client.Options.Times.FinalTimeout, "DATA", cancel));
            return false;
        }
        return Data(data, accepted);
    }

    async Task<bool> InTurnAsync(int[] asked, CancellationToken cancel)
    {
        if (client.NeedsReset)
        {
            await client.LineAsync("RSET", cancel);
            await ReadAsync("RSET", cancel);
            client.NeedsReset = false;
        }
        await WriteAsync(Mail(), cancel);
        var mail = await ReadAsync("MAIL", cancel);
        if (!mail.IsPositive)
        {
            Fill(mail);
            return false;
        }
        client.NeedsReset = true;
        foreach (var i in asked)
        {
            await WriteAsync(Rcpt(i), cancel);
            var reply = await ReadAsync("RCPT", cancel);
            if (!reply.IsPositive) replies[i] = AsTooMany(reply);
        }
        if (!asked.Any(i => replies[i] is null)) return false;
        await WriteAsync("DATA\r\n", cancel);
        return Data(await client.Wire.ReadAsync(client.Options.Times.DataTimeout, "DATA", cancel), accepted: true);
    }

    /// <summary>RFC 5321 4.5.3.1.10: an old server says 552 where it means that the others are to go with the next transaction; a full mailbox is another matter.</summary>
    static ClientReply AsTooMany(ClientReply reply) =>
        reply.Code == 552 && (reply.Status == "5.5.3" || reply.Text.Contains("too many recipients", StringComparison.OrdinalIgnoreCase)) ? reply with { Code = 452, Status = "4.5.3" } : reply;

    Task WriteAsync(string line, CancellationToken cancel) =>
        client.Wire.WriteAsync(Encoding.UTF8.GetBytes(line), client.Options.Times.CommandTimeout, "command", cancel);

    async Task<ClientReply> ReadAsync(string what, CancellationToken cancel)
    {
        var reply = await client.Wire.ReadAsync(client.Options.Times.CommandTimeout, what, cancel);
        Closing(reply);
        answered = true;
        return reply;
    }

    bool Data(ClientReply data, bool accepted)
    {
        if (data.Code == 354) return true;
        Closing(data);
        client.NeedsReset = true;
        if (accepted) Fill(data.IsPositive ? ClientReply.Local(451, "4.5.0", $"{client.Target} answered DATA with {data}") : data);
        return false;
    }

    /// <summary>RFC 5321 3.8: 421 at any time ends the connection; what is not answered is tried again.</summary>
    void Closing(ClientReply reply)
    {
        if (reply.IsClosing) throw new ClientFailure(reply);
    }

    async Task ContentAsync(CancellationToken cancel)
    {
        using var writer = new DataWriter((bytes, stop) => client.Wire.WriteAsync(bytes, client.Options.Times.BlockTimeout, "message", stop));
        try
        {
            await message.Write(writer, cancel);
            if (message.BeforeDot is { } before) await before();
        }
        catch
        {
            // Without the dot the peer must not take it (RFC 5321 4.1.1.4): the connection is given up.
            client.Usable = false;
            throw;
        }
        dotSent = true;
        await writer.FinishAsync(cancel);
        var reply = await client.Wire.ReadAsync(client.Options.Times.FinalTimeout, "end of message", cancel);
        client.Messages++;
        client.NeedsReset = false;
        if (reply.IsClosing) client.Usable = false;
        Fill(reply.Code is >= 300 and < 400 ? ClientReply.Local(451, "4.5.0", $"{client.Target} answered the message with {reply}") : reply);
    }

    void Fill(ClientReply reply)
    {
        for (var i = 0; i < replies.Length; i++) replies[i] ??= reply;
    }

    ClientResult All(ClientReply reply)
    {
        Fill(reply);
        return Result();
    }

    ClientResult Result() => new([.. replies.Select(reply => reply!)]);
}
