using System.Buffers;
using System.Globalization;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mime;
using CbaMail.Storage;

namespace CbaMail.Delivery;

/// <summary>Tells people by mail that their account ends soon, and disables those whose time is over; looks every minute.</summary>
sealed class AccountExpiry(UserDirectory directory, LocalDelivery delivery, TimeProvider time, ILogger<AccountExpiry> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMinutes(1), time);
        do
        {
            try { await LookAsync(stopping); }
            catch (Exception e) when (StoreTrouble.Of(e) is not null) { } // the store has told the log; in a minute again
            catch (Exception e) when (e is not OperationCanceledException) { LocalDeliveryTelemetry.ExpirySurprise(log, e); } // no surprise here stops the mail
        }
        while (await timer.WaitForNextTickAsync(stopping));
    }

    internal async Task LookAsync(CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        foreach (var account in directory.Expiring())
        {
            var expires = account.Profile.Expires!.Value;
            if (expires <= now)
            {
                // nobody could sign in since; now open sessions end too
                if (account.Enabled && (await directory.SetAccountAsync(account, new AccountChange(Enabled: false), cancel)).Ok) LocalDeliveryTelemetry.Expired(log, account.Address);
            }
            else if (account is { Enabled: true, Profile: { ExpiryNoticeDays: { } days } profile } && profile.ToldOfExpiry != expires && expires - now <= TimeSpan.FromDays(days))
            {
                // told twice rather than not at all
                if (await delivery.DeliverOwnAsync(new MailAddress("postmaster", account.Address.Domain), account.Address, Notice(account, expires, now), cancel) is { IsTemporary: true }) continue;
                await directory.SetAccountAsync(account, new AccountChange(Profile: now => now with { ToldOfExpiry = expires }), cancel);
            }
        }
    }

    static byte[] Notice(Account account, DateTimeOffset expires, DateTimeOffset now)
    {
        var zone = account.Profile.Zone is { } name && TimeZoneInfo.TryFindSystemTimeZoneById(name, out var found) ? found : TimeZoneInfo.Utc;
        var local = TimeZoneInfo.ConvertTime(expires, zone);
        var when = local.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) + (zone == TimeZoneInfo.Utc ? " UTC" : $" ({zone.Id})");
        var (subject, text) = account.Profile.Language == "ru"
            ? ($"Учётная запись {account.Address} будет отключена {when}",
                $"С {when} войти в учётную запись {account.Address} будет нельзя. Письма в ней сохранятся.\n\nЕсли она нужна вам дольше, обратитесь к администратору домена {account.Address.Domain}.\n")
            : ($"The account {account.Address} ends at {when}",
                $"From {when} on nobody can sign in as {account.Address}. Its mail stays.\n\nIf you need it for longer, ask the administrator of {account.Address.Domain}.\n");
        var message = new MessageBuilder
        {
            From = ("", "postmaster@" + account.Address.Domain),
            Subject = subject,
            Text = text,
            Date = now,
            MessageId = $"expiry.{account.Id}.{expires.ToUnixTimeSeconds()}@{account.Address.Domain}",
            EightBit = true,
        };
        message.To.Add((account.Name, account.Address.ToString()));
        message.Headers.Add(("Auto-Submitted", "auto-generated")); // RFC 3834 5
        var output = new ArrayBufferWriter<byte>(2048);
        message.WriteTo(output);
        return output.WrittenSpan.ToArray();
    }
}
