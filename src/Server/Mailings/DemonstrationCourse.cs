using System.Text.Json;
using CbaMail.Courses;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Mailings;

/// <summary>What the demonstration left, for the lines that <c>./run</c> prints.</summary>
/// <param name="Address">One of the participants.</param>
/// <param name="Password">Of every participant: this is for trying out, on loopback.</param>
/// <param name="Counts">The ledger in figures.</param>
/// <param name="Took">From `send` to the last copy; null when it was all there from an earlier start.</param>
public sealed record DemonstrationResult(string Course, string CourseName, long Mailing, string Address, string Name, string Password, LedgerCounts Counts, TimeSpan? Took);

/// <summary>
/// The demonstration of <c>./run</c>: a course of 2,500 people with mailboxes of their own, and a personalised mailing to them, by the very
/// deeds that the verbs use. Cut off at any point, the next start goes on from there. <c>DATA/demonstration.json</c> keeps the password
/// that all demonstration accounts share (hashed once): they are made-up people on loopback.
/// </summary>
public sealed class DemonstrationCourse(
    Store store, UserDirectory directory, PasswordHashing hashing, CourseRegister courses, PressRoom press, TimeProvider time, ILogger<DemonstrationCourse> log)
{
    public const int People = 2500;
    const string CourseName = "Основы программирования";
    const string Subject = "{{firstName}}, ваш экзамен {{examDate}}: {{room}}, {{seat}}";

    /// <param name="Done">Set up once; whoever removes the course does not get it back at the next start.</param>
    sealed record Kept(string Password, DateTimeOffset Since, bool Done = false);

    /// <param name="say">Gets a line at each step.</param>
    /// <param name="people">Fewer in tests.</param>
    public async Task<Result<DemonstrationResult>> RunAsync(string domain, Action<string> say, CancellationToken cancel, int people = People)
    {
        var kept = await KeptAsync(cancel);
        var persons = DemonstrationPeople.Make(people, domain, DateOnly.FromDateTime(kept.Since.UtcDateTime));
        var course = courses.List().FirstOrDefault(found => found.Name == CourseName && found.Domain == domain);
        if (kept.Done && (course is null || press.List(course.Id).Count == 0))
            return Refusal.NoSuchThing.Because("The demonstration course was removed; an empty data directory brings it back");
        if (!kept.Done && (course is null || course.Participants < people))
        {
            say($"Setting up {people} participants with their mailboxes ...");
            await AccountsAsync(domain, persons, kept.Password, cancel);
            course ??= (await courses.AddAsync(CourseName, domain, "ru", cancel)).Value;
            if (course is null) return Refusal.NoSuchDomain.Because($"The domain {domain} is not here");
            var report = await courses.ImportAsync(course.Slug, DemonstrationPeople.Csv(persons), cancel);
            if (!report.Ok) return report.Refusal;
            log.Demonstration($"{report.Value.Added} participants added to {course.Slug}");
        }
        var made = await MailingAsync(course!, domain, cancel);
        if (!made.Ok) return made.Refusal;
        var (mailing, took) = (made.Value.Id, (TimeSpan?)null);
        if (made.Value.State is MailingState.Draft or MailingState.Sending)
        {
            say("Sending everybody his own copy of a mailing ...");
            var began = time.GetTimestamp();
            if (made.Value.State == MailingState.Draft && await press.SendAsync(mailing, skipInvalid: true, cancel) is { Refusal: { } refusal }) return refusal;
            while (press.Find(mailing) is { Ok: true, Value.State: MailingState.Sending }) await Task.Delay(TimeSpan.FromMilliseconds(20), time, cancel);
            took = time.GetElapsedTime(began);
            log.Demonstration($"mailing {mailing} sent in {took.Value.TotalSeconds:0.00} s");
        }
        if (!kept.Done) await KeepAsync(kept with { Done = true }, cancel);
        return new DemonstrationResult(course!.Slug, course.Name, mailing, persons[0].Address, persons[0].Name, kept.Password, press.Status(mailing).Value!.Counts, took);
    }

    /// <summary>Everybody's account with one hash, and the teacher's office that sends and gets the replies.</summary>
    async Task AccountsAsync(string domain, IReadOnlyList<DemonstrationPerson> persons, string password, CancellationToken cancel)
    {
        var secrets = await hashing.SecretsAsync(password, inBulk: false, cancel);
        // those of an earlier, interrupted start are refused as being there already, and have the same password
        await directory.AddAccountsAsync(
            [new($"kurs@{domain}", "Учебный центр", PasswordHash: secrets.Hash, Scram: secrets.Scram), .. persons.Select(person => new NewAccount(person.Address, person.Name, PasswordHash: secrets.Hash, Scram: secrets.Scram))], cancel);
    }

    async Task<Result<Mailing>> MailingAsync(Course course, string domain, CancellationToken cancel)
    {
        if (press.List(course.Id).LastOrDefault() is { Mailing: { } first }) return first;
        using var html = new StreamReader(Resource("welcome.html"));
        using var logo = new MemoryStream();
        await using (var resource = Resource("logo.png")) await resource.CopyToAsync(logo, cancel);
        return await press.CreateAsync(
            new(course.Slug, $"Учебный центр <kurs@{domain}>", Subject, await html.ReadToEndAsync(cancel), null, [new("logo.png", logo.ToArray())]), cancel);
    }

    static Stream Resource(string name) =>
        typeof(DemonstrationCourse).Assembly.GetManifestResourceStream("Demonstration/" + name) ?? throw new InvalidOperationException($"{name} is not in the program");

    async Task<Kept> KeptAsync(CancellationToken cancel)
    {
        var path = Path.Combine(store.Path, "demonstration.json");
        if (File.Exists(path) && JsonSerializer.Deserialize<Kept>(await File.ReadAllBytesAsync(path, cancel)) is { } kept) return kept;
        kept = new(Passwords.Generate(), time.GetUtcNow());
        await KeepAsync(kept, cancel);
        return kept;
    }

    async Task KeepAsync(Kept kept, CancellationToken cancel)
    {
        var path = Path.Combine(store.Path, "demonstration.json");
        var unfinished = path + ".new";
        await using (var file = new FileStream(unfinished, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
        {
            await JsonSerializer.SerializeAsync(file, kept, cancellationToken: cancel);
            file.Flush(flushToDisk: true);
        }
        File.Move(unfinished, path, overwrite: true);
    }
}
