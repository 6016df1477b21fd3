namespace CbaMail.Courses;

/// <param name="Slug">The short name used in verbs: lower-case ASCII letters, digits and hyphens.</param>
/// <param name="Language">"ru" or "en".</param>
/// <param name="Columns">Names of the further columns, as first written, in order: merge fields.</param>
/// <param name="Participants">People in any of its runs.</param>
/// <param name="Programme">Short name of the programme that it is part of, or null.</param>
public sealed record Course(
    long Id, string Slug, string Name, string Domain, string Language, IReadOnlyList<string> Columns, int Participants, DateTimeOffset Created, string? Programme = null);

/// <summary>Courses that belong together.</summary>
/// <param name="Slug">The short name used in verbs.</param>
public sealed record Programme(long Id, string Domain, string Slug, string Name, DateTimeOffset Created);

/// <summary>Somebody in a course, as mailings see him.</summary>
/// <param name="Id">Of the person: the same in every course of the domain.</param>
/// <param name="Address">As written.</param>
/// <param name="Fields">JSON object: column to text.</param>
/// <param name="Line">Where it stood in the file that brought it.</param>
/// <param name="Place">Rises in the order in which people came into the course: pages of a list go by it.</param>
public readonly record struct Participant(long Id, string Address, string Name, string Fields, int Line, long Place = 0);

/// <summary>A row that an import left out.</summary>
/// <param name="Line">1-based line of the file at which the row begins.</param>
public sealed record ImportError(int Line, string Address, string Reason);

/// <summary>What an import did.</summary>
public sealed record ImportReport(int Added, int Updated, int Unchanged, IReadOnlyList<ImportError> Errors);
