using System.Collections.Concurrent;
using System.Globalization;
using CbaMail.Config;
using CbaMail.Correspondents;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Submission;

/// <summary>What an account has sent in an hour.</summary>
/// <param name="Hour">Hours since 1970.</param>
/// <param name="Fresh">Recipients that the account had never written to.</param>
public readonly record struct SentHour(long Hour, int Messages, int Recipients, int Fresh);

/// <summary>
/// How much an account may send in a day: messages, recipients, and recipients that it has never written to. A stolen password is worth
/// little then, and a person does not notice. Mailings do not come this way and are not counted.
///
/// Counted are the last 24 hours, hour by hour, in the commit that sends; so a restart forgets nothing, and the refusal can say when it ends.
/// </summary>
public sealed class SendLimits
{
    const int Hours = 24;

    readonly Store store;
    readonly TimeProvider time;
    readonly CorrespondentBook correspondents;
    readonly int messages, recipients, fresh;
    readonly ConcurrentDictionary<long, SentHour[]> sent = new(); // accounts that have sent since the start

    public SendLimits(Store store, CorrespondentBook correspondents, UserDirectory directory, Settings settings, TimeProvider time)
    {
        (this.store, this.correspondents, this.time) = (store, correspondents, time);
        (messages, recipients, fresh) = settings.Smtp.PerDay(settings.Evaluation);
        directory.AccountRemoving += (transaction, account) =>
        {
            SentTable.RemoveAccount(transaction, account.Id);
            transaction.OnCommitted(() => sent.TryRemove(account.Id, out _));
        };
    }

    bool IsOn => messages > 0 || recipients > 0 || fresh > 0;

    long Now => time.GetUtcNow().ToUnixTimeSeconds() / 3600;

    SentHour[] Of(long account) => sent.GetOrAdd(account, id =>
    {
        using var read = store.Read();
        return [.. SentTable.Of(read, id, Now - Hours)];
    });

    /// <summary>Whether the account may send another message; asked at MAIL.</summary>
    public Refusal? CheckMessage(Account account) =>
        messages > 0 ? Check(account, "messages", messages, 1, hour => hour.Messages) : null;

    /// <summary>Whether the message may have another recipient; asked at RCPT.</summary>
    /// <param name="soFar">Recipients of the message already.</param>
    /// <param name="freshSoFar">Those of them that the account has never written to.</param>
    /// <param name="isFresh">Whether it has never written to this one.</param>
    public Refusal? CheckRecipient(Account account, int soFar, int freshSoFar, bool isFresh)
    {
        if (recipients > 0 && Check(account, "recipients", recipients, soFar + 1, hour => hour.Recipients) is { } refusal) return refusal;
        return fresh > 0 && isFresh ? Check(account, "new recipients", fresh, freshSoFar + 1, hour => hour.Fresh) : null;
    }

    /// <summary>Whether the account has never written to the address. No question where nothing is limited.</summary>
    public bool IsFresh(Account account, MailAddress recipient) => fresh > 0 && !correspondents.IsKnown(account.Id, recipient);

    Refusal? Check(Account account, string what, int most, int more, Func<SentHour, int> count)
    {
        var now = Now;
        var hours = Of(account.Id);
        var total = more;
        foreach (var hour in hours)
            if (hour.Hour > now - Hours) total += count(hour);
        if (total <= most) return null;
        // until enough of the oldest hours have passed out of the day
        DateTimeOffset? end = null;
        foreach (var hour in hours)
        {
            if (hour.Hour <= now - Hours || total <= most) continue;
            total -= count(hour);
            end = DateTimeOffset.FromUnixTimeSeconds((hour.Hour + Hours) * 3600);
        }
        var when = total <= most && end is { } then ? $"; sending goes on at {then.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)} UTC" : $"; one message cannot have more than {most}";
        return new Refusal(450, "4.7.1", "LIMIT", 429, $"{account.Address} has reached its limit of {most} {what} in 24 hours{when}");
    }

    /// <summary>The account has sent; in the commit that sends.</summary>
    public void Record(WriteTransaction transaction, long account, IEnumerable<MailAddress> to)
    {
        var addresses = to.DistinctBy(address => address.Key).ToList();
        var added = new SentHour(Now, 1, addresses.Count, fresh > 0 ? CorrespondentBook.CountNew(transaction, account, addresses) : 0);
        foreach (var address in addresses) correspondents.RecordSent(transaction, account, address);
        if (!IsOn) return;
        var known = Of(account); // before this is durable, or it would be counted twice
        SentTable.Add(transaction, account, added);
        SentTable.Prune(transaction, account, added.Hour - Hours);
        transaction.OnCommitted(() => sent[account] = Plus(sent.GetValueOrDefault(account) ?? known, added));
    }

    static SentHour[] Plus(SentHour[] hours, SentHour added)
    {
        if (hours.Length > 0 && hours[^1].Hour == added.Hour)
        {
            var last = hours[^1];
            return [.. hours[..^1], new SentHour(added.Hour, last.Messages + added.Messages, last.Recipients + added.Recipients, last.Fresh + added.Fresh)];
        }
        return [.. hours.Where(hour => hour.Hour > added.Hour - Hours), added];
    }
}
