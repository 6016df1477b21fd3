using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mime;

namespace CbaMail.Delivery;

/// <summary>Asks addresses elsewhere whether they want the mail that somebody here would forward to them: a code is sent, and comes back by him.</summary>
public sealed class ForwardConfirmations(UserDirectory directory, LocalDelivery delivery, TimeProvider time)
{
    const int MostAnHour = 10, MostPending = 5;
    static readonly TimeSpan Life = TimeSpan.FromDays(2);

    readonly NoticeRate rate = new(MostAnHour, time);

    /// <summary>Those of them whose code is still good.</summary>
    public IReadOnlyList<PendingForward> PendingOf(Account account) => [.. Fresh(account.Profile)];

    IEnumerable<PendingForward> Fresh(AccountProfile profile) => (profile.PendingForwards ?? []).Where(one => one.Until > time.GetUtcNow());

    /// <summary>Codes of all others are good no more: their forwarding is not wanted any longer.</summary>
    public async ValueTask<Refusal?> KeepOnlyAsync(Account account, IReadOnlyList<MailAddress> targets, CancellationToken cancel) =>
        account.Profile.PendingForwards is not { } pending || pending.All(one => targets.Any(target => target.Key == one.Address)) ? null
        : (await directory.SetAccountAsync(account, new AccountChange(Profile: profile => profile with
        {
            PendingForwards = (profile.PendingForwards ?? []).Where(one => targets.Any(target => target.Key == one.Address)).ToList() is { Count: > 0 } left ? left : null,
        }), cancel)).Refusal;

    /// <summary>Sends each a code, and keeps what it was.</summary>
    public async ValueTask<Refusal?> AskAsync(Account account, IReadOnlyList<MailAddress> targets, CancellationToken cancel)
    {
        foreach (var target in targets)
        {
            if (!rate.Allows(account.Address.Key)) return Refusal.TooMany.Because("You have asked many addresses in this hour; try again later");
            var code = UserDirectory.RandomName();
            // a code that somebody gets is good: it is kept before it goes, beside those that others have asked for meanwhile
            var full = false;
            var kept = await directory.SetAccountAsync(account, new AccountChange(Profile: profile =>
            {
                var others = Fresh(profile).Where(one => one.Address != target.Key).ToList();
                full = others.Count >= MostPending;
                return full ? profile : profile with { PendingForwards = [.. others, new(target.Key, Digest(code), time.GetUtcNow() + Life)] };
            }), cancel);
            if (full) return Refusal.TooMany.Because($"At most {MostPending} addresses are asked at a time; wait until some have answered");
            if (!kept.Ok) return kept.Refusal;
            var order = new DeliveryOrder { ReversePath = null, Recipients = [new(target, [new Target(null, null, target)], "NEVER")], Message = Write(account, target, code), Origin = "forwarding of " + account.Address };
            if ((await delivery.DeliverAsync(order, cancel))[0] is { } refusal) return refusal;
        }
        return null;
    }

    /// <summary>Whether it is the code that was sent to the address.</summary>
    public bool IsRight(Account account, MailAddress target, string code) =>
        PendingOf(account).Any(one => one.Address == target.Key && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(one.Digest), Encoding.ASCII.GetBytes(Digest(code))));

    static string Digest(string code) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(code.Trim().ToLowerInvariant())));

    byte[] Write(Account account, MailAddress target, string code)
    {
        var message = new MessageBuilder
        {
            From = ("", "postmaster@" + account.Address.Domain),
            Subject = $"Пересылка с {account.Address} / Forwarding from {account.Address}",
            Date = time.GetUtcNow(),
            MessageId = $"{Guid.NewGuid():N}@{account.Address.Domain}",
            Text = $"""
                {account.Address} просит пересылать свою почту на {target}.
                Если вы согласны, передайте туда этот код: {code}
                Если вы ничего об этом не знаете, не делайте ничего.

                {account.Address} asks for its mail to be forwarded to {target}.
                If you agree, pass this code on to it: {code}
                If you know nothing of it, do nothing.

                """,
        };
        message.To.Add(("", target.ToString()));
        message.Headers.Add(("Auto-Submitted", "auto-generated")); // RFC 3834 5
        var output = new ArrayBufferWriter<byte>(2048);
        message.WriteTo(output);
        return output.WrittenSpan.ToArray();
    }
}
