using CbaMail.Courses;
using System.Globalization;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Mailings;

/// <summary>
/// What readers have said about mailings, and what follows for a mailing. A reader is an address of a domain's people: what he says of one course's
/// mail counts there, what he says of a class in every course of the domain.
/// </summary>
public sealed class Consents(Store store, TimeProvider time)
{
    const int Shown = 20, History = 200;

    // ---- what keeps a mailing from somebody

    /// <summary>Why some of these people are left out, by their id.</summary>
    internal Dictionary<long, string> LeftOut(Mailing mailing, Course course, IReadOnlyList<Participant> people)
    {
        var reasons = new Dictionary<long, string>();
        var rules = ClassRules.Of(mailing.Class);
        if (!rules.CanBeLeft) return reasons;
        Dictionary<string, Consent> said;
        Dictionary<string, DateTimeOffset> paused;
        using (var read = store.Read())
        {
            said = ConsentTable.AllCurrent(read, course.Domain, mailing.Class, course.Id);
            paused = ConsentTable.Paused(read, course.Domain, time.GetUtcNow());
        }
        if (said.Count == 0 && paused.Count == 0 && rules.ByDefault) return reasons;
        foreach (var person in people)
            if (MailAddress.TryParse(person.Address, out var address)
                && Reason(rules, course, said.GetValueOrDefault(address.Key), paused.TryGetValue(address.Key, out var until) ? until : null) is { } reason)
                reasons[person.Id] = reason;
        return reasons;
    }

    /// <summary>The same of one person, as it stands when his copy is to leave.</summary>
    public string? LeftOut(WriteTransaction write, Mailing mailing, Course course, string address)
    {
        var rules = ClassRules.Of(mailing.Class);
        if (!rules.CanBeLeft || !MailAddress.TryParse(address, out var parsed)) return null;
        var until = ConsentTable.Choice(write.Prepare, course.Domain, parsed.Key).PausedUntil;
        return Reason(rules, course, ConsentTable.Current(write.Prepare, course.Domain, parsed.Key, mailing.Class, course.Id), until > time.GetUtcNow() ? until : null);
    }

    static string? Reason(ClassRules rules, Course course, Consent? said, DateTimeOffset? paused) =>
        said is { Wanted: false } ? string.Create(CultureInfo.InvariantCulture, $"unsubscribed from {(rules.Leaving == Leaving.Course ? $"the mail of {course.Slug}" : rules.Word + " mail")} on {said.At:yyyy-MM-dd} ({said.Source})")
        : said is null && !rules.ByDefault ? $"has not asked for {rules.Word} mail"
        : paused is { } until ? string.Create(CultureInfo.InvariantCulture, $"wants no mail before {until:yyyy-MM-dd}") : null;

    // ---- the reader himself, by a link of his

    /// <summary>Whose copy it is; null where the course is gone, and with it all that was sent.</summary>
    public Reader? Find(long ledgerId)
    {
        using var read = store.Read();
        return Find(read, ledgerId);
    }

    static Reader? Find(ReadTransaction read, long ledgerId) =>
        CopyTable.Find(read, ledgerId) is { } copy && MailingTable.Get(read, copy.Mailing) is { } mailing && CourseTable.Get(read, mailing.CourseId) is { } course
        && MailAddress.TryParse(copy.Address, out var address) ? new Reader(ledgerId, mailing, course, copy.Address, address.Key) : null;

    /// <summary>Leaves what the mailing of a link is of, or comes back.</summary>
    /// <param name="source">one-click, page or mail.</param>
    /// <returns>Whether it can be left at all.</returns>
    public bool Set(WriteTransaction write, Reader reader, bool wanted, string source)
    {
        var rules = ClassRules.Of(reader.Mailing.Class);
        if (!rules.CanBeLeft) return false;
        Say(write, reader.Course.Domain, reader.Key, new(rules.Class, rules.Leaving == Leaving.Course ? reader.Course.Id : 0, wanted, time.GetUtcNow(), source, "", reader.Mailing.Id));
        return true;
    }

    /// <inheritdoc cref="Set"/>
    public ValueTask<bool> SetAsync(Reader reader, bool wanted, string source, CancellationToken cancel) => store.CommitAsync(write => Set(write, reader, wanted, source), cancel);

    // what was said already is not said again: a scanner that asks ten times is one line
    static void Say(WriteTransaction write, string domain, string key, Consent consent)
    {
        var now = ConsentTable.Current(write.Prepare, domain, key, consent.Class, consent.CourseId);
        if ((now?.Wanted ?? ClassRules.Of(consent.Class).ByDefault) != consent.Wanted) ConsentTable.Add(write, domain, key, consent);
    }

    /// <summary>What a reader sees of himself.</summary>
    public ReaderSheet Sheet(Reader reader, Func<Mailing, Result<Composer>> composer)
    {
        using var read = store.Read();
        var (domain, key) = (reader.Course.Domain, reader.Key);
        bool Wants(MailingClass kind, long course) => ConsentTable.Current(read.Prepare, domain, key, kind, course)?.Wanted ?? ClassRules.Of(kind).ByDefault;
        var composers = new Dictionary<long, Composer?>();
        var sent = new List<ReaderMail>();
        foreach (var (id, fields, name, state, at) in ConsentTable.Sent(read, domain, key, Shown))
        {
            if (!composers.TryGetValue(id, out var made)) composers[id] = made = MailingTable.Get(read, id) is { } mailing && composer(mailing) is { Ok: true, Value: var found } ? found : null;
            if (made is not null) sent.Add(new(at, made.RenderSubject(made.Data(reader.Address, name, fields)), made.Course.Name, state));
        }
        return new(reader, time.GetUtcNow(), Wants(reader.Mailing.Class, reader.Course.Id), [.. ConsentTable.Courses(read, domain, key).Select(course => new ReaderCourse(course.Id, course.Name, Wants(MailingClass.Course, course.Id)))],
            Wants(MailingClass.Optional, 0), Wants(MailingClass.Marketing, 0), ConsentTable.Choice(read.Prepare, domain, key), sent, ConsentTable.Asked(read, domain, key));
    }

    /// <summary>Takes what a reader has filled in.</summary>
    public async ValueTask WishAsync(Reader reader, ReaderWishes wishes, CancellationToken cancel)
    {
        List<(long Id, string Name)> courses;
        using (var read = store.Read()) courses = ConsentTable.Courses(read, reader.Course.Domain, reader.Key);
        await store.CommitAsync(write =>
        {
            void Told(MailingClass kind, long course, bool wanted) => Say(write, reader.Course.Domain, reader.Key, new(kind, course, wanted, time.GetUtcNow(), "page", "", reader.Mailing.Id));
            foreach (var course in courses) Told(MailingClass.Course, course.Id, wishes.Courses.Contains(course.Id));
            Told(MailingClass.Optional, 0, wishes.Optional);
            Told(MailingClass.Marketing, 0, wishes.Marketing);
            var until = wishes.KeepsPause ? ConsentTable.Choice(write.Prepare, reader.Course.Domain, reader.Key).PausedUntil : wishes.PausedUntil;
            ConsentTable.Choose(write, reader.Course.Domain, reader.Key, new(wishes.Language, wishes.Zone, until));
            return true;
        }, cancel);
    }

    /// <param name="kind">export or erasure.</param>
    public ValueTask<bool> AskAsync(Reader reader, string kind, CancellationToken cancel) => store.CommitAsync(write =>
    {
        ConsentTable.Ask(write, reader.Course.Domain, reader.Key, kind, time.GetUtcNow());
        return true;
    }, cancel);

    // ---- for who manages a course

    /// <summary>What somebody of the course has said, the newest first.</summary>
    public IReadOnlyList<Consent> Of(Course course, string key)
    {
        using var read = store.Read();
        return [.. ConsentTable.History(read, course.Domain, key, History).Where(said => said.CourseId == 0 || said.CourseId == course.Id)];
    }

    /// <summary>Notes what somebody has said elsewhere: on paper, by word of mouth.</summary>
    public async ValueTask<Result<Consent>> NoteAsync(Course course, string key, MailingClass kind, bool wanted, string basis, CancellationToken cancel)
    {
        var rules = ClassRules.Of(kind);
        if (!rules.CanBeLeft) return Refusal.Invalid.Because("Mandatory mail goes to everybody: there is nothing to be said about it").At("class");
        basis = ParticipantFile.OneLine(basis);
        if (basis.Length > 500) return Refusal.Invalid.Because("The basis has at most 500 characters").At("basis");
        if (wanted && !rules.ByDefault && basis.Length == 0) return Refusal.Invalid.Because("Say what the wish for marketing mail rests on: the form that was signed, the day, who was told").At("basis");
        var said = new Consent(kind, rules.Leaving == Leaving.Course ? course.Id : 0, wanted, time.GetUtcNow(), "manager", basis, null);
        await store.CommitAsync(write => { ConsentTable.Add(write, course.Domain, key, said); return true; }, cancel);
        return said;
    }

    public IReadOnlyList<DataRequest> Requests(Course course)
    {
        using var read = store.Read();
        return ConsentTable.Requests(read, course.Id);
    }

    public async ValueTask<Refusal?> DoneAsync(Course course, long request, CancellationToken cancel) =>
        await store.CommitAsync(write => ConsentTable.SetDone(write, course.Id, request, time.GetUtcNow()), cancel) ? null : Refusal.NoSuchThing.Because($"There is no open request {request} in this course");

    /// <summary>How many have left by the links of a mailing.</summary>
    public int Left(long mailing)
    {
        using var read = store.Read();
        return ConsentTable.Left(read, mailing);
    }
}
