using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Courses;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Admission;

/// <summary>Who may come, and what he gets.</summary>
/// <param name="Local">The name before @ that is given; "": the person picks one.</param>
/// <param name="Pattern">That a picked one must be like, with one "*"; "": any.</param>
/// <param name="Quota">Bytes; null: the domain's.</param>
/// <param name="Courses">That he is enrolled in, by their numbers.</param>
/// <param name="Uses">How many people may come by it.</param>
/// <param name="ById">The account that made it; 0: the server's owner.</param>
public sealed record Invitation(
    long Id, long DomainId, string Local, string Pattern, string Name, long? Quota, string Groups, IReadOnlyList<long> Courses, bool Approval, int Uses, int Used, string Language,
    long ById, string By, DateTimeOffset Created, DateTimeOffset Expires, DateTimeOffset? Revoked)
{
    /// <summary>open, used up, expired, revoked.</summary>
    public string State(DateTimeOffset now) => Revoked is not null ? "revoked" : Used >= Uses ? "used" : Expires <= now ? "expired" : "open";
}

/// <summary>Somebody who has come by an invitation.</summary>
/// <param name="Address">That he took.</param>
/// <param name="From">Where he came from.</param>
public sealed record InvitationUse(DateTimeOffset At, string Address, string From);

/// <summary>An invitation to make.</summary>
/// <param name="Local">"": the person picks one.</param>
public sealed record NewInvitation(Domain Domain, string Local, string Pattern, int Uses, DateTimeOffset Expires, string Name, long? Quota, string Groups, IReadOnlyList<Course> Courses, bool Approval, string Language);

/// <summary>What a link leads to.</summary>
/// <param name="SentTo">The address that this very link went to, which is proven by it; or "".</param>
public sealed record OpenInvitation(Invitation Invitation, Domain Domain, string SentTo);

/// <summary>Invitations: making, sending, revoking, and finding the one that a link is of.</summary>
public sealed class Invitations(Store store, UserDirectory directory, CourseRegister courses, AdmissionPost post, Settings settings, TimeProvider time)
{
    internal const int MostUses = 10_000;
    internal static readonly TimeSpan Longest = TimeSpan.FromDays(366), Usual = TimeSpan.FromDays(14);
    const int MostOfOne = 5000;
    const int MostLinks = 1000;

    /// <summary>One sentence for all causes: who has guessed learns nothing.</summary>
    public static readonly Refusal NoInvitation = Refusal.NoSuchThing.Because("This invitation is not valid: it was used, was taken back, or its time is over. Ask whoever invited you for another");

    internal string LinkOf(string token) => $"{settings.Admission.Root(settings)}/join/{token}";

    /// <param name="by">Who invites; null: the server's owner.</param>
    /// <param name="byName">As the letter names him.</param>
    public async ValueTask<Result<(Invitation Invitation, string Link)>> AddAsync(NewInvitation wanted, Account? by, string byName, CancellationToken cancel)
    {
        if (Wrong(wanted) is { } refusal) return refusal;
        var now = Rounded(time.GetUtcNow());
        var (token, digest) = OneTimeToken.Make();
        var local = wanted.Local.Length == 0 ? "" : Names.LocalKey(wanted.Local);
        var one = new Invitation(0, wanted.Domain.Id, local, wanted.Pattern, wanted.Name.Trim(), wanted.Quota, UserDirectory.NormalGroups(wanted.Groups), [.. wanted.Courses.Select(course => course.Id)], wanted.Approval,
            wanted.Uses, 0, wanted.Language, by?.Id ?? 0, byName, now, Rounded(wanted.Expires), null);
        var made = await store.CommitAsync(write =>
        {
            if (AdmissionTable.CountOf(write, one.ById) >= MostOfOne) return null;
            var added = one with { Id = AdmissionTable.Add(write, one) };
            AdmissionTable.AddLink(write, digest, added.Id, "");
            return added;
        }, cancel);
        return made is not null ? (made, LinkOf(token)) : Refusal.TooMany.Because($"There are {MostOfOne} invitations already; take back those that nobody needs");
    }

    Refusal? Wrong(NewInvitation wanted)
    {
        if (wanted.Domain.AliasOf is { } real) return Refusal.Invalid.Because($"{wanted.Domain.Name} is an alias of {real}; add the account there").At("domain");
        if (wanted.Domain.Profile.SignUp == "closed") return Refusal.NotPossible.Because($"The domain {wanted.Domain.Name} takes in nobody by invitation (signUp is closed)").At("domain");
        if (wanted.Local.Length > 0 && wanted.Pattern.Length > 0) return Refusal.Invalid.Because("Give either an address or a pattern").At("pattern");
        if (wanted.Pattern.Length > 0 && !LocalPartRules.IsPattern(wanted.Pattern)) return Refusal.Invalid.Because("A pattern has one *, and else small Latin letters, digits, dots, hyphens and underscores: s-*").At("pattern");
        if (wanted.Uses is < 1 or > MostUses) return Refusal.Invalid.Because($"An invitation is good for 1 to {MostUses} people").At("uses");
        if (wanted.Local.Length > 0 && wanted.Uses != 1) return Refusal.Invalid.Because("One address is for one person").At("uses");
        if (wanted.Local.Length > 0 && LocalPartRules.IsReserved(wanted.Local)) return Refusal.NotPermitted.Because("This name is kept for the server's own use; take another").At("address");
        if (wanted.Local.Length > 0 && directory.Precheck(new($"{wanted.Local}@{wanted.Domain.Name}", wanted.Name)) is { } taken) return taken.At("address");
        var now = time.GetUtcNow();
        if (wanted.Expires <= now) return Refusal.Invalid.Because("That time has passed already").At("expires");
        if (wanted.Expires > now + Longest) return Refusal.Invalid.Because("An invitation lasts a year at most").At("expires");
        if (wanted.Quota is < 0) return Refusal.Invalid.Because("A quota is a number of bytes, 0 for none").At("quota");
        if (wanted.Language is not ("ru" or "en")) return Refusal.Invalid.Because("The language is ru or en").At("language");
        return wanted.Name.Length > 200 || wanted.Name.Any(char.IsControl) || wanted.Groups.Length > 1000 || wanted.Courses.Count > 50 ? Refusal.Invalid.Because("The name, the groups or the courses are too many or too long") : null;
    }

    /// <summary>Mails a link of its own to somebody; those that are out already stay good.</summary>
    public async ValueTask<Refusal?> SendAsync(Invitation one, string to, CancellationToken cancel)
    {
        if (!MailAddress.TryParse(to.Trim(), out var address) || !Names.TryDomain(address.Domain, out _)) return Refusal.BadAddress.Because($"\"{Shown(to)}\" is not a valid address").At("to");
        if (Domain(one.DomainId) is not { } domain || one.State(time.GetUtcNow()) != "open" || !Stands(one)) return Refusal.Conflict.Because("This invitation is not open any more");
        var (token, digest) = OneTimeToken.Make();
        var stored = await store.CommitAsync(write =>
        {
            if (AdmissionTable.CountLinks(write, one.Id) >= MostLinks) return false;
            AdmissionTable.AddLink(write, digest, one.Id, address.ToString());
            return true;
        }, cancel);
        if (!stored) return Refusal.TooMany.Because($"An invitation goes to at most {MostLinks} addresses");
        var letter = Letters.Invitation(one.Language, one.By.Length > 0 ? one.By : Names.Show(domain.Name), one.Local.Length > 0 ? $"{one.Local}@{domain.Name}" : Names.Show(domain.Name), one.Local.Length == 0, LinkOf(token), one.Expires, one.Approval);
        // who invites hears that it did not arrive, where the answer may come back to him
        var inviter = directory.GetAccount(one.ById);
        return await post.SendAsync(domain.Name, address, letter, inviter?.DomainId == domain.Id ? inviter.Address : null, cancel);
    }

    public IReadOnlyList<Invitation> List()
    {
        using var read = store.Read();
        return AdmissionTable.Invitations(read);
    }

    public (IReadOnlyList<InvitationUse> Uses, IReadOnlyList<string> SentTo) Details(Invitation one)
    {
        using var read = store.Read();
        return (AdmissionTable.Uses(read, one.Id), AdmissionTable.SentTo(read, one.Id));
    }

    public Invitation? Find(long id)
    {
        using var read = store.Read();
        return AdmissionTable.Find(read, id);
    }

    public async ValueTask<bool> RevokeAsync(long id, CancellationToken cancel) => await store.CommitAsync(write => AdmissionTable.Revoke(write, id, time.GetUtcNow()), cancel);

    /// <summary>The open invitation that a token is of.</summary>
    public Result<OpenInvitation> Open(string? token)
    {
        if (OneTimeToken.Read(token) is not { } digest) return NoInvitation;
        using var read = store.Read();
        if (AdmissionTable.Link(read, digest) is not var (id, sentTo) || AdmissionTable.Find(read, id) is not { } one) return NoInvitation;
        return IsOpen(one) && Domain(one.DomainId) is { } domain ? new OpenInvitation(one, domain, sentTo) : NoInvitation;
    }

    internal bool IsOpen(Invitation one) => one.State(time.GetUtcNow()) == "open" && Stands(one) && Domain(one.DomainId) is { Profile.SignUp: not "closed" };

    // an invitation is worth what whoever made it is worth now
    bool Stands(Invitation one) => one.ById == 0
        || (directory.GetAccount(one.ById) is { Enabled: true } by && Domain(one.DomainId) is { } domain && new Caller(by, null, null, null, null) is var caller
            && (caller.May(Permissions.InvitationsWrite, domain) || MayForCourses(caller, domain, Courses(one))));

    /// <summary>A manager of courses invites into courses of his own, where the domain lets him.</summary>
    public static bool MayForCourses(Caller caller, Domain domain, IReadOnlyList<Course> courses) => caller.ReachOf(Permissions.InvitationsWrite) == Reach.Courses && domain.Profile.CourseInvitations == true
        && courses.Count > 0 && courses.All(course => course.Domain == domain.Name && caller.MayCourse(Permissions.InvitationsWrite, course.Id, domain));

    internal Domain? Domain(long id) => directory.ListDomains().FirstOrDefault(domain => domain.Id == id);

    /// <summary>The courses of an invitation that are still there.</summary>
    public IReadOnlyList<Course> Courses(Invitation one) => one.Courses.Count == 0 ? [] : [.. courses.List().Where(course => one.Courses.Contains(course.Id))];

    static DateTimeOffset Rounded(DateTimeOffset moment) => DateTimeOffset.FromUnixTimeMilliseconds(moment.ToUnixTimeMilliseconds());

    static string Shown(string text) => new([.. text.Take(200).Select(c => char.IsControl(c) ? '?' : c)]);
}
