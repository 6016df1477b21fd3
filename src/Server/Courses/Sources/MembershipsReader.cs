using System.Collections.Concurrent;
using System.Text.Json;
using CbaMail.Envelope;

namespace CbaMail.Courses.Sources;

/// <summary>
/// People of a course on a learning platform, by LTI Names and Role Provisioning Services 2.0: a token by the client credentials grant with a signed
/// assertion (RFC 6749 4.4), then the memberships page by page, and later what has changed.
/// </summary>
sealed class MembershipsReader(RosterFetch fetch, LtiKey key, TimeProvider time) : IRosterReader
{
    const string Scope = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly";
    const string Container = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json";
    const string Memberships = "http://purl.imsglobal.org/vocab/lis/v2/membership";
    const int MostPages = 1000, MostPeople = 100_000;

    readonly ConcurrentDictionary<long, (string Token, DateTimeOffset Until, string For)> tokens = new();

    public string Kind => "lti";

    public Refusal? Problem(RosterProfile profile, bool hasSecret) =>
        fetch.Problem(profile.Url, "url") ?? fetch.Problem(profile.TokenUrl, "tokenUrl")
        ?? (profile.ClientId is not { Length: > 0 and <= 500 } ? Refusal.Invalid.Because("A learning platform knows this server by a client id").At("clientId") : null)
        ?? (profile.Audience is { Length: > 2000 } ? Refusal.Invalid.Because("The address is a URL without a user and a fragment").At("audience") : null);

    public async Task<Result<RosterPeople>> ReadAsync(RosterSource source, string secret, bool whole, CancellationToken cancel)
    {
        var differs = !whole && source.Since.Length > 0;
        var read = await PagesAsync(source, differs ? source.Since : source.Profile.Url!, isWhole: !differs, cancel);
        // a platform may forget what the difference is to: then all of it is read
        return read.Ok || !differs ? read : await PagesAsync(source, source.Profile.Url!, isWhole: true, cancel);
    }

    async Task<Result<RosterPeople>> PagesAsync(RosterSource source, string from, bool isWhole, CancellationToken cancel)
    {
        var gathering = new RosterGathering();
        var (next, since, seen) = (from, "", new HashSet<string>(StringComparer.Ordinal));
        while (next.Length > 0)
        {
            var host = new Uri(next).Authority;
            if (!seen.Add(next) || seen.Count > MostPages || gathering.Count > MostPeople) return RosterFetch.Trouble(host, "its pages have no end");
            var page = await PageAsync(source, next, cancel);
            if (!page.Ok) return page.Refusal;
            if (page.Value.Body.ValueKind != JsonValueKind.Object || !page.Value.Body.TryGetProperty("members", out var members) || members.ValueKind != JsonValueKind.Array) return RosterFetch.Trouble(host, "it does not answer with memberships");
            foreach (var member in members.EnumerateArray()) Add(source.Profile, gathering, member);
            next = page.Value.Links.GetValueOrDefault("next") ?? "";
            since = page.Value.Links.GetValueOrDefault("differences") ?? since;
        }
        return gathering.People(saysGroups: false, isWhole, since);
    }

    async Task<Result<RosterAnswer>> PageAsync(RosterSource source, string url, CancellationToken cancel)
    {
        var host = new Uri(url).Authority;
        // the token is for the platform, and not for wherever one of its pages leads
        if (!string.Equals(host, new Uri(source.Profile.Url!).Authority, StringComparison.OrdinalIgnoreCase)) return RosterFetch.Trouble(host, "the platform leads there, and is somewhere else itself");
        for (var anew = false; ; anew = true)
        {
            var token = await TokenAsync(source, anew, cancel);
            if (!token.Ok) return token.Refusal;
            var answer = await fetch.GetAsync(url, Container, token.Value, cancel);
            if (!answer.Ok || answer.Value.Status == 200) return answer;
            // one that was taken back before its time
            if (answer.Value.Status == 401 && !anew) continue;
            return RosterFetch.Trouble(host, $"it answered with status {answer.Value.Status}");
        }
    }

    async Task<Result<string>> TokenAsync(RosterSource source, bool anew, CancellationToken cancel)
    {
        var profile = source.Profile;
        var mark = $"{profile.TokenUrl} {profile.ClientId} {profile.Audience}";
        if (!anew && tokens.TryGetValue(source.Id, out var known) && known.For == mark && known.Until > time.GetUtcNow()) return known.Token;
        var host = new Uri(profile.TokenUrl!).Authority;
        var assertion = await key.AssertAsync(profile.ClientId!, profile.Audience is { Length: > 0 } audience ? audience : profile.TokenUrl!, cancel);
        if (!assertion.Ok) return assertion.Refusal;
        var answer = await fetch.PostAsync(profile.TokenUrl!, new Dictionary<string, string>
        {
            ["grant_type"] = "client_credentials",
            ["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ["client_assertion"] = assertion.Value,
            ["scope"] = Scope,
        }, cancel);
        if (!answer.Ok) return answer.Refusal;
        var body = answer.Value.Body;
        if (answer.Value.Status != 200 || MoodleReader.JsonText(body, "access_token") is not { Length: <= 8192 } token || token.Any(c => c is <= ' ' or > '~'))
            return RosterFetch.Trouble(host, $"it gives no access token (status {answer.Value.Status}{(MoodleReader.JsonText(body, "error") is { } error ? ", " + ParticipantFile.Shown(error) : "")})");
        var seconds = body.TryGetProperty("expires_in", out var lasts) && lasts.ValueKind == JsonValueKind.Number && lasts.TryGetInt32(out var said) ? said : 60;
        tokens[source.Id] = (token, time.GetUtcNow().AddSeconds(Math.Clamp(seconds, 0, 3600) - 10), mark);
        return token;
    }

    static void Add(RosterProfile profile, RosterGathering gathering, JsonElement member)
    {
        var name = MoodleReader.JsonText(member, "name") ?? string.Join(' ', new[] { MoodleReader.JsonText(member, "given_name"), MoodleReader.JsonText(member, "family_name") }.Where(part => part is not null));
        var who = name.Length > 0 ? name : MoodleReader.JsonText(member, "user_id") ?? "somebody";
        var status = MoodleReader.JsonText(member, "status") ?? "Active";
        var shown = member.TryGetProperty("roles", out var roles) && roles.ValueKind == JsonValueKind.Array ? roles.EnumerateArray().Select(one => one.ValueKind == JsonValueKind.String ? one.GetString()! : "").ToList() : [];
        var active = status.Equals("Active", StringComparison.OrdinalIgnoreCase);
        var role = RosterGathering.Highest(shown.Select(one => RosterGathering.Role(profile, one, Usual(one))));
        // whoever has left may be named without a role
        if (role is null && active) { gathering.Note(who, $"{ParticipantFile.Shown(who)} has no role that means anything here ({ParticipantFile.Shown(string.Join(", ", shown))}), and is left out"); return; }
        gathering.Add(MoodleReader.JsonText(member, "email"), who, name, role ?? CourseRole.Student, [], active, language: MoodleReader.JsonText(member, "locale")?.Split('-', '_')[0]);
    }

    /// <summary>Context roles (LTI 1.3, A.2.3) and their sub-roles; the short form of a core role is allowed (A.2.3.1).</summary>
    static CourseRole? Usual(string role)
    {
        var name = role;
        if (role.Contains(':', StringComparison.Ordinal))
        {
            if (!role.StartsWith(Memberships, StringComparison.Ordinal)) return null; // a role in the institution or the system says nothing of the course
            name = role[(role.IndexOf('#', StringComparison.Ordinal) + 1)..];
        }
        return name switch
        {
            "TeachingAssistant" or "TeachingAssistantSection" or "TeachingAssistantGroup" or "TeachingAssistantOffering" or "TeachingAssistantTemplate" or "Grader" => CourseRole.Assistant,
            "Instructor" or "Lecturer" or "PrimaryInstructor" or "SecondaryInstructor" or "GuestInstructor" or "ContentDeveloper" => CourseRole.Teacher,
            "Learner" or "NonCreditLearner" or "GuestLearner" or "ExternalLearner" or "Member" => CourseRole.Student,
            "Mentor" => CourseRole.Guardian,
            _ => role.StartsWith(Memberships + "/Instructor#", StringComparison.Ordinal) ? CourseRole.Teacher : role.StartsWith(Memberships + "/Learner#", StringComparison.Ordinal) ? CourseRole.Student : null,
        };
    }
}
