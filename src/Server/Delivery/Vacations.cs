using System.Buffers;
using System.Collections.Concurrent;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mime;
using CbaMail.Storage;

namespace CbaMail.Delivery;

/// <summary>
/// Answers for those who are away: to people who wrote to them by name, once in some days to each, and never to what a program sent
/// (RFC 3834 2, RFC 5230 4).
/// </summary>
public sealed class Vacations
{
    /// <summary>Senders that one account answers within an hour; the others are not told.</summary>
    const int MostAnHour = 100;

    readonly Store store;
    readonly UserDirectory directory;
    readonly TimeProvider time;
    readonly ConcurrentDictionary<(long, string), bool> underWay = new();

    public Vacations(Store store, UserDirectory directory, TimeProvider time)
    {
        (this.store, this.directory, this.time) = (store, directory, time);
        directory.AccountRemoving += (write, account) => VacationTable.Forget(write, account.Id);
    }

    /// <summary>Other words, or other days: everybody hears them anew.</summary>
    public ValueTask<bool> ForgetAsync(Account account, CancellationToken cancel) => store.CommitAsync(write =>
    {
        VacationTable.Forget(write, account.Id);
        return true;
    }, cancel);

    /// <summary>The answers that an order of mail calls for, once it has been placed.</summary>
    /// <param name="send">Places one of them.</param>
    internal async ValueTask AnswerAsync(DeliveryOrder order, Effects effects, Func<DeliveryOrder, ValueTask> send)
    {
        if (order.Junk || order.ReversePath is not { } sender || !effects.Rows.Exists(row => row.Account.Profile.Vacation is { Enabled: true })) return;
        var now = time.GetUtcNow();
        HeaderList? header = null;
        foreach (var row in effects.Rows)
        {
            if (directory.GetAccount(row.Account.Id) is not { Profile.Vacation: { } vacation } account || !vacation.IsOn(now) || order.Recipients[row.Recipient].IsCopy) continue;
            header ??= HeaderList.Parse(order.Message.Span);
            if (!IsPersonal(sender, header)) return;
            if (directory.MaySendAs(account, sender) || AddressedAs(account, vacation, header) is not { } own || !underWay.TryAdd((account.Id, sender.Key), true)) continue;
            try
            {
                if (Answered(account, sender) + vacation.Pause > now || IsFlooded(account, now)) continue;
                var targets = directory.IsLocal(sender) ? directory.Resolve(sender) : new Result<IReadOnlyList<Target>>([new Target(null, null, sender)], null);
                if (!targets.Ok) continue;
                await send(new DeliveryOrder
                {
                    // RFC 3834 3.3: nothing comes back of it
                    ReversePath = null,
                    Recipients = [new(sender, targets.Value, "NEVER")],
                    Message = Write(account, vacation, own, sender, header, now),
                    Id = order.Id,
                    Origin = "vacation of " + account.Address,
                    Alongside = write => VacationTable.Record(write, account.Id, sender.Key, now, now - vacation.Pause),
                });
            }
            finally { underWay.TryRemove((account.Id, sender.Key), out _); }
        }
    }

    // senders are easily made up, and each answer would go to somebody who has written nothing
    bool IsFlooded(Account account, DateTimeOffset now)
    {
        using var read = store.Read();
        return VacationTable.CountSince(read, account.Id, now.AddHours(-1)) >= MostAnHour;
    }

    DateTimeOffset? Answered(Account account, MailAddress sender)
    {
        using var read = store.Read();
        return VacationTable.Answered(read, account.Id, sender.Key);
    }

    // RFC 3834 2, RFC 5230 4.6: not what comes from lists, robots and keepers of servers
    static bool IsPersonal(MailAddress sender, HeaderList header)
    {
        var local = sender.LocalPart.ToLowerInvariant();
        if (local is "mailer-daemon" or "listserv" or "majordomo" or "postmaster" or "noreply" or "no-reply" or "donotreply" or "do-not-reply" || local.StartsWith("owner-", StringComparison.Ordinal)
            || local.EndsWith("-owner", StringComparison.Ordinal) || local.EndsWith("-request", StringComparison.Ordinal) || local.EndsWith("-bounces", StringComparison.Ordinal) || SenderRewriting.IsRewritten(sender.LocalPart)) return false;
        foreach (var field in header)
        {
            if (field.Name.StartsWith("List-", StringComparison.OrdinalIgnoreCase)) return false;
            if (field.Is("Auto-Submitted") && !field.RawValue.Trim().Equals("no", StringComparison.OrdinalIgnoreCase)) return false;
            if (field.Is("Precedence") && field.RawValue.Trim().ToLowerInvariant() is "bulk" or "junk" or "list") return false;
            if (field.Is("X-Auto-Response-Suppress") && (field.RawValue.Contains("OOF", StringComparison.OrdinalIgnoreCase) || field.RawValue.Contains("All", StringComparison.OrdinalIgnoreCase))) return false;
        }
        return true;
    }

    // RFC 5230 4.5: one of its own addresses must stand in the header; who is asked by a list or unseen is not answered for
    MailAddress? AddressedAs(Account account, Vacation vacation, HeaderList header)
    {
        foreach (var name in new[] { "To", "Cc", "Resent-To", "Resent-Cc" })
            foreach (var field in header.All(name))
                foreach (var mailbox in AddressList.Parse(field.Raw.Span).Mailboxes)
                    if (MailAddress.TryParse(mailbox.Address, out var address) && (IsOwn(account, address) || vacation.Addresses?.Contains(address.Key) == true))
                        return directory.MaySendAs(account, address) ? address : account.Address;
        return null;
    }

    // a group is not one's own, though its owner may write in its name
    bool IsOwn(Account account, MailAddress address) =>
        directory.FindGroup(address) is null && directory.Resolve(address) is { Ok: true, Value: var targets } && targets.Any(target => target.Account?.Id == account.Id && target.Group is null);

    static byte[] Write(Account account, Vacation vacation, MailAddress own, MailAddress sender, HeaderList header, DateTimeOffset now)
    {
        var inside = sender.DomainKey == account.Address.DomainKey && vacation.DomainText is not null;
        var subject = header.Value("Subject")?.Trim();
        var message = new MessageBuilder
        {
            From = (account.Name, own.ToString()),
            Subject = vacation.Subject ?? "Auto: " + (string.IsNullOrEmpty(subject) ? "" : subject.Length > 200 ? subject[..200] : subject), // RFC 5230 4.7
            Text = inside ? vacation.DomainText : vacation.Text,
            Html = inside ? null : vacation.Html,
            Date = now,
            MessageId = $"{Guid.NewGuid():N}@{own.Domain}",
        };
        message.To.Add(("", sender.ToString()));
        message.Headers.Add(("Auto-Submitted", "auto-replied (vacation)")); // RFC 3834 5, RFC 5230 5.4
        if (header.Find("Message-ID")?.RawValue.Trim() is { Length: > 2 and < 900 } id && id.All(c => c is > ' ' and < '\x7f'))
        {
            message.Headers.Add(("In-Reply-To", id));
            var before = header.Find("References")?.RawValue.Trim() ?? "";
            message.Headers.Add(("References", before.Length is > 0 and < 800 && before.All(c => c is >= ' ' and < '\x7f') ? before + " " + id : id));
        }
        var output = new ArrayBufferWriter<byte>(4096);
        message.WriteTo(output);
        return output.WrittenSpan.ToArray();
    }
}
