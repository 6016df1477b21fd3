using System.Globalization;
using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Admission;

/// <summary>Somebody who waits to be let in.</summary>
/// <param name="Proven">The recovery address is known to be his.</param>
/// <param name="InvitationId">0: he came without.</param>
/// <param name="From">Where he came from.</param>
public sealed record SignUp(long Id, long DomainId, string Local, string Name, string Recovery, bool Proven, long InvitationId, string Language, string From, DateTimeOffset At)
{
    /// <summary>The name that he wanted when he asked again from the same other address; "" where he has not.</summary>
    public string AgainLocal { get; init; } = "";
    public DateTimeOffset? AgainAt { get; init; }
}

/// <summary>The people who wait: who decides is told of them, and they of the decision.</summary>
public sealed class SignUps(Store store, UserDirectory directory, AdmissionPost post, Settings settings, TimeProvider time)
{
    const int MostReaders = 20;
    const int MostNamed = 20;
    // who signs others up over and over does not fill their mailboxes
    static readonly TimeSpan TellAgainEvery = TimeSpan.FromDays(1);

    readonly SemaphoreSlim news = new(0, 1);
    readonly Dictionary<long, DateTimeOffset> told = []; // when those who decide were told last; one worker asks

    static readonly Refusal NoSignUp = Refusal.NoSuchThing.Because("Nobody waits under this number; cbamail sign-up list shows those who do");

    internal static string Purpose(long id) => "SIGN-UP " + id.ToString(CultureInfo.InvariantCulture);

    public IReadOnlyList<SignUp> List()
    {
        using var read = store.Read();
        return AdmissionTable.SignUps(read);
    }

    public SignUp? Find(long id)
    {
        using var read = store.Read();
        return AdmissionTable.FindSignUp(read, id);
    }

    Domain? Domain(SignUp one) => directory.ListDomains().FirstOrDefault(domain => domain.Id == one.DomainId);

    /// <summary>Lets somebody in, and tells him.</summary>
    public async ValueTask<Result<Account>> ApproveAsync(long id, Joining joining, RecoveryAddresses recovery, CancellationToken cancel)
    {
        SignUp? who = null;
        var made = await store.CommitAsync<Result<Account>>(write =>
        {
            if (AdmissionTable.FindSignUp(write, id) is not var (one, password, scram)) return NoSignUp;
            var added = joining.Approve(write, who = one, password, scram);
            if (added.Ok) AdmissionTable.RemoveSignUp(write, id);
            return added;
        }, cancel);
        if (!made.Ok || Storage.Rehearsal.IsOn) return made;
        var confirm = who!.Proven ? null : await recovery.LinkAsync(made.Value, who.Recovery, cancel);
        if (MailAddress.TryParse(who.Recovery, out var to))
            await post.SendAsync(made.Value.Address.Domain, to, Letters.Approved(who.Language, made.Value.Address.ToString(), settings.Admission.Root(settings) + "/", confirm), null, cancel);
        return made;
    }

    public async ValueTask<Refusal?> RefuseAsync(long id, string reason, CancellationToken cancel)
    {
        if (reason.Length > 1000 || reason.Any(c => char.IsControl(c) && c is not ('\n' or '\r'))) return Refusal.Invalid.Because("A reason has at most 1000 characters").At("reason");
        if (Find(id) is not { } who) return NoSignUp;
        if (!await store.CommitAsync(write => AdmissionTable.RemoveSignUp(write, id), cancel)) return NoSignUp;
        if (!Rehearsal.IsOn && Domain(who) is { } domain && MailAddress.TryParse(who.Recovery, out var to))
            await post.SendAsync(domain.Name, to, Letters.Refused(who.Language, $"{who.Local}@{domain.Name}", reason.Trim().ReplaceLineEndings("\r\n")), null, cancel);
        return null;
    }

    // ---- telling those who decide

    /// <summary>Somebody has come.</summary>
    internal void Nudge()
    {
        lock (news)
            if (news.CurrentCount == 0) news.Release();
    }

    internal Task<bool> NewsAsync(TimeSpan within, CancellationToken cancel) => news.WaitAsync(within, cancel);

    /// <summary>Forgets whom nobody has answered, and tells of the new ones: one letter for all of them, no more often than the settings say.</summary>
    internal async Task TellAsync(CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        await store.CommitAsync(write => AdmissionTable.ForgetSignUps(write, now - settings.Admission.SignUpWaits), cancel);
        await TellAgainAsync(now, cancel);
        List<long> untold;
        using (var read = store.Read()) untold = AdmissionTable.Untold(read);
        foreach (var id in untold)
        {
            if (told.TryGetValue(id, out var last) && now - last < settings.Admission.TellEvery) continue;
            if (directory.ListDomains().FirstOrDefault(one => one.Id == id) is not { } domain) continue;
            var waiting = List().Where(one => one.DomainId == id).ToList();
            if (waiting.Count == 0) continue;
            var letter = Letters.Waiting(Names.Show(domain.Name), waiting.Count, [.. waiting.TakeLast(MostNamed).Select(one => (one.Id, $"{one.Local}@{domain.Name}", one.Name))]);
            told[id] = now;
            var reached = false;
            foreach (var reader in Deciders(domain)) reached |= await post.SendAsync(domain.Name, reader.Address, letter, null, cancel) is null;
            // where a full disk or mailbox has kept it from all of them, or there is nobody yet, it is tried again in its time
            if (reached) await store.CommitAsync(write => { AdmissionTable.Told(write, id, waiting[^1].Id); return true; }, cancel);
        }
    }

    /// <summary>Who has asked again while he waits hears that his first application counts.</summary>
    async Task TellAgainAsync(DateTimeOffset now, CancellationToken cancel)
    {
        List<SignUp> again;
        using (var read = store.Read()) again = AdmissionTable.AskedAgain(read, now - TellAgainEvery);
        foreach (var one in again)
        {
            await store.CommitAsync(write => { AdmissionTable.ToldAgain(write, one.Id, now); return true; }, cancel);
            if (Domain(one) is { } domain && MailAddress.TryParse(one.Recovery, out var to))
                await post.SendAsync(domain.Name, to, Letters.WaitsAlready(one.Language, $"{one.Local}@{domain.Name}", one.At, $"{one.AgainLocal}@{domain.Name}"), null, cancel);
        }
    }

    /// <summary>The administrators of the domain; where there are none, those of the server.</summary>
    List<Account> Deciders(Domain domain)
    {
        var able = directory.ListAccounts().Where(account => account.Enabled && new Caller(account, null, null, null, null).May(Permissions.AccountsWrite, domain)).ToList();
        var own = able.Where(account => account.Role == Role.DomainAdmin).ToList();
        return [.. (own.Count > 0 ? own : able).Take(MostReaders)];
    }
}
