using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mime;

namespace CbaMail.Submission;

/// <summary>The one door for mail of our own people: whether they may send as they say, and what their message lacks.</summary>
public sealed class Submit(Settings settings, UserDirectory directory, TimeProvider time)
{
    readonly bool mustOwn = settings.Smtp.MustOwn(settings.Evaluation);

    /// <summary>Whether the account may use this reverse-path. The null one is for notices (RFC 5321 4.5.5).</summary>
    public Refusal? CheckSender(Account account, MailAddress? reversePath) =>
        reversePath is null || MaySendAs(account, reversePath) ? null
            : Refusal.MayNotSendAs.Because($"{account.Address} may not send from {reversePath}");

    /// <summary>
    /// Looks through the message: every From address must be the account's own, or nobody's in its domain (RFC 6409 6.1, RFC 5322 3.6.2);
    /// where <see cref="SmtpSettings.SenderMustOwn"/> is off, one of its domain.
    /// </summary>
    /// <returns>Whole header fields to put on top, or empty; or the refusal.</returns>
    public Result<byte[]> Prepare(Account account, ReadOnlySpan<byte> message)
    {
        bool from = false, date = false, id = false;
        var reader = new HeaderReader(message);
        while (reader.Next(out var field))
        {
            var name = message.Slice(field.Start, field.NameLength);
            if (Ascii.EqualsIgnoreCase(name, "Date"u8)) date = true;
            else if (Ascii.EqualsIgnoreCase(name, "Message-ID"u8)) id = true;
            else if (Ascii.EqualsIgnoreCase(name, "From"u8))
            {
                from = true;
                if (CheckFrom(account, message[field.ValueStart..field.End]) is { } refusal) return refusal;
            }
        }
        if (from && date && id) return Array.Empty<byte>();

        // RFC 6409 8.1, 8.2 and 8.3: what is missing may be added here and nowhere later
        var added = new StringBuilder();
        if (!date) added.Append("Date: ").Append(time.GetUtcNow().ToString("ddd, dd MMM yyyy HH:mm:ss '+0000'", CultureInfo.InvariantCulture)).Append("\r\n");
        if (!id) added.Append("Message-ID: <").Append(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))).Append('@').Append(settings.Hostname).Append(">\r\n");
        if (!from) added.Append("From: ").Append(AddressList.Format(account.Name, account.Address.ToString())).Append("\r\n");
        return Encoding.UTF8.GetBytes(added.ToString());
    }

    Refusal? CheckFrom(Account account, ReadOnlySpan<byte> value)
    {
        var any = false;
        foreach (var mailbox in AddressList.Parse(value).Mailboxes)
        {
            any = true;
            if (!MailAddress.TryParse(mailbox.Address, out var address) || !(MaySendAs(account, address) || IsNobodys(account, address)))
                return Refusal.MayNotSendAs.Because($"{account.Address} may not write as {Shown(mailbox.Address)} in From");
        }
        return any ? null : Refusal.MayNotSendAs.Because("The From field holds no address");
    }

    bool MaySendAs(Account account, MailAddress address) =>
        (!mustOwn && address.DomainKey == account.Address.DomainKey) || directory.MaySendAs(account, address);

    // office@, no-reply@: an address of the account's own domain that nobody has impersonates nobody
    bool IsNobodys(Account account, MailAddress address) =>
        address.DomainKey == account.Address.DomainKey && directory.Resolve(address).Refusal?.Status == Refusal.NoSuchUser.Status;

    static string Shown(string text) => new([.. text.Take(100).Select(c => char.IsControl(c) ? '?' : c)]);
}
