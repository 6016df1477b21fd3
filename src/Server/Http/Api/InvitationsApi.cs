using System.Globalization;
using CbaMail.Admission;
using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Courses;
using CbaMail.Directory;
using CbaMail.Envelope;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/invitations</summary>
static class InvitationsApi
{
    /// <param name="Address">For one person; else <paramref name="Domain"/>, where he picks the name.</param>
    /// <param name="Pattern">That a picked name must be like, with one *: s-*.</param>
    /// <param name="Uses">How many people may come by it; 1 where nothing is said.</param>
    /// <param name="For">How long it is good, as in 14d, in place of <paramref name="Expires"/>; 14 days where nothing is said.</param>
    /// <param name="Name">Of the person, as a proposal.</param>
    /// <param name="Quota">Bytes; the domain's where nothing is said.</param>
    /// <param name="Courses">That they are enrolled in.</param>
    /// <param name="Approval">Somebody has to say yes before there is an account.</param>
    /// <param name="Language">Of the letter: ru, en.</param>
    /// <param name="SendTo">An address that a letter with a link of its own goes to.</param>
    sealed record InvitationFields(
        string? Address = null, string? Domain = null, string? Pattern = null, int Uses = 1, DateTimeOffset? Expires = null, string? For = null, string? Name = null, long? Quota = null, string? Groups = null,
        IReadOnlyList<string>? Courses = null, bool Approval = false, string? Language = null, string? SendTo = null);

    /// <param name="To">The address that the letter goes to.</param>
    sealed record InvitationSending(string To);

    /// <param name="State">open, used, expired, revoked.</param>
    /// <param name="Link">This once: it is kept nowhere.</param>
    /// <param name="Joined">Who has come, and when; in a list nothing.</param>
    sealed record InvitationView(
        long Id, string? Address, string Domain, string? Pattern, string State, int Uses, int Used, DateTimeOffset Expires, string Name, long? Quota, string Groups, IReadOnlyList<string> Courses, bool Approval,
        string Language, string By, DateTimeOffset Created, string? Link, IReadOnlyList<string>? SentTo, IReadOnlyList<InvitationUse>? Joined);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/invitations", Permissions.InvitationsRead, About.Asked, "Invitations, the last made first", ListAsync) { IsList = true, Query = ["domain", "state"], Gives = typeof(InvitationView) },
        new("POST", "/invitations", Permissions.InvitationsWrite, About.Asked, "Invite somebody; the answer has the link, this once", Requests.With<InvitationFields>(AddAsync)) { Takes = typeof(InvitationFields), Gives = typeof(InvitationView) },
        new("GET", "/invitations/{id:long}", Permissions.InvitationsRead, About.Asked, "One invitation, and who has come by it", With(Permissions.InvitationsRead, (context, one) => context.JsonAsync(Show(context, one, details: true)))) { Gives = typeof(InvitationView) },
        new("POST", "/invitations/{id:long}/send", Permissions.InvitationsWrite, About.Asked, "Mail a link of its own to somebody", Requests.With<InvitationSending>((context, sending) => With(Permissions.InvitationsWrite, (_, one) => SendAsync(context, one, sending))(context))) { Takes = typeof(InvitationSending), Gives = typeof(InvitationView) },
        new("DELETE", "/invitations/{id:long}", Permissions.InvitationsWrite, About.Asked, "Take an invitation back: none of its links is good any more", With(Permissions.InvitationsWrite, RemoveAsync)) { Gives = typeof(NumberDone) },
    ];

    static InvitationView Show(HttpContext context, Invitation one, bool details = false, string? link = null)
    {
        var (invitations, now) = (context.Room<Invitations>(), context.Room<TimeProvider>().GetUtcNow());
        var domain = context.Room<UserDirectory>().ListDomains().FirstOrDefault(domain => domain.Id == one.DomainId)?.Name ?? "";
        var (uses, sentTo) = details ? invitations.Details(one) : (null, (IReadOnlyList<string>?)null);
        return new(one.Id, one.Local.Length > 0 ? $"{one.Local}@{domain}" : null, domain, one.Pattern.Length > 0 ? one.Pattern : null, one.State(now), one.Uses, one.Used, one.Expires, one.Name, one.Quota, one.Groups,
            [.. invitations.Courses(one).Select(course => course.Slug)], one.Approval, one.Language, one.By, one.Created, link, sentTo, uses);
    }

    /// <summary>His own, and those into his domains.</summary>
    static bool May(HttpContext context, Permission permission, Invitation one)
    {
        var caller = context.Caller();
        if (caller.MayEverywhere(permission) || (caller.Account is { } me && one.ById == me.Id)) return true;
        return caller.ReachOf(permission) == Reach.Domains && context.Room<UserDirectory>().ListDomains().FirstOrDefault(domain => domain.Id == one.DomainId) is { } domain && caller.May(permission, domain);
    }

    static RequestDelegate With(Permission permission, Func<HttpContext, Invitation, Task> deed) => context =>
        context.Room<Invitations>().Find(long.Parse(context.Part("id"), CultureInfo.InvariantCulture)) is { } one && May(context, permission, one) ? deed(context, one) : context.RefuseAsync(Refusal.NoSuchThing.Because("There is no such invitation"));

    static async Task ListAsync(HttpContext context)
    {
        var now = context.Room<TimeProvider>().GetUtcNow();
        if (context.Asked("state") is not (null or "open" or "used" or "expired" or "revoked")) { await context.RefuseAsync(Refusal.Invalid.Because("state is open, used, expired or revoked").At("state")); return; }
        Domain? domain = null;
        if (context.Asked("domain") is { } name && (domain = context.Room<UserDirectory>().FindDomain(name)) is null) { await context.RefuseAsync(Requests.NoDomain(name).At("domain")); return; }
        var seen = context.Room<Invitations>().List().Where(one => May(context, Permissions.InvitationsRead, one) && (domain is null || one.DomainId == domain.Id) && (context.Asked("state") is not { } state || one.State(now) == state));
        await context.ListAsync(seen.OrderByDescending(one => one.Id), one => (long.MaxValue - one.Id).ToString("D19", CultureInfo.InvariantCulture), one => Show(context, one));
    }

    static async Task AddAsync(HttpContext context, InvitationFields wanted)
    {
        var read = Read(context, wanted);
        if (!read.Ok) { await context.RefuseAsync(read.Refusal); return; }
        if (wanted.SendTo is { } to && !MailAddress.TryParse(to.Trim(), out _)) { await context.RefuseAsync(Refusal.BadAddress.At("sendTo")); return; }
        var me = context.Caller().Account;
        var made = await context.Room<Invitations>().AddAsync(read.Value, me, me is null ? "" : me.Name.Length > 0 ? me.Name : me.Address.ToString(), context.RequestAborted);
        if (made.Ok && wanted.SendTo is not null && await context.Room<Invitations>().SendAsync(made.Value.Invitation, wanted.SendTo, context.RequestAborted) is { } failed)
        {
            // nobody has its link
            await context.Room<Invitations>().RevokeAsync(made.Value.Invitation.Id, CancellationToken.None);
            await context.RefuseAsync(failed.At("sendTo"));
            return;
        }
        await context.ResultAsync(made, one => Show(context, one.Invitation, details: true, link: one.Link), 201);
    }

    static Result<NewInvitation> Read(HttpContext context, InvitationFields wanted)
    {
        var (directory, caller) = (context.Room<UserDirectory>(), context.Caller());
        var local = "";
        var name = wanted.Domain ?? "";
        if (wanted.Address is { Length: > 0 } text)
        {
            if (!Names.TryAddress(text, out var address)) return Refusal.BadAddress.At("address");
            (local, name) = (address.LocalPart, address.Domain);
        }
        else if (name.Length == 0) return Refusal.Invalid.Because("Say whom: give an address, or a domain where the person picks a name").At("address");
        if (directory.FindDomain(name) is not { } domain) return caller.MayEverywhere(Permissions.InvitationsWrite) ? Requests.NoDomain(name).At("domain") : Requests.MayNot(Permissions.InvitationsWrite);
        var found = (wanted.Courses ?? []).Select(context.Room<CourseRegister>().Find).ToList();
        var mayAll = caller.May(Permissions.InvitationsWrite, domain);
        if (found.FindIndex(course => !course.Ok) is >= 0 and var missing) return mayAll ? found[missing].Refusal!.At("courses") : Requests.MayNot(Permissions.InvitationsWrite);
        var courses = found.ConvertAll(course => course.Value!);
        if (mayAll ? courses.Exists(course => !caller.MayCourse(Permissions.CoursesWrite, course.Id, directory.FindDomain(course.Domain))) : !Invitations.MayForCourses(caller, domain, courses)) return Requests.MayNot(Permissions.InvitationsWrite);
        // who brings people into his course gives them nothing beyond it
        if (!mayAll && (wanted.Quota is not null || !string.IsNullOrWhiteSpace(wanted.Groups))) return Refusal.NotPermitted.Because("Quota and groups are given by an administrator of the domain").At("quota");
        var expires = wanted.Expires ?? context.Room<TimeProvider>().GetUtcNow() + TimeSpan.FromDays(14);
        if (wanted.For is { Length: > 0 } span)
        {
            if (!Times.TryWithUnit(span, out var time)) return Refusal.Invalid.Because($"\"{span}\" is no span of time with its unit; write it as in 90d, 12h or 30m").At("for");
            expires = context.Room<TimeProvider>().GetUtcNow() + time;
        }
        return new NewInvitation(domain, local, wanted.Pattern ?? "", wanted.Uses, expires, wanted.Name ?? "", wanted.Quota, wanted.Groups ?? "", courses, wanted.Approval, wanted.Language ?? Sentences.LanguageOf(context));
    }

    static async Task SendAsync(HttpContext context, Invitation one, InvitationSending sending)
    {
        if (await context.Room<Invitations>().SendAsync(one, sending.To ?? "", context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(Show(context, one, details: true));
    }

    static async Task RemoveAsync(HttpContext context, Invitation one)
    {
        if (await context.Room<Invitations>().RevokeAsync(one.Id, context.RequestAborted)) await context.JsonAsync(new NumberDone(one.Id));
        else await context.RefuseAsync(Refusal.Conflict.Because("This invitation was taken back already"));
    }
}
