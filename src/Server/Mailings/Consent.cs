using CbaMail.Courses;

namespace CbaMail.Mailings;

/// <summary>What somebody has said about getting mailings: never changed, only followed by another.</summary>
/// <param name="CourseId">0: of the whole domain.</param>
/// <param name="Source">one-click, page, mail (the reader himself), or manager.</param>
/// <param name="Basis">What a manager says it rests on (a form, a contract), or empty.</param>
/// <param name="Mailing">Whose link the reader followed, or null.</param>
public sealed record Consent(MailingClass Class, long CourseId, bool Wanted, DateTimeOffset At, string Source, string Basis, long? Mailing);

/// <summary>What a reader has chosen for himself.</summary>
/// <param name="Language">"ru", "en" or null.</param>
/// <param name="Zone">IANA name, or null.</param>
/// <param name="PausedUntil">Nothing but mandatory mail before it; or null.</param>
public sealed record ReaderChoice(string? Language, string? Zone, DateTimeOffset? PausedUntil);

/// <summary>A reader asks for a copy of what is kept of him, or to have it erased.</summary>
/// <param name="Kind">export or erasure.</param>
public sealed record DataRequest(long Id, string Address, string Kind, DateTimeOffset At, DateTimeOffset? Done);

/// <summary>Whose link it is: a copy of a mailing, its reader, and what he gets.</summary>
public sealed record Reader(long LedgerId, Mailing Mailing, Course Course, string Address, string Key);

/// <summary>A course that a reader is in, and whether he gets its mail.</summary>
public sealed record ReaderCourse(long Id, string Name, bool Wanted);

/// <summary>A mailing that went to a reader.</summary>
public sealed record ReaderMail(DateTimeOffset At, string Subject, string Course, LedgerState State);

/// <summary>All that the page of a reader shows.</summary>
/// <param name="Wants">Whether he gets mail like that of the link.</param>
/// <param name="Asked">The kinds of requests that are open.</param>
/// <param name="At">Of when it is.</param>
public sealed record ReaderSheet(
    Reader Reader, DateTimeOffset At, bool Wants, IReadOnlyList<ReaderCourse> Courses, bool Optional, bool Marketing, ReaderChoice Choice, IReadOnlyList<ReaderMail> Sent, IReadOnlyList<string> Asked);

/// <summary>What a reader has filled in.</summary>
/// <param name="Courses">Those whose mail he wants, of those that he was shown.</param>
/// <param name="KeepsPause">A pause that he has asked for before stays as it is.</param>
public sealed record ReaderWishes(IReadOnlyCollection<long> Courses, bool Optional, bool Marketing, string? Language, string? Zone, DateTimeOffset? PausedUntil, bool KeepsPause);
