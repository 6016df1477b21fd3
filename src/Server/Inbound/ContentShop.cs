using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mime;
using CbaMail.Storage;

namespace CbaMail.Inbound;

/// <summary>Puts what a filter outside wants into effect: another text, other recipients, another sender.</summary>
sealed class ContentShop(Settings settings, Spool spool, UserDirectory directory)
{
    /// <summary>The longest body that a filter may put in the place of another.</summary>
    public long LongestBody => settings.Smtp.MessageSize + (1 << 20);

    /// <summary>The edited text becomes the message's.</summary>
    public void Write(Arrival arrival, MessageEdits edits)
    {
        if (!edits.IsChanged) return;
        var text = spool.Create();
        try
        {
            foreach (var piece in edits.Pieces()) text.Append(piece.Span);
        }
        catch
        {
            text.Dispose();
            throw;
        }
        arrival.Replace(text);
    }

    /// <returns>Why it cannot be done, or null.</returns>
    public string? AddRecipient(Arrival arrival, string text, string? notify = null, string? original = null)
    {
        if (!TryAddress(text, out var address) || address is null) return $"{Shown(text)} is no address";
        if (arrival.Recipients.Exists(r => r.Address.Key == address.Key)) return null;
        // a filter is the administrator's: it may send mail elsewhere, which a stranger may not
        var targets = directory.IsLocal(address) ? directory.Resolve(address) : new Result<IReadOnlyList<Target>>([new Target(null, null, address)], null);
        if (!targets.Ok) return $"{address}: {targets.Refusal.Sentence}";
        arrival.Recipients.Add(new ArrivalRecipient(address, notify, original) { Targets = targets.Value });
        return null;
    }

    public static string? RemoveRecipient(Arrival arrival, string text)
    {
        if (!TryAddress(text, out var address) || address is null) return $"{Shown(text)} is no address";
        return arrival.Recipients.RemoveAll(r => r.Address.Key == address.Key) > 0 ? null : $"{address} is no recipient";
    }

    public static string? SetSender(Arrival arrival, string text)
    {
        if (!TryAddress(text, out var address)) return $"{Shown(text)} is no address";
        arrival.Sender = address;
        return null;
    }

    /// <summary>An address in brackets or without; null for the null reverse-path.</summary>
    public static bool TryAddress(string text, out MailAddress? address)
    {
        text = text.Trim();
        if (text is "" or "<>")
        {
            address = null;
            return text.Length > 0;
        }
        if (text[0] == '<') return MailPath.Read(text, out address, out _, out var rest) == PathResult.Ok && rest.IsEmpty;
        return MailAddress.TryParse(text, out address);
    }

    static string Shown(string text) => "\"" + new string([.. text.Take(100).Select(c => char.IsControl(c) ? '?' : c)]) + "\"";
}
