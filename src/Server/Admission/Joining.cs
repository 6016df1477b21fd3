using System.Net;
using System.Text.Json;
using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Courses;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Net;
using CbaMail.Storage;

namespace CbaMail.Admission;

/// <summary>What somebody without an account asks for.</summary>
/// <param name="Token">Of an invitation; null: he signs up at <paramref name="Domain"/>.</param>
/// <param name="LocalPart">That he picks; of no account where it is given.</param>
/// <param name="Recovery">Where he gets his answer, and a new password one day.</param>
public sealed record Applicant(string? Token, string? Domain, string LocalPart, string Name, string Password, string Recovery, string Language);

/// <summary>What became of it.</summary>
/// <param name="Address">The new one.</param>
/// <param name="Account">Null: somebody has to say yes first.</param>
public sealed record Joined(MailAddress Address, Account? Account);

/// <summary>
/// Takes people in: by a link at once or after somebody's yes, without one only so, and where the domain is open. A link is used as often as its
/// invitation says and not once more: that is settled in the commit that makes the account.
/// </summary>
public sealed class Joining(
    Store store, UserDirectory directory, Invitations invitations, SignUps signUps, RecoveryAddresses recovery, CourseRegister courses, PasswordHashing hashing, Secrets secrets, AuditLog log, Settings settings, TimeProvider time)
{
    readonly TokenBuckets attempts = new(settings.Admission.Joins(settings.Evaluation), time), wrongLinks = new(settings.Admission.WrongLinks(settings.Evaluation), time);

    // as the rest of the log: Cyrillic can be read, and found
    static readonly JsonSerializerOptions readable = new(JsonSerializerDefaults.Web) { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    static readonly Refusal TooOften = Refusal.TooMany.Because("Too many attempts from this address; try again later");
    static readonly Refusal NoDomain = Refusal.NoSuchThing.Because("Nobody can sign up here without an invitation");

    /// <summary>The domains at which anybody may ask to be let in.</summary>
    public IReadOnlyList<Domain> OpenDomains => [.. directory.ListDomains().Where(domain => domain is { AliasOf: null, Profile.SignUp: "approval" })];

    /// <summary>What a link leads to. Whoever tries many that are none is not heard any more.</summary>
    public Result<OpenInvitation> Look(string? token, IPAddress from)
    {
        var who = ConnectionLimits.Household(from).ToString();
        if (wrongLinks.IsEmpty(who)) return TooOften;
        var found = invitations.Open(token);
        if (!found.Ok) wrongLinks.Take(who);
        return found;
    }

    public async ValueTask<Result<Joined>> JoinAsync(Applicant who, IPAddress from, CancellationToken cancel)
    {
        OpenInvitation? open = null;
        if (who.Token is not null)
        {
            var found = Look(who.Token, from);
            if (!found.Ok) return found.Refusal;
            open = found.Value;
        }
        if (attempts.Take(ConnectionLimits.Household(from).ToString()) > TimeSpan.Zero) return TooOften;
        var domain = open?.Domain ?? OpenDomains.FirstOrDefault(one => Names.TryDomain(who.Domain ?? "", out var name) && one.Name == name);
        if (domain is null) return NoDomain;
        var needsYes = open?.Invitation.Approval ?? true;
        var read = Read(who, open, domain, needsYes);
        if (!read.Ok) return read.Refusal;
        var applicant = read.Value;
        // told only to who has been invited: of an open domain nobody learns by this door who is there
        if (open is not null && directory.Precheck(new(applicant.Address.ToString(), applicant.Name)) is { } taken) return taken.At("localPart");
        var hash = await hashing.SecretsAsync(who.Password, inBulk: false, cancel);
        var source = from.ToString();
        var result = needsYes ? await WaitAsync(applicant, hash, open, domain, source, cancel) : await MakeAsync(applicant, hash, open!, source, cancel);
        if (result.Ok && result.Value.Account is { } account && applicant.Recovery.Length > 0 && !applicant.IsProven) await recovery.AskAsync(account, applicant.Recovery, applicant.Language, cancel);
        return result;
    }

    /// <param name="IsProven">The link itself came to the recovery address.</param>
    sealed record Checked(MailAddress Address, string Name, string Recovery, bool IsProven, string Language);

    Result<Checked> Read(Applicant who, OpenInvitation? open, Domain domain, bool needsRecovery)
    {
        var local = open?.Invitation.Local ?? "";
        if (local.Length == 0)
        {
            var picked = LocalPartRules.Pick(who.LocalPart ?? "", open?.Invitation.Pattern ?? "");
            if (!picked.Ok) return picked.Refusal;
            local = picked.Value;
        }
        var address = new MailAddress(local, domain.Name);
        var name = (who.Name ?? "").Trim();
        if (name.Length is 0 or > 100 || name.Any(char.IsControl)) return Refusal.Invalid.Because("A name has 1 to 100 characters").At("name");
        // it is shown to those who decide, and in their mail
        if (name.Contains("://", StringComparison.Ordinal) || name.AsSpan().IndexOfAny("<>\"@") >= 0 || name.Contains("www.", StringComparison.OrdinalIgnoreCase)) return Refusal.Invalid.Because("A name holds no addresses and no signs like < and >").At("name");
        if (PasswordPolicy.Check(who.Password ?? "", new(0, domain.Id, address, name, Role.User, 0, "", true, default), settings.SignIn.PasswordLength) is { } weak) return weak;
        var elsewhere = (who.Recovery ?? "").Trim();
        if (elsewhere.Length == 0 && needsRecovery) return Refusal.Invalid.Because("Give an address where the answer can be sent").At("recovery");
        if (elsewhere.Length > 0)
        {
            var normal = Recovery.Normal(elsewhere, address);
            if (!normal.Ok) return normal.Refusal.At("recovery");
            elsewhere = normal.Value;
        }
        var proven = open is { SentTo.Length: > 0 } && MailAddress.TryParse(open.SentTo, out var sent) && MailAddress.TryParse(elsewhere, out var given) && sent.Key == given.Key;
        return new Checked(address, name, elsewhere, proven, who.Language is "ru" or "en" ? who.Language : "en");
    }

    async ValueTask<Result<Joined>> MakeAsync(Checked who, PasswordSecrets password, OpenInvitation open, string source, CancellationToken cancel) => await store.CommitAsync<Result<Joined>>(write =>
    {
        // the rule that counts: what others have taken a moment ago is seen here, and nowhere before
        if (AdmissionTable.Find(write, open.Invitation.Id) is not { } now || !invitations.IsOpen(now)) return Invitations.NoInvitation;
        var added = Add(write, who, password, now, who.IsProven ? who.Recovery : null);
        if (!added.Ok) return added.Refusal;
        AdmissionTable.Use(write, now.Id, new(time.GetUtcNow(), who.Address.ToString(), source));
        Record(write, who, open, source, waits: false);
        return new Joined(who.Address, added.Value);
    }, cancel);

    Result<Account> Add(WriteTransaction write, Checked who, PasswordSecrets password, Invitation? invitation, string? recovery)
    {
        var wanted = new NewAccount(who.Address.ToString(), who.Name, Quota: invitation?.Quota, Groups: invitation?.Groups ?? "") { Profile = recovery is null ? AccountProfile.None : new() { Recovery = recovery } };
        var added = directory.Add(write, wanted, password, time.GetUtcNow());
        if (!added.Ok) return added;
        foreach (var course in invitation?.Courses ?? []) courses.Enrol(write, course, who.Address, who.Name); // one that is full or gone keeps nobody out of the rest
        return added;
    }

    async ValueTask<Result<Joined>> WaitAsync(Checked who, PasswordSecrets password, OpenInvitation? open, Domain domain, string source, CancellationToken cancel)
    {
        var waiting = new SignUp(0, domain.Id, who.Address.LocalPart, who.Name, who.Recovery, who.IsProven, open?.Invitation.Id ?? 0, who.Language, source, time.GetUtcNow());
        var refusal = await store.CommitAsync(write =>
        {
            if (open is not null && (AdmissionTable.Find(write, open.Invitation.Id) is not { } now || !invitations.IsOpen(now))) return Invitations.NoInvitation;
            if (AdmissionTable.CountSignUps(write, domain.Id) >= settings.Admission.MostSignUps) return Refusal.TooMany.Because("Too many people wait to be let in; try again in some days");
            // who has asked before waits for that answer; that he has is told to him alone, at his other address, and to those who decide
            if (open is null && AdmissionTable.Again(write, domain.Id, who.Recovery, who.Address.LocalPart, waiting.At)) return null;
            var id = AdmissionTable.Add(write, waiting, password.Hash);
            if (password.Scram is { } scram && secrets.Problem is null) AdmissionTable.SetScram(write, id, secrets.Seal(write, SignUps.Purpose(id), scram.ToBytes()));
            if (open is not null) AdmissionTable.Use(write, open.Invitation.Id, new(time.GetUtcNow(), who.Address.ToString(), source));
            Record(write, who, open, source, waits: true);
            return null;
        }, cancel);
        if (refusal is not null) return refusal;
        signUps.Nudge();
        return new Joined(who.Address, null);
    }

    /// <summary>Makes the account of somebody who has waited.</summary>
    internal Result<Account> Approve(WriteTransaction write, SignUp one, string password, byte[]? scram)
    {
        if (invitations.Domain(one.DomainId) is not { } domain) return Refusal.NoSuchDomain;
        var sealed_ = scram is not null && secrets.Open(SignUps.Purpose(one.Id), scram) is { Ok: true } opened ? ScramSecret.FromBytes(opened.Value) : null;
        var invitation = one.InvitationId == 0 ? null : AdmissionTable.Find(write, one.InvitationId);
        return Add(write, new(new(one.Local, domain.Name), one.Name, one.Recovery, one.Proven, one.Language), new(password, sealed_), invitation, one.Proven ? one.Recovery : null);
    }

    // nobody is signed in: the log names the invitation, and from where
    void Record(WriteTransaction write, Checked who, OpenInvitation? open, string source, bool waits) => log.Append(write, new(
        time.GetUtcNow(), open is null ? "sign-up" : $"invitation:{open.Invitation.Id}", source, waits ? "POST /api/v1/join" : "POST /api/v1/accounts", waits ? "/api/v1/join" : $"/api/v1/accounts/{who.Address}", waits ? 202 : 201, null,
        JsonSerializer.Serialize(new { address = who.Address.ToString(), name = who.Name, waits }, readable)));
}
