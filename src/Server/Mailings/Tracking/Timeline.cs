using CbaMail.Courses;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Mailings.Tracking;

/// <summary>One thing that was sent to somebody, or came of it.</summary>
/// <param name="What">queued, delivered, deferred, bounced, skipped, opened, clicked, replied, auto-replied, complained, unsubscribed, resubscribed.</param>
/// <param name="Told">What the other server answered, why it was skipped, where a link leads, how he left.</param>
/// <param name="Class">Of a bounce: dead, full, policy, content, temporary, unknown.</param>
/// <param name="Program">Why it was likely no person who opened it or followed a link; null: he may have.</param>
public sealed record TimelineEntry(DateTimeOffset At, long? Mailing, string Subject, string What, string Told, string? Host, string? Tls, string? MessageId, string? Class, string? Program, int Times);

/// <summary>What was sent to one person of a course, and what came of it, the oldest first.</summary>
public sealed record Timeline(Course Course, Person Person, DateTimeOffset Made, IReadOnlyList<TimelineEntry> Entries);

/// <summary>Puts together what the ledger, its events and what readers have said know of one person.</summary>
public sealed class Timelines(Store store, PressRoom press, TimeProvider time)
{
    const int MostMailings = 2000, MostSaid = 2000;

    /// <summary>Of somebody who is in the course, or was.</summary>
    public Result<Timeline> Of(Course course, string address)
    {
        if (!MailAddress.TryParse(address, out var parsed)) return Refusal.BadAddress.Because($"\"{ParticipantFile.OneLine(address)}\" is not a valid address");
        using var read = store.Read();
        if (PersonTable.Find(read.Prepare, course.Domain, parsed.Key) is not { } person) return Refusal.NoSuchUser.Because($"{parsed} is not in the course {course.Slug}");
        var rows = LedgerTable.OfPerson(read, course.Id, person.Id, MostMailings);
        if (rows.Count == 0 && CourseTable.Participant(read, course.Id, parsed.Key) is null) return Refusal.NoSuchUser.Because($"{parsed} is not in the course {course.Slug}");
        var entries = new List<TimelineEntry>();
        var composers = new Dictionary<long, Composer?>();
        foreach (var (row, mailing, fields, handed) in rows)
        {
            if (!composers.TryGetValue(mailing, out var composer)) composers[mailing] = composer = press.ComposerOf(mailing, withFiles: false) is { Ok: true, Value: var made } ? made : null;
            var subject = composer?.RenderSubject(composer.Data(row.Address, row.Name, fields)) ?? "";
            entries.AddRange(OfCopy(row, mailing, subject, handed, LedgerEventTable.Of(read, row.Id)));
        }
        foreach (var said in ConsentTable.History(read, course.Domain, parsed.Key, MostSaid))
            if (said.CourseId == 0 || said.CourseId == course.Id)
                entries.Add(new(said.At, said.Mailing, "", said.Wanted ? "resubscribed" : "unsubscribed", $"{ClassRules.Of(said.Class).Word}, {said.Source}{(said.Basis.Length > 0 ? ": " + said.Basis : "")}", null, null, null, null, null, 1));
        return new Timeline(course, person, time.GetUtcNow(), [.. entries.OrderBy(entry => entry.At).ThenBy(entry => entry.Mailing)]);
    }

    static IEnumerable<TimelineEntry> OfCopy(LedgerRow row, long mailing, string subject, DateTimeOffset? handed, List<LedgerEvent> events)
    {
        TimelineEntry Entry(DateTimeOffset at, string what, string told, string? host = null, string? tls = null, string? cause = null, string? program = null, int times = 1) =>
            new(at, mailing, subject, what, told, host, tls, row.MessageId, cause, program, times);

        var remote = row.Attempts > 0 || row.State is LedgerState.Queued or LedgerState.Deferred || row.Host is not null;
        if (remote && handed is { } queued) yield return Entry(queued, "queued", "");
        foreach (var one in events)
            if (one.Kind != "unseen") yield return Entry(one.At, one.Kind, one.Detail, one.Kind == "delivered" ? row.Host : null, program: one.Scanner, times: one.Count);
        var complained = row.Class == "complaint";
        switch (row.State)
        {
            case LedgerState.Delivered when !events.Exists(one => one.Kind == "delivered"): yield return Entry(row.At, "delivered", complained ? "" : row.Reply, row.Host, row.Tls); break;
            case LedgerState.Bounced: yield return Entry(row.At, "bounced", row.Reply, row.Host, row.Tls, row.Class); break;
            case LedgerState.Skipped: yield return Entry(row.At, "skipped", row.Reply); break;
            case LedgerState.Rendered: yield return Entry(row.At, "waiting", row.Reply); break;
        }
    }
}
