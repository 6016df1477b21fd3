using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.MailAuth;
using CbaMail.Mime;

namespace CbaMail.Submission;

/// <summary>The one door for mail of our own people: whether they may send as they say, and what their message lacks.</summary>
public sealed class Submit(Settings settings, UserDirectory directory, TimeProvider time)
{
    // as SmtpSettings.SenderMustOwn says
    readonly bool anySenderOfDomain = !settings.Smtp.MustOwn(settings.Evaluation);
    readonly bool anyFromOfDomain = settings.Smtp.SenderMustOwn == false;
    readonly bool unusedFrom = settings.Smtp.SenderMustOwn is null && settings.Evaluation;

    readonly string authservId = settings.Authentication.AuthservId is { Length: > 0 } id ? id : settings.Hostname;

    static readonly Refusal SeveralFrom = Refusal.MayNotSendAs.Because("The message has several From fields; it must have one (RFC 5322 3.6)");
    static readonly Refusal HiddenFrom = Refusal.MayNotSendAs.Because("A From field stands behind a line that is no header field; correct that line");

    /// <summary>Whether the account may use this reverse-path. The null one is for notices (RFC 5321 4.5.5).</summary>
    public Refusal? CheckSender(Account account, MailAddress? reversePath) =>
        account.Policy.ReceiveOnly == true ? Refusal.MayNotSendAs.Because($"{account.Address} only receives; ask its administrator")
        : reversePath is null || directory.MaySendAs(account, reversePath) || (anySenderOfDomain && IsOfDomain(account, reversePath)) ? null
            : Refusal.MayNotSendAs.Because($"{account.Address} may not send from {reversePath}");

    /// <summary>
    /// Looks through the message: every From address must be the account's own, by name, alias or policy (RFC 6409 6.1, RFC 5322 3.6.2),
    /// or what <see cref="SmtpSettings.SenderMustOwn"/> allows beyond that; and so must Sender and those who send again, as readers show them too.
    /// </summary>
    /// <returns>What is to be changed in it; or the refusal.</returns>
    public Result<Completion> Prepare(Account account, ReadOnlySpan<byte> message)
    {
        bool from = false, date = false, id = false, sender = false, onBehalf = false;
        List<FieldSpan>? removed = null;
        var reader = new HeaderReader(message);
        while (reader.Next(out var field))
        {
            var name = message.Slice(field.Start, field.NameLength);
            if (Ascii.EqualsIgnoreCase(name, "Date"u8)) date = true;
            else if (Ascii.EqualsIgnoreCase(name, "Message-ID"u8)) id = true;
            else if (Ascii.EqualsIgnoreCase(name, "From"u8))
            {
                // RFC 5322 3.6: one, as readers differ in which of several they show
                if (from) return SeveralFrom;
                from = true;
                if (CheckFrom(account, message[field.ValueStart..field.End], ref onBehalf) is { } refusal) return refusal;
            }
            else if (SaysWhoSent(name))
            {
                sender |= Ascii.EqualsIgnoreCase(name, "Sender"u8);
                if (CheckSent(account, Encoding.ASCII.GetString(name), message[field.ValueStart..field.End]) is { } refusal) return refusal;
            }
            // RFC 8601 5: nobody here judges mail in the server's name but the server
            else if (Ascii.EqualsIgnoreCase(name, "Authentication-Results"u8) && AuthenticationResults.ClaimsToBeOf(message[field.ValueStart..field.End], authservId)) (removed ??= []).Add(field);
            else if (Ascii.EqualsIgnoreCase(name, "Bcc"u8) || (settings.Smtp.HideClient && TellsOfTheClient(name))) (removed ??= []).Add(field);
        }
        // what stands behind a line that is no field others take for fields all the same
        if (!reader.EndedCleanly && BrokenHeader.Further(message, reader.Position, "From"u8).Count > 0) return HiddenFrom;
        var footer = FooterOf(account);
        var lacksSender = onBehalf && !sender;
        if (from && date && id && !lacksSender) return removed is null && footer is null ? Completion.Nothing : new Completion([], removed ?? [], footer);

        // RFC 6409 8.1, 8.2 and 8.3: what is missing may be added here and nowhere later
        var added = new StringBuilder();
        if (!date) added.Append("Date: ").Append(time.GetUtcNow().ToString("ddd, dd MMM yyyy HH:mm:ss '+0000'", CultureInfo.InvariantCulture)).Append("\r\n");
        if (!id) added.Append("Message-ID: <").Append(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))).Append('@').Append(settings.Hostname).Append(">\r\n");
        if (!from) added.Append("From: ").Append(AddressList.Format(account.Name, account.Address.ToString())).Append("\r\n");
        // RFC 5322 3.6.2: who has written where it is not the author
        if (lacksSender) added.Append("Sender: ").Append(AddressList.Format(account.Name, account.Address.ToString())).Append("\r\n");
        return new Completion(Encoding.UTF8.GetBytes(added.ToString()), removed ?? [], footer);
    }

    // what programs tell of themselves and of the machine that they run on
    static bool TellsOfTheClient(ReadOnlySpan<byte> name) =>
        Ascii.EqualsIgnoreCase(name, "User-Agent"u8) || Ascii.EqualsIgnoreCase(name, "X-Mailer"u8) || Ascii.EqualsIgnoreCase(name, "X-Originating-IP"u8)
        || Ascii.EqualsIgnoreCase(name, "X-PHP-Originating-Script"u8) || Ascii.EqualsIgnoreCase(name, "X-Source-Args"u8);

    Footer? FooterOf(Account account)
    {
        var policy = directory.DomainPolicy(account);
        return policy.FooterText is { } text && policy.FooterExcept?.Contains(account.Address.ToString()) != true ? new Footer(text, policy.FooterHtml) : null;
    }

    /// <summary>Who gets a copy of what the account sends, by its own policy and its domain's; nobody is told of it.</summary>
    public IEnumerable<(MailAddress Address, IReadOnlyList<Target> Targets)> Copies(Account account)
    {
        var policy = directory.GetAccount(account.Id)?.Policy ?? account.Policy;
        foreach (var text in (policy.BccOutgoing ?? []).Union(directory.DomainPolicy(account).BccOutgoing ?? [], StringComparer.Ordinal))
        {
            if (!MailAddress.TryParse(text, out var address)) continue;
            if (!directory.IsLocal(address)) yield return (address, [new Target(null, null, address)]);
            else if (directory.Resolve(address) is { Ok: true, Value: var targets }) yield return (address, targets);
        }
    }

    Refusal? CheckFrom(Account account, ReadOnlySpan<byte> value, ref bool onBehalf)
    {
        var any = false;
        foreach (var mailbox in AddressList.Parse(value).Mailboxes)
        {
            any = true;
            if (MailAddress.TryParse(mailbox.Address, out var address) && MayWriteAs(account, address)) continue;
            if (address is not null && directory.MaySendOnBehalf(account, address)) onBehalf = true;
            else
                return Refusal.MayNotSendAs.Because($"{account.Address} may not write as {Shown(mailbox.Address)} in From");
        }
        return any ? null : Refusal.MayNotSendAs.Because("The From field holds no address");
    }

    // RFC 5322 3.6.2, 3.6.6
    static bool SaysWhoSent(ReadOnlySpan<byte> name) =>
        Ascii.EqualsIgnoreCase(name, "Sender"u8) || Ascii.EqualsIgnoreCase(name, "Resent-From"u8) || Ascii.EqualsIgnoreCase(name, "Resent-Sender"u8);

    Refusal? CheckSent(Account account, string name, ReadOnlySpan<byte> value)
    {
        if (!settings.Smtp.MustOwn(settings.Evaluation)) return null;
        foreach (var mailbox in AddressList.Parse(value).Mailboxes)
            if (!MailAddress.TryParse(mailbox.Address, out var address) || !directory.MaySendAs(account, address))
                return Refusal.MayNotSendAs.Because($"{account.Address} may not write as {Shown(mailbox.Address)} in {name}");
        return null;
    }

    bool MayWriteAs(Account account, MailAddress address) =>
        directory.MaySendAs(account, address) || (IsOfDomain(account, address) && (anyFromOfDomain || (unusedFrom && IsNobodys(address))));

    static bool IsOfDomain(Account account, MailAddress address) => address.DomainKey == account.Address.DomainKey;

    bool IsNobodys(MailAddress address) => directory.Resolve(address).Refusal?.Status == Refusal.NoSuchUser.Status;

    static string Shown(string text) => new([.. text.Take(100).Select(c => char.IsControl(c) ? '?' : c)]);
}
