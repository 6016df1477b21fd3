using System.Globalization;
using System.Text.Json;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Courses.Sources;

/// <summary>What became of a class of a OneRoster file, or would.</summary>
/// <param name="Course">Short name; "": it would be made.</param>
/// <param name="Run">The same.</param>
/// <param name="Deed">made, changed, unchanged, left-out.</param>
/// <param name="People">What became of those in it.</param>
/// <param name="Problem">Why nothing, or "".</param>
public sealed record OneRosterClass(string Name, string Course, string Run, string Deed, RosterReport? People, string Problem);

/// <summary>What a OneRoster file did, or would do.</summary>
public sealed record OneRosterReport(IReadOnlyList<OneRosterClass> Classes, IReadOnlyList<ImportError> Errors);

/// <summary>
/// Takes in a OneRoster 1.2 file: its courses become courses of a domain, its classes runs with the dates of their terms, its users persons, its enrolments
/// what they are. What things are called there is remembered, so that the same file changes nothing, and a difference finds what it is about.
/// </summary>
public sealed class OneRoster(Store store, CourseRegister courses, RunBook runs, UserDirectory directory, Settings settings, TimeProvider time)
{
    sealed record User(string Address, string Name, bool Active, IReadOnlyList<string> Agents, bool Guards);

    // of the 1.2 vocabulary; administrators and proctors are not in a class
    static CourseRole? Role(string text) => text.ToLowerInvariant() switch
    {
        "student" => CourseRole.Student,
        "teacher" => CourseRole.Teacher,
        "aide" => CourseRole.Assistant,
        "guardian" or "parent" or "relative" => CourseRole.Guardian,
        _ => null,
    };

    /// <param name="order">EndMissing: whoever a whole table of enrolments does not name has left.</param>
    public async ValueTask<Result<OneRosterReport>> TakeAsync(string domain, ReadOnlyMemory<byte> file, RosterOrder order, CancellationToken cancel)
    {
        if (directory.FindDomain(domain) is not { } home) return Refusal.NoSuchDomain.Because($"There is no domain {ParticipantFile.OneLine(domain)}; list them with: cbamail domain list").At("domain");
        var opened = OneRosterFiles.Open(file, cancel);
        if (!opened.Ok) return opened.Refusal;
        var files = opened.Value;
        if (files["enrollments"].Count > settings.Mailings.Participants * 4) return Refusal.TooMany.Because($"The file names {files["enrollments"].Count} enrolments; take it in by parts");
        var users = await UsersAsync(home.Name, files, order.IsRehearsal, cancel);
        var report = new List<OneRosterClass>();
        Dictionary<string, string> knownCourses, knownClasses;
        using (var read = store.Read()) (knownCourses, knownClasses) = (RosterSourceTable.Names(read, home.Name, "course"), RosterSourceTable.Names(read, home.Name, "class"));
        var titles = files["courses"].GroupBy(row => row.Id, StringComparer.Ordinal).ToDictionary(same => same.Key, same => same.Last(), StringComparer.Ordinal);
        var terms = files["academicSessions"].GroupBy(row => row.Id, StringComparer.Ordinal).ToDictionary(same => same.Key, same => same.Last(), StringComparer.Ordinal);
        var enrolments = files["enrollments"].ToLookup(row => row["classSourcedId"], StringComparer.Ordinal);
        var classes = files["classes"].GroupBy(row => row.Id, StringComparer.Ordinal).ToDictionary(same => same.Key, same => same.Last(), StringComparer.Ordinal);
        // a difference may name people of a class that has not changed itself
        foreach (var id in classes.Keys.Concat(enrolments.Select(group => group.Key).Where(id => !classes.ContainsKey(id))).ToList())
            report.Add(await ClassAsync(home.Name, id, classes.GetValueOrDefault(id), titles, terms, knownCourses, knownClasses, [.. enrolments[id]], files, users, order, cancel));
        return new OneRosterReport(report, files.Errors);
    }

    /// <summary>People by what they are called there: of the file, and of those before it.</summary>
    async Task<Dictionary<string, User>> UsersAsync(string domain, OneRosterFiles files, bool rehearsal, CancellationToken cancel)
    {
        var users = new Dictionary<string, User>(StringComparer.Ordinal);
        using (var read = store.Read())
            foreach (var (id, json) in RosterSourceTable.Names(read, domain, "user"))
                if (JsonSerializer.Deserialize<User>(json) is { } known) users[id] = known;
        var news = new List<(string Id, User User)>();
        foreach (var row in files["users"])
        {
            var name = string.Join(' ', new[] { row["preferredFirstName"] is { Length: > 0 } preferred ? preferred : row["givenName"], row["preferredLastName"] is { Length: > 0 } last ? last : row["familyName"] }.Where(part => part.Length > 0));
            var user = new User(row["email"], name, !row.IsGone && !row["enabledUser"].Equals("false", StringComparison.OrdinalIgnoreCase), [.. row.List("agentSourcedIds").Take(Enrolling.MostWards)], row["role"].ToLowerInvariant() is "parent" or "guardian" or "relative");
            if (row.Id.Length is 0 or > 255) { files.Errors.Add(new(row.Line, row["email"], "users.csv: sourcedId is missing")); continue; }
            if (users.TryGetValue(row.Id, out var old) && Same(old, user)) continue;
            users[row.Id] = user;
            news.Add((row.Id, user));
        }
        if (!rehearsal)
            foreach (var piece in news.Chunk(500))
                await store.CommitAsync(write => { foreach (var (id, user) in piece) RosterSourceTable.SetName(write, domain, "user", id, JsonSerializer.Serialize(user)); return true; }, cancel);
        return users;
    }

    static bool Same(User one, User other) => one with { Agents = other.Agents } == other && one.Agents.SequenceEqual(other.Agents, StringComparer.Ordinal);

    async Task<OneRosterClass> ClassAsync(
        string domain, string id, OneRosterRow? row, Dictionary<string, OneRosterRow> titles, Dictionary<string, OneRosterRow> terms, Dictionary<string, string> knownCourses, Dictionary<string, string> knownClasses,
        List<OneRosterRow> enrolments, OneRosterFiles files, Dictionary<string, User> users, RosterOrder order, CancellationToken cancel)
    {
        var name = row?["title"] ?? id;
        var (course, run) = Known(knownClasses, id);
        // its mailings and ledgers stay: a class that is gone takes no run with it
        if (row?.IsGone == true) return new(name, course?.Slug ?? "", run?.Slug ?? "", "left-out", null, "the class is gone there; its run is kept, and can be removed by hand");
        if (row is null && run is null) return new(name, "", "", "left-out", null, "the class is in no file that was taken in");
        var deed = "unchanged";
        if (row is not null)
        {
            var dates = row.List("termSourcedIds").Select(term => terms.GetValueOrDefault(term)).Where(term => term is { IsGone: false }).Select(term => (Start: OneRosterFiles.Date(term!["startDate"]), End: OneRosterFiles.Date(term["endDate"]))).ToList();
            // endDate is the first day that is no part of it any more
            var wish = new RunWish(name, dates.Count > 0 ? IsoDate.Of(dates.Min(one => one.Start)) : null, dates.Count > 0 ? IsoDate.Of(dates.Max(one => one.End)?.AddDays(-1)) : null);
            if (run is null)
            {
                deed = "made";
                if (order.IsRehearsal) return new(name, CourseOf(knownCourses, row["courseSourcedId"])?.Slug ?? "", "", deed, Would(enrolments, users), "");
                var made = await MakeAsync(domain, id, row, titles, knownCourses, wish, cancel);
                if (!made.Ok) return new(name, "", "", "left-out", null, made.Refusal.Sentence);
                (course, run) = made.Value;
            }
            else if (run.Name != ParticipantFile.OneLine(name) || (wish.Starts is not null && wish.Starts != IsoDate.Of(run.Starts)) || (wish.Ends is not null && wish.Ends != IsoDate.Of(run.Ends)))
            {
                deed = "changed";
                if (!order.IsRehearsal && await runs.ChangeAsync(course!, run, wish, cancel) is { Ok: false } refused) return new(name, course!.Slug, run.Slug, "left-out", null, refused.Refusal.Sentence);
            }
        }
        var people = Gather(enrolments, users, course!, run!, files);
        var whole = files.IsWhole("enrollments");
        var rows = whole ? people.Rows.Where(one => one.Wish.Status != "ended").ToList() : people.Rows;
        var done = await new Roster(store, settings, time).ApplyAsync(course!, run!, [], rows, [], people.Notes, order with { EndMissing = order.EndMissing && whole, Source = Source }, cancel);
        return done.Ok ? new(name, course!.Slug, run!.Slug, deed, done.Value, "") : new(name, course!.Slug, run!.Slug, deed, null, done.Refusal.Sentence);
    }

    /// <summary>Whom OneRoster files have brought, as <see cref="Enrolment.Source"/> says it.</summary>
    const long Source = -1;

    (Course? Course, Run? Run) Known(Dictionary<string, string> classes, string id)
    {
        if (!classes.TryGetValue(id, out var number)) return (null, null);
        using var read = store.Read();
        return RunTable.Get(read, long.Parse(number, CultureInfo.InvariantCulture)) is { } run && CourseTable.Get(read, run.CourseId) is { } course ? (course, run) : (null, null);
    }

    Course? CourseOf(Dictionary<string, string> known, string id)
    {
        if (!known.TryGetValue(id, out var number)) return null;
        using var read = store.Read();
        return CourseTable.Get(read, long.Parse(number, CultureInfo.InvariantCulture));
    }

    async Task<Result<(Course, Run)>> MakeAsync(string domain, string id, OneRosterRow row, Dictionary<string, OneRosterRow> titles, Dictionary<string, string> known, RunWish wish, CancellationToken cancel)
    {
        var courseId = row["courseSourcedId"];
        var course = CourseOf(known, courseId);
        if (course is null)
        {
            var title = titles.GetValueOrDefault(courseId)?["title"] is { Length: > 0 } text ? text : row["title"];
            var added = await courses.AddAsync(title, domain, null, cancel);
            if (!added.Ok) return added.Refusal;
            course = added.Value;
            known[courseId] = course.Id.ToString(CultureInfo.InvariantCulture);
            await store.CommitAsync(write => { RosterSourceTable.SetName(write, domain, "course", courseId, known[courseId]); return true; }, cancel);
        }
        var run = await runs.AddAsync(course, wish, cancel);
        if (!run.Ok) return run.Refusal;
        await store.CommitAsync(write => { RosterSourceTable.SetName(write, domain, "class", id, run.Value.Id.ToString(CultureInfo.InvariantCulture)); return true; }, cancel);
        return (course, run.Value);
    }

    static RosterReport Would(List<OneRosterRow> enrolments, Dictionary<string, User> users) =>
        new(enrolments.Where(row => !row.IsGone && Role(row["role"]) is not null && users.GetValueOrDefault(row["userSourcedId"]) is { Active: true } user && MailAddress.TryParse(user.Address, out _)).Select(row => row["userSourcedId"]).Distinct().Count(), 0, 0, 0, [], [], []);

    RosterPeople Gather(List<OneRosterRow> enrolments, Dictionary<string, User> users, Course course, Run run, OneRosterFiles files)
    {
        var gathering = new RosterGathering();
        var today = run.Today(time);
        var wards = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var row in enrolments)
        {
            var user = users.GetValueOrDefault(row["userSourcedId"]);
            if (user is null) { gathering.Note(row["userSourcedId"], $"{ParticipantFile.Shown(row["userSourcedId"])} is no user of a file that was taken in, and is left out"); continue; }
            if (Role(row["role"]) is not { } role) { gathering.Note(user.Name, $"{ParticipantFile.Shown(user.Name)} has no role that means anything here ({ParticipantFile.Shown(row["role"])}), and is left out"); continue; }
            var active = user.Active && !row.IsGone && !(OneRosterFiles.Date(row["endDate"]) <= today);
            gathering.Add(user.Address, user.Name.Length > 0 ? user.Name : row["userSourcedId"], user.Name, role, [], active);
            if (role != CourseRole.Student || !active || !MailAddress.TryParse(user.Address, out var ward)) continue;
            foreach (var agent in user.Agents)
                if (users.GetValueOrDefault(agent) is { Active: true, Guards: true } guardian && MailAddress.TryParse(guardian.Address, out var key))
                {
                    gathering.Add(guardian.Address, guardian.Name, guardian.Name, CourseRole.Guardian, [], active: true);
                    if (!wards.TryGetValue(key.Key, out var his)) wards[key.Key] = his = [];
                    his.Add(ward.ToString());
                }
        }
        var people = gathering.People(saysGroups: false);
        // a difference names some of those whom somebody looks after
        if (!files.IsWhole("enrollments")) Join(course, run, wards);
        return people with { Rows = [.. people.Rows.Select(one => wards.TryGetValue(one.Key, out var his) ? one with { Wish = one.Wish with { GuardianOf = his } } : one)] };
    }

    void Join(Course course, Run run, Dictionary<string, List<string>> wards)
    {
        using var read = store.Read();
        foreach (var (key, his) in wards)
            if (PersonTable.Find(read.Prepare, course.Domain, key) is { } person && PersonTable.Find(read.Prepare, run.Id, person.Id) is { } now) his.AddRange(now.GuardianOf);
    }
}
