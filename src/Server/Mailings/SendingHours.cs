using System.Globalization;
using CbaMail.Config;
using CbaMail.Courses;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Mailings;

/// <summary>
/// When a copy may leave: not in the quiet hours of its class by the reader's clock, and not when he has had as many of the class on that day as
/// he is to have. Mandatory mailings never wait.
/// </summary>
public sealed class SendingHours
{
    readonly Dictionary<MailingClass, (QuietHours? Quiet, int Daily)> rules = [];

    public SendingHours(MailingSettings settings)
    {
        Add(MailingClass.Course, settings.QuietCourse, settings.DailyCourse);
        Add(MailingClass.Optional, settings.QuietOptional, settings.DailyOptional);
        Add(MailingClass.Marketing, settings.QuietMarketing, settings.DailyMarketing);
    }

    void Add(MailingClass kind, string quiet, int daily)
    {
        if (!QuietHours.TryParse(quiet, out var hours)) throw new InvalidOperationException($"\"{quiet}\" are no hours"); // the settings are checked where they are read
        if (hours is not null || daily > 0) rules[kind] = (hours, daily);
    }

    /// <summary>Whether copies of a class ever wait.</summary>
    public bool Apply(MailingClass kind) => rules.ContainsKey(kind);

    /// <summary>Until when a copy waits, and why; null: it may leave. Asked in the transaction in which it would.</summary>
    public (DateTimeOffset Until, string Why)? Wait(WriteTransaction write, Mailing mailing, Course course, LedgerWork work, DateTimeOffset now)
    {
        if (!rules.TryGetValue(mailing.Class, out var rule)) return null;
        var zone = ZoneOf(write, course, work);
        if (rule.Quiet?.EndOf(now, zone) is { } quiet) return (quiet, Reason("quiet hours", quiet, zone));
        if (rule.Daily == 0) return null;
        Days.TryParse(TimeZoneInfo.ConvertTime(now, zone).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), zone, out var day, out var next);
        if (LedgerTable.Handed(write, work.PersonId, ClassRules.Of(mailing.Class).Word, day) < rule.Daily) return null;
        var until = rule.Quiet?.EndOf(next, zone) ?? next;
        return (until, Reason($"he has had {rule.Daily} on this day", until, zone));
    }

    static string Reason(string why, DateTimeOffset until, TimeZoneInfo zone) => string.Create(CultureInfo.InvariantCulture, $"waits until {TimeZoneInfo.ConvertTime(until, zone):yyyy-MM-dd HH:mm zzz}: {why}");

    /// <summary>His own choice before what a table says; the course's before the server's.</summary>
    static TimeZoneInfo ZoneOf(WriteTransaction write, Course course, LedgerWork work)
    {
        string?[] names = [MailAddress.TryParse(work.Address, out var address) ? ConsentTable.Choice(write.Prepare, course.Domain, address.Key).Zone : null, PersonTable.Zone(write, work.PersonId), RunTable.Zone(write, course.Id)];
        foreach (var name in names)
            if (name is { Length: > 0 } && TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone)) return zone;
        return Days.Zone(null);
    }
}
