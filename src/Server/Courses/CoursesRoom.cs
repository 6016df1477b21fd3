using CbaMail.Courses.Sources;

namespace CbaMail.Courses;

/// <summary>
/// Courses and the people in them: programme, course, run, session and group; person and enrolment.
///
/// A programme holds courses; a course is given in runs (<see cref="Run"/>: dates, zone, holidays, meetings, groups); every course has the run
/// "default", without dates, for those who need no more. A person (<see cref="Person"/>) is one a domain and address, whether the address is an
/// account here or lies elsewhere, and is in a run by an enrolment (<see cref="Enrolment"/>): a role, dates, groups, the columns of the file that
/// brought him, whom he looks after.
///
/// People may be known elsewhere (folder Sources): a run follows groups of a directory, a course of Moodle or of a learning platform, again and again, and
/// OneRoster files make courses and runs. Whatever it is, it becomes rows for <see cref="Roster"/>, and ends only whom it has brought itself.
///
/// What is not here: what is written to them. Mailings are above this room, and it knows nothing of them.
///
/// Rules that a change must keep:
/// - Whoever comes from wherever (a table, a roster, the API) goes through <see cref="Enrolling"/>: worked out first, then written, so that a
///   rehearsal says what the deed does, and the same source a second time changes nothing.
/// - A person's number is never given to another: ledgers and Message-IDs are made of it.
/// - Days are days of the run's zone.
///
/// RFC 5545 (UID and SEQUENCE of meetings), RFC 4180 (tables), RFC 7517 and RFC 6749 (proof to learning platforms).
/// </summary>
public static class CoursesRoom
{
    public static IServiceCollection AddCourses(this IServiceCollection services) => services
        .AddSingleton<CourseRegister>()
        .AddSingleton<RunBook>()
        .AddSingleton<Enrolments>()
        .AddSingleton<RosterFetch>()
        .AddSingleton<LtiKey>()
        .AddSingleton<OneRoster>()
        .AddSingleton<IRosterReader, LdapReader>()
        .AddSingleton<IRosterReader, MoodleReader>()
        .AddSingleton<IRosterReader, MembershipsReader>()
        .AddSingleton<RosterBook>()
        .AddHostedService<RosterUpkeep>();
}
