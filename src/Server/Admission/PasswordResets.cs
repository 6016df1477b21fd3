using System.Net;
using System.Text.Json;
using System.Threading.Channels;
using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Net;
using CbaMail.Storage;

namespace CbaMail.Admission;

/// <summary>A new password as somebody has chosen it by a link.</summary>
/// <param name="Code">Of his second factor, where he has one.</param>
/// <param name="EndsPrograms">Application passwords and keys of the API end too.</param>
public sealed record NewPassword(string? Token, string Password, string? Code, bool EndsPrograms);

/// <summary>
/// Back in by the recovery address. Whoever asks hears the same at once, whatever address he names: the asking is only noted, and what follows from
/// it happens later and elsewhere. A link works once; of several the newest alone.
/// </summary>
public sealed class PasswordResets(
    Store store, UserDirectory directory, SecondFactors factors, ApplicationPasswords applications, ApiKeys keys, SignInHistory history, AdmissionPost post, AuditLog log, Settings settings, TimeProvider time)
{
    const int MostWaiting = 1000;

    static readonly Refusal NoReset = Refusal.NoSuchThing.Because("This link is not valid: it was used, a newer one was sent, or its time is over. Ask for another");
    static readonly Refusal TooOften = Refusal.TooMany.Because("Too many attempts from this address; try again later");

    readonly TokenBuckets requests = new(settings.Admission.Resets(settings.Evaluation), time), wrongLinks = new(settings.Admission.WrongLinks(settings.Evaluation), time);

    // a flood waits for nobody: who is dropped asks again
    readonly Channel<(string Address, string Language, IPAddress From)> asked = Channel.CreateBounded<(string, string, IPAddress)>(new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Notes that somebody asks; null, unless he asks too often.</summary>
    public Refusal? Ask(string address, string language, IPAddress from)
    {
        if (requests.Take(ConnectionLimits.Household(from).ToString()) > TimeSpan.Zero) return TooOften;
        if (address.Length <= 320) asked.Writer.TryWrite((address, language, from));
        return null;
    }

    /// <summary>Answers those who have asked, one after the other.</summary>
    internal async Task WorkAsync(Action<Exception> failed, CancellationToken cancel)
    {
        await foreach (var (address, language, from) in asked.Reader.ReadAllAsync(cancel))
        {
            try { await SendAsync(address, language, from, cancel); }
            catch (Exception e) when (e is not OperationCanceledException) { failed(e); }
        }
    }

    async Task SendAsync(string text, string language, IPAddress from, CancellationToken cancel)
    {
        if (!Names.TryAddress(text, out var address) || directory.FindAccount(address) is not { } account || !(MayReset(account) || IsKeptElsewhere(account)) || !MailAddress.TryParse(account.Profile.Recovery!, out var to)) return;
        var now = time.GetUtcNow();
        var (token, digest) = OneTimeToken.Make();
        if (!await store.CommitAsync(write => RecoveryTable.AskReset(write, account.Id, digest, language, now + settings.Admission.ResetLasts, now.ToUnixTimeSeconds() / 86_400, settings.Admission.ResetsPerDay), cancel)) return;
        // told by mail alone: the page says the same of everybody
        if (!MayReset(account))
        {
            await post.SendAsync(account.Address.Domain, to, Letters.ResetElsewhere(language, account.Address.ToString()), null, cancel);
            return;
        }
        await post.SendAsync(account.Address.Domain, to, Letters.Reset(language, account.Address.ToString(), $"{settings.Admission.Root(settings)}/reset/{token}", (int)settings.Admission.ResetLasts.TotalMinutes), null, cancel);
        await RecordAsync(account, "POST /api/v1/password-reset", from);
    }

    /// <summary>A directory checks his password, and nobody can set it here.</summary>
    bool IsKeptElsewhere(Account account) => account is { Enabled: true, Profile: { Recovery.Length: > 0, Origin: not null } } && !directory.HasPassword(account)
        && directory.FindDomain(account.Address.Domain) is { Profile.PasswordReset: not false };

    /// <summary>Whether somebody may come back by his recovery address: he has one and a password of his own, and neither his domain nor his office forbids it.</summary>
    public bool MayReset(Account account) => account is { Enabled: true, Profile.Recovery.Length: > 0 } && directory.HasPassword(account)
        && settings.Admission.ResetFor.Any(role => Roles.Parse(role) == account.Role) && directory.FindDomain(account.Address.Domain) is { Profile.PasswordReset: not false };

    /// <summary>Whose link it is.</summary>
    public Result<(Account Account, bool NeedsCode)> Look(string? token, IPAddress from)
    {
        var who = ConnectionLimits.Household(from).ToString();
        if (wrongLinks.IsEmpty(who)) return TooOften;
        if (OneTimeToken.Read(token) is { } digest)
        {
            using var read = store.Read();
            if (RecoveryTable.Reset(read, digest) is var (id, _, expires) && expires > time.GetUtcNow() && directory.GetAccount(id) is { } account && MayReset(account)) return (account, factors.Has(account));
        }
        wrongLinks.Take(who);
        return NoReset;
    }

    /// <summary>Gives the account its new password; all sessions end.</summary>
    public async ValueTask<Result<Account>> UseAsync(NewPassword wanted, string language, IPAddress from, CancellationToken cancel)
    {
        var found = Look(wanted.Token, from);
        if (!found.Ok) return found.Refusal;
        var (account, needsCode) = found.Value;
        if (PasswordPolicy.Check(wanted.Password ?? "", account, settings.SignIn.PasswordLength) is { } weak) return weak;
        if (needsCode && string.IsNullOrWhiteSpace(wanted.Code)) return SecondFactors.Needed.At("code");
        if (needsCode && await factors.CheckAsync(account, wanted.Code!, cancel) is { } wrong) return wrong;
        if (!await store.CommitAsync(write => RecoveryTable.TakeReset(write, OneTimeToken.Read(wanted.Token)!), cancel)) return NoReset;
        var changed = await directory.SetAccountAsync(account, new(Password: wanted.Password, Profile: profile => profile with { MustChangePassword = null, MustChangeSince = null }), cancel);
        if (!changed.Ok) return changed;
        if (wanted.EndsPrograms)
            await store.CommitAsync(write =>
            {
                applications.RemoveAll(write, account);
                keys.RemoveAll(write, account);
                return true;
            }, cancel);
        history.Record(account, from, "web", "reset", succeeded: true);
        await RecordAsync(account, "POST /api/v1/password-reset/confirm", from);
        // wherever the true owner still reads, he hears of it
        var letter = Letters.Changed(language, account.Address.ToString(), time.GetUtcNow(), from.ToString());
        await post.SendAsync(account.Address.Domain, account.Address, letter, null, CancellationToken.None);
        if (MailAddress.TryParse(account.Profile.Recovery ?? "", out var elsewhere)) await post.SendAsync(account.Address.Domain, elsewhere, letter, null, CancellationToken.None);
        return changed;
    }

    ValueTask RecordAsync(Account account, string action, IPAddress from) => log.AppendAsync(new(
        time.GetUtcNow(), "recovery:" + account.Address, from.ToString(), action, "/api/v1/password-reset", 200, null, JsonSerializer.Serialize(new { address = account.Address.ToString() }, JsonSerializerOptions.Web)), CancellationToken.None);
}
